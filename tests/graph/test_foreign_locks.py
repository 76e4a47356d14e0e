"""Locks that other tools write: what they state is compared, and what they do not state is said."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cuvee.cli.main import run
from cuvee.conda.match_spec import read_version
from cuvee.graph.diff.readers import InputKind, kind_of, read_snapshot

CHANNEL = "https://conda.anaconda.org/conda-forge"
A, B = "a" * 64, "b" * 64

Call = Callable[..., str]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    def calling(*arguments: str | Path, code: int = 0) -> str:
        assert run(["diff", *map(str, arguments)]) == code
        said = capsys.readouterr()
        return said.err if code else said.out

    return calling


def rows(text: str) -> list[tuple[str, str, str | None, str | None]]:
    found = json.loads(text)["changes"]
    return [(row["package"], row["kind"], row["before"], row["after"]) for row in found]


def notes(text: str) -> str:
    return "\n".join(json.loads(text)["notes"])


def pixi(path: Path, packages: str, *, used: str, version: int = 6, environments: str = "") -> Path:
    """Write a `pixi.lock` whose default environment uses some packages on linux-64."""
    head = f"# made by hand\nversion: {version}\n"
    head += "platforms:\n- name: linux-64\n" if version > 6 else ""
    head += "environments:\n  default:\n    channels:\n    - url: https://conda.anaconda.org/conda-forge/\n"
    head += "    indexes: [https://index.example.org/simple]\n    packages:\n      linux-64:\n"
    head += "".join(f"      - {line}\n" for line in used.splitlines())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{head}{environments}packages:\n{packages}", encoding="utf-8")
    return path


def plain(version: str) -> tuple[str, str]:
    url = f"conda: {CHANNEL}/linux-64/a-{version}-h1_0.conda"
    return url, f"- {url}\n  sha256: {A}\n"


@pytest.mark.parametrize("stated", ["", "  version: 0.3.0\n"])
def test_the_project_itself_does_not_keep_the_rest_from_being_compared(
    stated: str, call: Call, tmp_path: Path
) -> None:
    sides = []
    for name, version in (("old", "1.0"), ("new", "1.1")):
        used, package = plain(version)
        me = f"- pypi: ./\n  name: me\n{stated}"
        sides.append(pixi(tmp_path / name / "pixi.lock", package + me, used=f"{used}\npypi: ./", version=7))
    found = call(*sides, "--json")
    assert rows(found) == [("a", "upgraded", "1.0", "1.1")]
    assert ("me (pypi) was not compared: its version is not known" in notes(found)) == (not stated)
    without = pixi(tmp_path / "x.lock", plain("1.0")[1], used=plain("1.0")[0])
    assert ("version unknown" in call(without, sides[1])) == (not stated)


def test_a_conda_package_built_from_a_folder_is_compared_as_far_as_it_is_known(
    call: Call, tmp_path: Path
) -> None:
    sides = []
    for name, version in (("old", "0.1"), ("new", "0.2")):
        used, package = plain("1.0")
        source = f"- conda: .\n  name: mine\n  version: '{version}'\n  build: h1_0\n  subdir: linux-64\n"
        sides.append(pixi(tmp_path / name / "pixi.lock", package + source, used=f"{used}\nconda: ."))
    assert rows(call(*sides, "--json")) == [("mine", "upgraded", "0.1", "0.2")]


def test_a_source_package_without_a_record_is_of_unknown_version(call: Call, tmp_path: Path) -> None:
    used, package = plain("1.0")
    lock = pixi(
        tmp_path / "pixi.lock", f"{package}- source: mine[12345678] @ ./mine\n",
        used=f"{used}\nsource: mine[12345678] @ ./mine", version=7,
    )  # fmt: skip
    lock.write_text(lock.read_text().replace("source: mine", "conda_source: mine"))
    text = call(tmp_path, tmp_path, "--json")
    assert rows(text) == []
    assert "mine was not compared" in notes(text)


def test_projects_of_the_index_are_compared_by_their_hash_too(call: Call, tmp_path: Path) -> None:
    url = "https://files.example.org/packages/x/six-1.16.0-py2.py3-none-any.whl"
    sides = [
        pixi(
            tmp_path / name / "pixi.lock",
            f"- pypi: {url}\n  name: six\n  version: 1.16.0\n  sha256: {digest}\n",
            used=f"pypi: {url}",
        )
        for name, digest in (("old", A), ("new", B))
    ]
    assert rows(call(*sides, "--json")) == [("six (pypi)", "rebuilt", "1.16.0", "1.16.0")]


def test_an_empty_default_environment_names_those_that_have_packages(call: Call, tmp_path: Path) -> None:
    used, package = plain("1.0")
    others = f"  full:\n    channels: []\n    packages:\n      linux-64:\n      - {used}\n"
    lock = pixi(tmp_path / "pixi.lock", package, used="", environments=others)
    said = call(lock, lock, code=2)
    assert "no packages in the environment 'default'" in said
    assert "full (1 packages), default (0 packages)" in said
    assert "no difference" in call(lock, lock, "--environment", "full")


def test_an_environment_that_does_not_exist_is_an_error_whatever_the_input_is(
    call: Call, tmp_path: Path
) -> None:
    listed = tmp_path / "list.txt"
    listed.write_text("a=1.0=h1_0\n")
    assert "Neither of the two has environments" in call(listed, listed, "--environment", "x", code=2)
    lock = pixi(tmp_path / "pixi.lock", plain("1.0")[1], used=plain("1.0")[0])
    assert "no environment 'x'" in call(listed, lock, "--environment", "x", code=2)


def test_file_names_in_addresses_may_be_percent_encoded(call: Call, tmp_path: Path) -> None:
    names = {"encoded": ("x264-1%21161.3-h0_0.conda", "torch-2.1%2Bcu1-h0_0.conda")}
    names["plain"] = ("x264-1!161.3-h0_0.conda", "torch-2.1+cu1-h0_0.conda")
    versions = {"x264": "1!161.3", "torch": "2.1+cu1"}
    found = []
    for kind, files in names.items():
        urls = [f"{CHANNEL}/linux-64/{file}" for file in files]
        found.append(tmp_path / f"{kind}.txt")
        found[-1].write_text("\n".join(["# platform: linux-64", "@EXPLICIT", *urls]) + "\n")
        found.append(tmp_path / f"{kind}.yml")
        found[-1].write_text(
            "version: 1\npackage:\n"
            + "".join(
                f"- {{name: {name}, version: '{versions[name]}', manager: conda, platform: linux-64,\n"
                f"   url: '{url}'}}\n"
                for name, url in zip(versions, urls, strict=True)
            )
        )
    for other in found[1:]:
        assert rows(call(found[0], other, "--json")) == [], other


def test_projects_that_an_explicit_list_states_as_comments_are_compared(call: Call, tmp_path: Path) -> None:
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    head = f"# platform: linux-64\n@EXPLICIT\n{CHANNEL}/linux-64/a-1.0-h1_0.conda\n"
    files = "https://files.example.org/packages/x"
    old.write_text(
        f"{head}# pip six @ {files}/six-1.16.0-py2.py3-none-any.whl#sha256={A}\n"
        f"# pip Foo_Bar === 1.0 --hash=sha256:{A}\n# pip gone @ git+https://example.org/gone@abc\n"
    )
    new.write_text(
        f"{head}# pip six @ {files}/six-1.17.0.tar.gz#sha256={B}\n"
        f"# pip foo-bar === 1.0 --hash=sha256:{B}\n# pip --no-deps\n"
    )
    text = call(old, new, "--json")
    assert rows(text) == [
        ("foo-bar (pypi)", "rebuilt", "1.0", "1.0"),
        ("gone (pypi)", "removed", "version unknown", None),
        ("six (pypi)", "upgraded", "1.16.0", "1.17.0"),
    ]
    assert f"{new}:6: '--no-deps' was not compared" in notes(text)


def test_one_equals_sign_is_a_range_in_an_environment_file(call: Call, tmp_path: Path) -> None:
    old, new = tmp_path / "old.yml", tmp_path / "new.yml"
    old.write_text("dependencies:\n- python=3.11\n- pip:\n  - foo>=1\n")
    new.write_text("dependencies:\n- python=3.12\n- pip:\n  - foo>=2\n  - -r more.txt\n")
    text = call(old, new, "--json")
    assert rows(text) == [
        ("foo (pypi)", "upgraded", ">=1", ">=2"), ("python", "upgraded", "3.11.*", "3.12.*")
    ]  # fmt: skip
    assert "'-r more.txt' was not compared" in notes(text)
    listed = tmp_path / "list.txt"
    listed.write_text("python=3.11.9=h1_0\n")
    assert "only requirements" in call(old, listed, code=2)


def test_exact_pins_of_pip_are_read_with_their_options(call: Call, tmp_path: Path) -> None:
    exported, listed = tmp_path / "env.yml", tmp_path / "list.txt"
    exported.write_text(
        "dependencies:\n- a=1.0=h1_0\n- pip:\n"
        f"  - foo === 1.0 --hash=sha256:{A} --hash=sha256:{B}\n  - bar[x]==2.0 ; python_version > '3'\n"
        "  - git+https://example.org/baz@1.0#egg=baz\n  - https://x.org/y/six-1.16.0-py3-none-any.whl\n"
    )
    listed.write_text(
        "a 1.0 h1_0 conda-forge\nfoo 1.0 pypi_0 pypi\nbar 2.1 pypi_0 pypi\nbaz 1.0 pypi_0 pypi\n"
        "six 1.16.0 pypi_0 pypi\n"
    )
    text = call(exported, listed, "--json")
    assert rows(text) == [("bar (pypi)", "upgraded", "2.0", "2.1")]
    assert "baz (pypi) was not compared" in notes(text)


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("m.yaml", "title: x\nmanifest: 1\n", InputKind.MANIFEST),
        ("m.yaml", "packages: {dependencies: 1}\n", InputKind.MANIFEST),
        ("m.yaml", "a: [\n", InputKind.MANIFEST),
        ("any.lock", "# x\nversion: 6\nplatforms: [{name: x}]\nenvironments: {}\n", InputKind.PIXI),
        ("old.yml", "version: 3\nmetadata: {}\npackage: []\n", InputKind.PIXI),
        ("c.yml", "version: 1\nmetadata: {x: [1]}\npackage: []\n", InputKind.CONDA_LOCK),
        ("c.yml", "'package': []\n", InputKind.CONDA_LOCK),
        ("e.yml", "{name: x, dependencies: [a]}", InputKind.ENVIRONMENT),
        ("l.txt", "a=1=0\n", InputKind.LISTING),
        ("l.json", '[{"name": "a"}]', InputKind.LISTING),
        ("x.txt", "# c\n@EXPLICIT\n", InputKind.EXPLICIT),
        ("x", "https://c/linux-64/a-1-0.conda\n", InputKind.EXPLICIT),
    ],
)
def test_the_kind_of_a_file_is_found_out_from_its_contents(
    name: str, text: str, kind: InputKind, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    assert kind_of(tmp_path / name) is kind


def test_a_lock_is_read_by_a_relative_path(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rattler cannot resolve a `file:` requirement beside a lock that a relative path names."""
    used, package = plain("1.0")
    me = "- pypi: ./\n  name: me\n  requires_dist:\n  - 'sub @ file:sub'\n"
    pixi(tmp_path / "pixi.lock", package + me, used=f"{used}\npypi: ./", version=7)
    monkeypatch.chdir(tmp_path)
    assert "no difference" in call("pixi.lock", "pixi.lock")


@pytest.mark.parametrize("environment", ["default", "noetic"])
def test_a_real_lock_is_read_as_rattler_reads_it(environment: str, shared_data: Path) -> None:
    from rattler import CondaLockedPackage, LockFile

    path = shared_data / "locks" / "turtlesim-pixi.lock"
    theirs = dict(LockFile.from_path(path).environments())[environment]
    ours = read_snapshot(path, today=dt.date(2026, 11, 1), environment=environment).lock
    assert ours is not None
    for platform in theirs.platforms():
        expected = {
            (item.name, item.version)
            for item in theirs.packages(platform) or []
            if isinstance(item, CondaLockedPackage)
        }
        found = ours.by_platform[platform.name].packages
        assert {(package.name, read_version(package.version)) for package in found} == expected


@pytest.mark.parametrize(
    ("requested", "reasons"), [(">=1.16", []), (">=1.17", ["the manifest requests six (pypi) >=1.17"])]
)
def test_projects_of_the_index_are_held_against_what_is_requested(
    requested: str, reasons: list[str], call: Call, tmp_path: Path
) -> None:
    sides = []
    for name, version in (("old", "1.16.0"), ("new", "1.17.0")):
        url = f"https://files.example.org/packages/x/six-{version}-py2.py3-none-any.whl"
        package = f"- pypi: {url}\n  name: six\n  version: {version}\n"
        sides.append(pixi(tmp_path / name / "pixi.lock", package, used=f"pypi: {url}"))
    wishes = tmp_path / "environment.yml"
    wishes.write_text(f"dependencies:\n- pip:\n  - six{requested}\n")
    (row,) = json.loads(call(*sides, "--json", "--requested-before", wishes))["changes"]
    assert (row["requested"], row["forced_by"]) == (True, reasons)
