"""A constructor project becomes our installer, which is run; and constructor itself is run as a program."""

import functools
import http.server
import json
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuvee import process
from cuvee.channel.repodata_writer import index_channel
from cuvee.errors import BlockedError, ToolMissingError
from cuvee.files import sha256_file
from cuvee.installers.constructor.executable import find_constructor, run_constructor
from cuvee.process import Completed, Request
from cuvee.progress import SILENT
from needed_programs import HANGING
from tiny_release import Release

pytestmark = pytest.mark.real


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def channel(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is a channel with the tiny release's packages."""
    folder = tmp_path_factory.mktemp("channel")
    for package in release.lock.packages:
        (folder / package.subdir).mkdir(exist_ok=True)
        shutil.copy(release.archives[package.identifier], folder / package.subdir)
    index_channel(folder, [release.lock.platform])
    return folder


@pytest.fixture(scope="module")
def served(channel: Path) -> Iterator[str]:
    """The same channel's address on this machine."""
    handler = functools.partial(Quiet, directory=str(channel))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def cuvee(release: Release, *arguments: str | Path) -> Completed:
    argv = (sys.executable, "-m", "cuvee", "installers", *map(str, arguments), "--cache", str(release.cache))
    return process.run(Request(argv=argv, timeout=HANGING))


PROJECT = """\
{{% set version = environ.get("TOOL_VERSION", "3.1") %}}
name: MyTool
version: "{{{{ version }}}}"
company: ACME
channels_remap:
  - src: {channel}
    dest: https://example.org/acme
specs:
  - tools >=1
  - twin-b
  - no-such-package  # [win]
user_requested_specs:
  - tools
exclude:
  - twin-b
virtual_specs:
  - "__glibc>={glibc}"  # [linux]
license_file: LICENSE
pre_install: pre.sh   # [unix]
pre_install: pre.bat  # [win]
post_install: post.sh   # [unix]
post_install: post.bat  # [win]
script_env_variables:
  WHO: "it's $HOME"
extra_files:
  - LICENSE: share/mytool/LICENSE
condarc:
  channels:
    - https://example.org/acme
freeze_base:
  conda:
    message: "leave it alone"
keep_pkgs: true
register_envs: true
build_outputs:
  - hash:
      algorithm: sha256
  - info.json
  - licenses
  - lockfile
  - pkgs_list
"""


def write_project(folder: Path, channel: str, release: Release) -> Path:
    glibc = next(p.version for p in release.lock.virtual_packages if p.name == "__glibc")
    for package in release.lock.packages:  # the host's interpreter may want a newer one
        for need in package.depends:
            if need.startswith("__glibc >="):
                glibc = max(glibc, need.removeprefix("__glibc >=").partition(",")[0], key=_number)
    folder.mkdir()
    path = folder / "construct.yaml"
    path.write_text(PROJECT.format(channel=channel, glibc=glibc), encoding="utf-8")
    (folder / "LICENSE").write_text("Be kind.\n", encoding="utf-8")
    (folder / "pre.sh").write_text('test ! -e "$PREFIX/bin/python" || true\n', encoding="utf-8")
    (folder / "post.sh").write_text(
        '#!/bin/sh\nprintf "%s|%s|%s|%s" "$INSTALLER_NAME" "$INSTALLER_VER" "$INSTALLER_PLAT" "$WHO" '
        '> "$PREFIX/share/mytool/post"\n',
        encoding="utf-8",
    )
    return path


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_a_project_is_made_installed_and_does_what_it_says(
    release: Release, served: str, tmp_path: Path
) -> None:
    source, output, prefix = tmp_path / "project", tmp_path / "out", tmp_path / "prefix"
    write_project(source, served.replace("://", "://secret-token@"), release)
    done = cuvee(release, "--from", source, "--output", output, "--json", "--quiet")
    assert done.ok, done.stderr
    (result,) = json.loads(done.stdout)
    installer = output / f"MyTool-3.1-{_label(release)}.sh"
    assert [item["path"] for item in result["artefacts"]] == [installer.name]
    kept = "keep_pkgs: There is no cache of packages; the installer's own file is kept, for repairs."
    wanted = "register_envs: The prefix is not written to `~/.conda/environments.txt`."
    assert result["warnings"] == [kept, wanted]
    assert "register_envs" in done.stderr, "what is not honoured is said aloud"
    names = {identifier.split("-")[0] for identifier in result["packages"]}
    assert names == {"python", "tools", "twin", "zstandard"}
    assert not [identifier for identifier in result["packages"] if identifier.startswith("twin-b")]

    hashed = (output / f"{installer.name}.sha256").read_text()
    assert hashed == f"{sha256_file(installer)}  {installer.name}\n"
    assert installer.name in (output / "SHA256SUMS").read_text()
    lockfile = (output / "lockfile.base.txt").read_text()
    assert "@EXPLICIT" in lockfile
    assert "https://example.org/acme/noarch/tools-1.0-py_0.conda#" in lockfile
    assert "127.0.0.1" not in lockfile
    assert json.loads((output / "info.json").read_text())["name"] == "MyTool"
    assert "tools-1.0-py_0.conda" in (output / "pkg-list.base.txt").read_text()
    licenses = json.loads((output / "licenses.json").read_text())
    assert licenses["https://example.org/acme/noarch::tools-1.0-py_0"]["type"] == "MIT"

    assert not [path for path in output.iterdir() if b"secret-token" in path.read_bytes()]

    bill = json.loads(release.install("--sbom", installer=installer).stdout)
    assert {item["name"] for item in bill["components"]} >= {"python", "tools", "twin-a", "zstandard"}

    installed = release.install("-b", "-p", prefix, installer=installer, environment={"HOME": str(tmp_path)})
    assert installed.ok, installed.stderr
    assert (prefix / "share/mytool/LICENSE").read_text() == "Be kind.\n"
    said = (prefix / "share/mytool/post").read_text()
    assert said == f"MyTool|3.1|{release.lock.platform}|it's $HOME"
    assert "https://example.org/acme" in (prefix / ".condarc").read_text()
    assert json.loads((prefix / "conda-meta/frozen").read_text()) == {"message": "leave it alone"}
    record = json.loads((prefix / "conda-meta/tools-1.0-py_0.json").read_text())
    assert record["url"] == "https://example.org/acme/noarch/tools-1.0-py_0.conda"
    assert record["requested_spec"] == "tools"
    shown = [*(prefix / "conda-meta").rglob("*"), prefix / ".condarc"]
    assert not [path for path in shown if path.is_file() and b"secret-token" in path.read_bytes()]
    tool = process.run(Request(argv=(str(prefix / "bin" / "tool"), "works")))
    assert tool.stdout.split() == [str(prefix), "works"]
    assert not (prefix / "share/twin/b").exists()
    assert (prefix / "conda-meta/cuvee/installer.sh").read_bytes() == installer.read_bytes()


def test_what_has_not_changed_is_not_made_again(release: Release, channel: Path, tmp_path: Path) -> None:
    project, output = write_project(tmp_path / "project", str(channel), release), tmp_path / "output"

    def made() -> tuple[dict[str, bytes], bool]:
        before = {path: path.stat().st_ino for path in output.glob("*.sh")}
        done = cuvee(release, "--from", project, "--output", output, "--verbose")
        assert done.ok, done.stderr
        unchanged = f"{release.lock.platform}: unchanged" in done.stderr
        assert unchanged == ({path: path.stat().st_ino for path in output.glob("*.sh")} == before != {})
        return {path.name: path.read_bytes() for path in output.iterdir()}, unchanged

    first, unchanged = made()
    assert not unchanged
    assert made() == (first, True)
    (installer,) = output.glob("*.sh")
    data = bytearray(installer.read_bytes())
    data[len(data) // 2] ^= 1
    times = installer.stat()
    installer.write_bytes(data)
    os.utime(installer, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert made() == (first, False)
    (output / "info.json").unlink()
    assert made() == (first, False)
    (project.parent / "LICENSE").write_text("Be kinder.\n", encoding="utf-8")
    changed, unchanged = made()
    assert not unchanged
    assert changed[installer.name] != first[installer.name]


def test_what_has_not_changed_is_neither_solved_nor_opened(
    release: Release, channel: Path, tmp_path: Path
) -> None:
    own = shutil.copytree(channel, tmp_path / "channel")
    project, output = write_project(tmp_path / "project", str(own), release), tmp_path / "output"
    first = cuvee(release, "--from", project, "--output", output)
    assert first.ok, first.stderr
    for archive in own.rglob("*.conda"):
        archive.unlink()
    arguments = ("--from", str(project), "--output", str(output), "--cache", str(release.cache))
    argv = (sys.executable, "-X", "importtime", "-m", "cuvee", "installers", *arguments)
    again = process.run(Request(argv=argv, timeout=HANGING))
    assert again.ok, again.stderr
    assert f"{release.lock.platform}: unchanged" in again.stderr
    assert again.stdout == first.stdout
    imported = {line.rpartition("|")[2].strip() for line in again.stderr.splitlines() if "|" in line}
    assert "cuvee.release.converted_project" in imported
    heavy = {"asyncio", "rattler", "requests", "zstandard", "cuvee.lock.solve", "cuvee.release.record"}
    assert imported.isdisjoint(heavy)
    (project.parent / "LICENSE").write_text("Be kinder.\n", encoding="utf-8")
    changed = cuvee(release, "--from", project, "--output", output)
    assert changed.ok, changed.stderr
    assert changed.stdout != first.stdout
    shutil.rmtree(release.cache / "packed")
    (project.parent / "LICENSE").write_text("Be kind.\n", encoding="utf-8")
    missing = cuvee(release, "--from", project, "--output", tmp_path / "other")
    assert missing.exit_code == 4, missing.stderr


def test_a_dry_run_solves_and_makes_nothing(release: Release, channel: Path, tmp_path: Path) -> None:
    path = write_project(tmp_path / "project", str(channel), release)
    done = cuvee(release, "--from", path, "--output", tmp_path / "out", "--dry-run")
    assert done.ok, done.stderr
    assert "  tools-1.0-py_0" in done.stdout.splitlines()
    assert "zstandard is added" in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_explicit_list_is_installed_as_it_is(release: Release, served: str, tmp_path: Path) -> None:
    wanted = [p for p in release.lock.packages if p.name in {"python", "zstandard", "tools"}]
    lines = [f"{served}/{package.subdir}/{package.file_name}#{package.md5}" for package in wanted]
    (tmp_path / "list.txt").write_text("\n".join(["@EXPLICIT", *lines]) + "\n", encoding="utf-8")
    source = tmp_path / "construct.yaml"
    source.write_text("name: Exact\nversion: 1\nenvironment_file: list.txt\n", encoding="utf-8")
    done = cuvee(release, "--from", source, "--output", tmp_path / "out", "--json", "-q")
    assert done.ok, done.stderr
    (result,) = json.loads(done.stdout)
    assert result["packages"] == [package.identifier for package in wanted]
    wrong = [line[:-32] + "0" * 32 for line in lines]
    (tmp_path / "list.txt").write_text("\n".join(["@EXPLICIT", *wrong]) + "\n", encoding="utf-8")
    again = cuvee(release, "--from", source, "--output", tmp_path / "out", "-q")
    assert again.exit_code == 5
    assert "does not have the hash in the list" in again.stderr


@pytest.mark.parametrize(
    ("before", "after", "exit_code", "said"),
    [
        ("  - tools >=1", "  - tools >=7", 1, "tools >=7"),
        ("  - tools >=1", "  - tools >==", 2, "is not a match spec"),
        ("exclude:\n  - twin-b", "exclude:\n  - python", 2, "there is no python"),
        ("exclude:\n  - twin-b", "exclude:\n  - nobody", 2, "nobody cannot be excluded"),
        ("exclude:\n  - twin-b", "exclude:\n  - zstandard", 2, "zstandard"),
    ],
)
def test_what_can_not_be_made_is_said(
    before: str, after: str, *, exit_code: int, said: str, release: Release, channel: Path, tmp_path: Path
) -> None:
    path = write_project(tmp_path / "project", str(channel), release)
    path.write_text(path.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    done = cuvee(release, "--from", path, "--output", tmp_path / "out", "-q")
    assert done.exit_code == exit_code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def _label(release: Release) -> str:
    return {"linux-64": "Linux-x86_64", "linux-aarch64": "Linux-aarch64"}[release.lock.platform]


FAKE = """\
#!{python}
import argparse, json, os, pathlib, sys
if sys.argv[1:] == ["--version"]:
    print("constructor {version}")
    raise SystemExit
parser = argparse.ArgumentParser()
parser.add_argument("folder")
for name in ("--platform", "--installer-type", "--output-dir", "--cache-dir", "--conda-exe"):
    parser.add_argument(name)
options = parser.parse_args()
project = pathlib.Path(options.folder, "construct.yaml").read_text()
if "fail" in project:
    sys.exit("Error: {failure}")
target = pathlib.Path(options.output_dir, "Tool-1-Any." + options.installer_type)
seen = dict(vars(options), subdir=os.environ["CONDA_SUBDIR"], project=project)
target.write_text(json.dumps(seen))
target.with_name("info.json").write_text("{{}}")
"""


def fake(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, version: str = "3.16.3", failure: str = "no"
) -> None:
    """Put a program on PATH that behaves as constructor does: its options, its outputs, its errors."""
    folder.mkdir(exist_ok=True)
    program = folder / "constructor"
    text = FAKE.format(python=sys.executable, version=version, failure=failure)
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


def build(tmp_path: Path, platform: str, kind: str, project: str = "name: Tool\n") -> Path:
    (tmp_path / "project").mkdir(exist_ok=True)
    (tmp_path / "project" / "construct.yaml").write_text(project, encoding="utf-8")
    target = tmp_path / "installers" / f"Tool.{kind}"
    run_constructor(
        tmp_path / "project",
        platform=platform,
        kind=kind,
        environment={"CONDA_SUBDIR": platform},
        target=target,
        cache=tmp_path / "cache",
        reporter=SILENT,
    )
    return target


def test_constructor_is_called_as_it_wants_to_be(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path / "bin", monkeypatch)
    target = build(tmp_path, release.lock.platform, "sh")
    seen = json.loads(target.read_text())
    assert seen["project"] == "name: Tool\n"
    assert (seen["platform"], seen["subdir"]) == (release.lock.platform, release.lock.platform)
    assert (seen["installer_type"], seen["conda_exe"]) == ("sh", None)
    assert target.stat().st_mode & 0o111
    assert [path.name for path in target.parent.iterdir()] == [target.name], "nothing else is left behind"


def test_another_platform_wants_its_own_conda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(tmp_path / "bin", monkeypatch)
    with pytest.raises(ToolMissingError, match="conda-standalone of win-64") as caught:
        build(tmp_path, "win-64", "exe")
    assert "CUVEE_CONDA_STANDALONE" in (caught.value.hint or "")
    (tmp_path / "win-64").mkdir()
    (tmp_path / "win-64" / "conda.exe").touch()
    monkeypatch.setenv("CUVEE_CONDA_STANDALONE", str(tmp_path))
    assert json.loads(build(tmp_path, "win-64", "exe").read_text())["conda_exe"].endswith("win-64/conda.exe")


@pytest.mark.parametrize(("platform", "kind"), [("osx-arm64", "pkg"), ("win-64", "msi")])
def test_what_constructor_can_not_make_here_is_said_before(
    platform: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path / "bin", monkeypatch)
    with pytest.raises(ToolMissingError, match=f"makes no .{kind} on this system"):
        build(tmp_path, platform, kind)


@pytest.mark.parametrize(
    ("version", "said"), [("3.9.3", "too old"), ("unknown", "does not print its version")]
)
def test_an_old_constructor_is_refused(
    version: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path / "bin", monkeypatch, version=version)
    with pytest.raises(ToolMissingError, match=said):
        find_constructor()


def test_no_constructor_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError) as caught:
        find_constructor()
    assert "conda-forge constructor" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("failure", "kind"),
    [("no standalone conda executable was found", ToolMissingError), ("no package named x", BlockedError)],
)
def test_its_failure_is_told(
    failure: str, kind: type[Exception], release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path / "bin", monkeypatch, failure=failure)
    with pytest.raises(kind, match=failure):
        build(tmp_path, release.lock.platform, "sh", project="fail\n")
    assert not list((tmp_path / "installers").iterdir())
