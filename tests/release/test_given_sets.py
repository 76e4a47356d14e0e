"""Commands that ask about a set take a release folder, a foreign lock, or an installed environment."""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import tiny_index
from cuvee.cli.main import run
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.lock.model import Lock, PlatformLock
from cuvee.lock.pixi_lock import write_lock
from cuvee.manifest import load_manifest
from cuvee.progress import SILENT
from cuvee.release.pipeline import check_release
from cuvee.release.report_stage import make_report
from cuvee.release.session import Options, Session

URL = "https://conda.anaconda.org/conda-forge/linux-64"
SHA = "ab" * 32
PIXI = f"""\
version: 6
environments:
  default:
    channels: [{{url: https://conda.anaconda.org/conda-forge/}}]
    indexes: [https://index.example.org/simple]
    packages:
      linux-64:
      - conda: {URL}/app-1-0.conda
      - conda: {URL}/lib-1-0.conda
      - pypi: https://files.example.org/six-1.16.0-py2.py3-none-any.whl
  empty:
    channels: []
    packages: {{}}
packages:
- conda: {URL}/app-1-0.conda
  sha256: {SHA}
  depends: [lib >=1, __glibc >=2.17]
  license: MIT
- conda: {URL}/lib-1-0.conda
  sha256: {SHA}
  constrains: [app >=1]
  license: MIT
- pypi: https://files.example.org/six-1.16.0-py2.py3-none-any.whl
  name: six
  version: 1.16.0
  sha256: {SHA}
"""
CONDA_LOCK = f"""\
version: 1
metadata: {{}}
package:
- {{name: app, version: '1', manager: conda, platform: linux-64, dependencies: {{lib: '>=1'}},
   url: {URL}/app-1-0.conda, hash: {{sha256: {SHA}}}}}
- {{name: lib, version: '1', manager: conda, platform: linux-64, dependencies: {{}},
   url: {URL}/lib-1-0.conda, hash: {{sha256: {SHA}}}}}
"""

Call = Callable[..., str]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command, and return stdout and stderr in one text."""

    def calling(*arguments: str | Path, code: int = 0) -> str:
        ended = run([*map(str, arguments)])
        said = capsys.readouterr()
        assert ended == code, said.err
        return said.out + said.err

    return calling


def prefix(root: Path) -> Path:
    meta = root / "prefix" / "conda-meta"
    meta.mkdir(parents=True)
    for name, depends in (("app", ["lib >=1", "__glibc >=2.17"]), ("lib", [])):
        record = {
            "name": name, "version": "1", "build": "0", "build_number": 0, "subdir": "linux-64",
            "url": f"{URL}/{name}-1-0.conda", "sha256": SHA, "depends": depends, "license": "MIT",
            "requested_spec": "app" if name == "app" else "None",
        }  # fmt: skip
        (meta / f"{name}-1-0.json").write_text(json.dumps(record))
    return root / "prefix"


def release(root: Path) -> Path:
    """Lock and check a tiny release."""
    channel = tiny_index.write_index(root / "channel", map(tiny_index.entry, ["app 1: lib", "lib 1"]))
    manifest = tiny_index.write_manifest(root / "manifests", channel, 'app: "*"')
    options = ["--dist", str(root / "dist"), "--cache", str(root / "cache"), "-q"]
    assert run(["check", str(manifest), *options]) == 1, "the archives are not there"
    return root / "dist" / "tiny-2026.11.0"


SETS = ("release", "pixi.lock", "conda-lock.yml", "prefix")


@pytest.fixture(params=SETS)
def given(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    kind = str(request.param)
    if kind == "prefix":
        return prefix(tmp_path)
    if kind == "release":
        return release(tmp_path)
    (tmp_path / kind).write_text(PIXI if kind == "pixi.lock" else CONDA_LOCK)
    return tmp_path / kind


def state(root: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_every_question_takes_every_kind_of_set_and_changes_nothing(
    given: Path, call: Call, tmp_path: Path
) -> None:
    before = state(given)
    assert "app * (" in call("why", "lib", given)
    assert "app" in call("needs", "lib", given)
    assert "linux-64" in call("graph", given, "--output", tmp_path / "pictures", "-q") if given else ""
    assert (tmp_path / "pictures" / "linux-64-treemap.svg").is_file()
    assert "0 groups of 1 packages are never together" in call("coinstall", given, "-q")
    assert "no difference" in call("diff", given, given)
    assert state(given) == before
    is_release = (given / "lock").is_dir()
    options = ("--cache", tmp_path / "cache", "-q") if is_release else ()
    assert "ready" in call("check", given, *options, code=int(is_release)) or is_release


@pytest.mark.parametrize("kind", ["pixi.lock", "conda-lock.yml"])
def test_where_virtual_packages_come_from_is_said(kind: str, call: Call, tmp_path: Path) -> None:
    path = tmp_path / kind
    path.write_text(PIXI if kind == "pixi.lock" else CONDA_LOCK)
    assert "the virtual packages are cuvee's defaults" in call("why", "lib", path)
    stated = (VirtualPackage(name="__glibc", version="2.17"),)
    lock = Lock(platforms=(PlatformLock(platform="linux-64", packages=(), virtual_packages=stated),))
    write_lock(lock, tmp_path / "empty.lock", channels=(), own_channel="https://example.org/own")
    text = PIXI.replace(
        "version: 6", "version: 7\nplatforms:\n- name: linux-64\n  virtual-packages: [__glibc=2.16]"
    )
    path.write_text(text)
    said = call("check", path, code=1)
    assert "the virtual packages are those of the lock: __glibc 2.16" in said
    assert "[floor]" in said


def test_what_a_lock_does_not_state_is_not_checked_and_that_is_said(call: Call, tmp_path: Path) -> None:
    pixi, conda_lock = tmp_path / "pixi.lock", tmp_path / "conda-lock.yml"
    pixi.write_text(PIXI.replace("constrains: [app >=1]", "constrains: [app >=2]"))
    conda_lock.write_text(CONDA_LOCK)
    said = call("check", pixi, code=1)
    assert "[constrains]" in said
    assert "1 projects of the Python index are left out" in said
    said = call("check", conda_lock)
    assert "does not state what its packages constrain: contradictions are not seen" in said
    assert "The others need a manifest" in said
    found = json.loads(call("check", pixi, "--json", code=1).split("note:")[0])
    skipped = {item["identifier"] for item in found["checks"] if item["status"] == "skipped"}
    assert skipped >= {"licenses", "owners", "changes", "file-clashes"}
    assert not skipped & {"closure", "constrains", "floor"}


def test_packages_that_are_not_built_yet_are_left_out_and_named(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "pixi.lock"
    source = "- conda: .\n  name: {name}\n  version: '1'\n  subdir: linux-64\n"
    text = PIXI.replace("      - pypi:", "      - conda: .\n      - pypi:", 1)
    path.write_text(text.replace("packages:\n- conda:", f"packages:\n{source.format(name='mine')}- conda:"))
    said = call("check", path)
    assert "linux-64: mine is left out: it is not built yet, and has no record" in said
    assert "cannot be installed" not in call("coinstall", path, "-q")


def test_packages_that_are_built_from_one_folder_are_told_apart(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "pixi.lock"
    source = "- conda: .\n  name: {name}\n  version: '1'\n  build: h1_0\n  subdir: linux-64\n"
    both = source.format(name="mine") + source.format(name="other")
    used = "      - conda: .\n        name: mine\n      - conda: .\n        name: other\n"
    text = PIXI.replace("      - pypi:", f"{used}      - pypi:", 1)
    path.write_text(text.replace("packages:\n- conda:", f"packages:\n{both}- conda:"))
    assert "0 groups of 3 packages" in call("coinstall", path, "-q")


def test_an_unmet_dependency_of_a_foreign_lock_is_found(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "pixi.lock"
    path.write_text(PIXI.replace("depends: [lib >=1,", "depends: [lib >=2,"))
    assert "[closure]" in call("check", path, code=1)


def test_inputs_that_cannot_answer_say_what_to_name_instead(call: Call, tmp_path: Path) -> None:
    listed, exact, environment = (tmp_path / name for name in ("list.txt", "urls.txt", "environment.yml"))
    listed.write_text("app=1=0\n")
    exact.write_text(f"@EXPLICIT\n{URL}/app-1-0.conda\n")
    environment.write_text("dependencies: [app=1]\n")
    for path in (listed, exact, environment):
        for command in (["why", "lib"], ["needs", "lib"], ["check"], ["certify"], ["graph"], ["coinstall"]):
            said = call(*command, path, code=2)
            assert "does not state what its packages depend on" in said, command
            assert "next: Name a manifest, a release folder, a pixi.lock" in said
    (tmp_path / "pixi.lock").write_text(PIXI)
    said = call("impact", "lib", tmp_path / "pixi.lock", code=2)
    assert "Name a manifest or a release folder" in said
    assert "Leave out --archives" in call("check", tmp_path / "pixi.lock", "--archives", code=2)


@pytest.mark.parametrize("command", ["check", "certify", "coinstall", "graph"])
def test_an_environment_that_does_not_exist_is_an_error_everywhere(
    command: str, call: Call, tmp_path: Path
) -> None:
    path = tmp_path / "pixi.lock"
    path.write_text(PIXI)
    said = call(command, path, "--environment", "test", code=2)
    assert "has no environment 'test'" in said
    assert "default (3 packages), empty (0 packages)" in said
    said = call(command, prefix(tmp_path), "--environment", "test", code=2)
    assert "an installed environment, which has no environments" in said


def test_a_lock_of_another_tool_is_certified_and_verified(call: Call, tmp_path: Path) -> None:
    path, certificate = tmp_path / "pixi.lock", tmp_path / "certificate.json"
    path.write_text(PIXI)
    assert "--output" in call("certify", path, code=2)
    said = call("certify", path, "--output", certificate)
    assert "the certificate holds, and is about the lock" in said
    assert "linux-64: 2 packages fit together; files not compared" in said
    assert "is about the lock" in call("certify", "--verify", certificate, "--lock", path)
    path.write_text(PIXI.replace("lib >=1", "lib >=0"))
    assert "it is about another lock" in call("certify", "--verify", certificate, "--lock", path, code=5)
    said = call("certify", "--verify", path, code=2)
    assert "is a pixi.lock, not a certificate" in said
    assert "checks/certificate.json" in said
    assert "a conda-lock.yml" in call("certify", conda_lock(tmp_path), "-o", certificate, code=2)
    assert "is a conda-lock.yml, not a pixi.lock" in call(
        "certify", "--verify", certificate, "--lock", conda_lock(tmp_path), code=2
    )
    assert "A certificate is about a pixi.lock" in call("certify", prefix(tmp_path), "-o", "x", code=2)


def conda_lock(root: Path) -> Path:
    (root / "conda-lock.yml").write_text(CONDA_LOCK)
    return root / "conda-lock.yml"


def test_requested_packages_are_those_that_are_stated(call: Call, tmp_path: Path) -> None:
    (tmp_path / "pixi.lock").write_text(PIXI)
    assert "app counts as requested: nothing else in the set depends on it" in call("why", "app", tmp_path)
    (tmp_path / "pixi.toml").write_text("[dependencies]\nlib = '*'\n")
    assert "lib counts as requested: it was requested" in call("why", "lib", tmp_path)
    assert "app counts" not in call("why", "app", tmp_path)


def test_a_release_folder_may_have_been_moved_away_from_its_manifest(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = shutil.move(release(tmp_path), tmp_path / "moved")
    assert "app counts as requested: nothing else" in call("why", "app", folder)
    assert "the virtual packages are those of the lock" in call("check", folder)


def test_a_release_folder_answers_by_its_own_record_whatever_it_is_called(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = release(tmp_path)
    manifest = next((tmp_path / "manifests").rglob("2026.11.0.yaml"))
    options = Options(
        dist=folder.parent, cache=tmp_path / "cache", now=dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    )
    session = Session(load_manifest(manifest, today=dt.date(2026, 11, 22)), options, SILENT)
    make_report(session, check_release(session))
    manifest.write_text(manifest.read_text().replace("app:", "lib:"))
    moved = Path(shutil.move(folder, tmp_path / "another-name"))
    assert "the manifest requests app *" in call("why", "app", moved)
    assert "app" in call("needs", "lib", moved)
    assert "lib >0 is possible" in call("impact", "lib>0", moved, "--cache", tmp_path / "cache", "-q")
    call("graph", moved, "-o", tmp_path / "out", "--cache", tmp_path / "cache", "-q")


@pytest.mark.parametrize("environment", ["default", "noetic"])
def test_a_real_lock_answers(environment: str, shared_data: Path, call: Call) -> None:
    lock = shared_data / "locks" / "turtlesim-pixi.lock"
    options = ("--environment", environment, "--platform", "linux-64")
    assert "groups of" in call("coinstall", lock, *options, "-q")
    assert "cannot be installed" not in call("coinstall", lock, *options, "-q")
    assert "python" in call("needs", "python", lock, *options)
    assert "__glibc 2.28" in call("why", "numpy", lock, *options)
    assert "checks: " in call("check", lock, *options)
