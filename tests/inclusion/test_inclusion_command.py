"""``cuvee inclusion`` of packages from channels, which are only an index here."""

import json
from pathlib import Path
from typing import Any

import pytest

import tiny_index
from cuvee.cli.main import run
from tiny_index import Entry

INDEX = [
    "python 3.11",
    "numpy 1.26: python; blas >=1",
    "numpy 2.1: python; blas >=1",
    "blas 1",
    "pandas 2.0: numpy >=1; tz",
    "tz 1",
    "old 1: numpy <1",
    "older 1: numpy <2",
    "num-py 1",
]
OWNERS = "owners: {core: {contact: core@example.org, accepts: {pandas: 2026-11-20}}}\n"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    folder = tmp_path / "channel"
    tiny_index.write_index(folder, map(tiny_index.entry, INDEX))
    return tiny_index.write_manifest(
        tmp_path, folder, 'python: "*"\nnumpy: {version: "*", owner: core}', more=OWNERS
    )


@pytest.fixture
def options(manifest: Path, tmp_path: Path) -> list[str]:
    return [str(manifest), "--dist", str(tmp_path / "dist"), "--cache", str(tmp_path / "cache"), "-q"]


def checked(
    name: str, options: list[str], capsys: pytest.CaptureFixture[str], code: int = 0, *more: str
) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["inclusion", name, *options, "--json", *more]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return {**found, "items": {item["identifier"]: item for item in found["items"]}}


def test_what_a_package_adds_and_that_nothing_is_written(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = checked("pandas", options, capsys, 0, "--owner", "core")
    assert found["accepted"]
    assert [item["name"] for item in found["adds"]["linux-64"]["packages"]] == ["pandas", "tz"]
    states = {name: item["state"] for name, item in found["items"].items()}
    assert states["solves"] == states["members"] == states["owner"] == states["name"] == "pass"
    assert states["clobbers"] == states["tests"] == "needs a person", "the index has no archives"
    assert found["items"]["solves"]["binds"]
    assert not (tmp_path / "dist").exists()


def test_a_locked_release_keeps_its_versions(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["lock", *options]) == 0
    tiny_index.write_index(
        tmp_path / "channel", map(tiny_index.entry, [*INDEX, "numpy 2.2: python; blas >=1"])
    )
    assert not checked("pandas", options, capsys)["items"]["members"]["evidence"]
    found = checked("older", options, capsys)["items"]["members"]
    assert (found["state"], found["evidence"]) == ("fail", ["downgraded numpy 2.1 → 1.26 on linux-64"])


def test_a_package_that_does_not_go_with_the_set_is_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = checked("old", options, capsys, 1)
    assert found["items"]["solves"]["state"] == "fail"
    assert not found["accepted"]
    assert "old cannot come in: solves" in found["headline"]


def test_a_name_like_that_of_a_member_is_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked("num-py", options, capsys, 1)["items"]["name"]["state"] == "fail"


def test_a_member_is_checked_as_if_it_were_new(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = checked("numpy", options, capsys)
    assert [item["name"] for item in found["adds"]["linux-64"]["packages"]] == ["numpy", "blas"]
    assert found["items"]["owner"]["state"] == "needs a person", "core has not agreed to own numpy"


def test_a_version_can_be_named(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert checked("numpy=1.26", options, capsys)["versions"] == {"linux-64": "1.26 0"}
    assert checked("numpy>=3", options, capsys, 1)["items"]["solves"]["state"] == "fail"


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        ("pnadas", "have no pnadas, and it takes nothing from the Python index", "Did you mean pandas?"),
        ("Pan_das", "have no pan_das", "Did you mean pandas?"),
        ("pandas==", "'pandas==' is not NAME or NAME=VERSION", "For example"),
        ("__glibc", "'__glibc' is not NAME or NAME=VERSION", "For example"),
        ("pandas --owner cor", "has no owner 'cor'", "Did you mean core?"),
        ("pandas --html --markdown", "Only one of", "Run the command once"),
    ],
)
def test_what_cannot_be_checked(
    arguments: str, message: str, hint: str, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["inclusion", *arguments.split(), *options]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert hint in said


def test_a_set_without_a_solution_is_told_as_such(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_index.write_index(tmp_path / "channel", map(tiny_index.entry, ["pandas 2.0", "python 3.11"]))
    assert run(["inclusion", "pandas", *options]) == 1
    assert "no channel has numpy" in capsys.readouterr().err


def test_errata_of_the_distribution_are_compared(
    manifest: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = manifest.parent.parent / "errata"
    folder.mkdir()
    (folder / "publisher.yaml").write_text("name: Tiny\nurl: https://example.org/errata\n")
    (folder / "tiny-2026-1.yaml").write_text(
        "number: tiny-2026-1\ndistribution: tiny\ntitle: Wrong zones\nseverity: high\ndate: 2026-11-01\n"
        "summary: They are wrong.\npackages: {tz: {affected: '<2'}}\naffected-releases: ['2026.10.0']\n"
    )
    item = checked("pandas", options, capsys, 1)["items"]["errata"]
    assert item["evidence"] == ["tiny-2026-1: tz 1: Wrong zones"]


@pytest.mark.parametrize("form", ["--markdown", "--html", ""])
def test_the_same_in_other_forms(form: str, options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inclusion", "num-py", *options, *filter(None, [form])]) == 1
    said = capsys.readouterr().out
    assert "num-py cannot come in: name" in said.replace("\\", "")
    if form == "--html":
        assert said.startswith("<!DOCTYPE html>")
        assert "://" not in said.partition("<main")[2]
    elif form == "--markdown":
        assert "- [x] It solves with the set on each platform (binds): on linux-64" in said
        assert "- [ ] Its name cannot be taken for that of a member (binds): **fail**: num-py differs" in said
    else:
        assert "needs a person  tests: not known" in said


def test_text_of_records_ends_no_block(
    tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    entries = [*map(tiny_index.entry, INDEX), Entry(name="evil", version="1", depends=("numpy <1",))]
    tiny_index.write_index(tmp_path / "channel", entries)
    path = tmp_path / "channel" / "noarch" / "repodata.json"
    data = json.loads(path.read_text())
    data["packages.conda"]["evil-1-0.conda"] |= {"depends": [], "license": "</code><script>```\n# x"}
    path.write_text(json.dumps(data))
    assert run(["inclusion", "evil", *options, "--html"]) == 0
    assert "<script>" not in capsys.readouterr().out
    assert run(["inclusion", "evil", *options, "--markdown"]) == 0
    assert "\n# x" not in capsys.readouterr().out
