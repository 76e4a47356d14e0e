"""``cuvee impact``: what an upgrade would change, break and unblock, solved."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

import tiny_index
from cuvee.channel.connection import Connection
from cuvee.cli.main import run
from cuvee.conda.package_record import LockedPackage
from cuvee.errors import UnsolvableError, UsageError
from cuvee.graph import upgrade_impact
from cuvee.lock.model import Lock, PlatformLock
from cuvee.lock.solve import Problem
from cuvee.manifest.model import PlatformEntry, Position, Requirement
from golden import same_as

INDEX = [
    "python 3.11",
    "python 3.12",
    "numpy 1.26: python; blas >=1",
    "numpy 2.1: python; blas >=1; simd",
    "pandas 2.0: numpy <2",
    "pandas 2.3: numpy >=2",
    "old 1: numpy <2; helper",
    "old 0.9",
    "helper 1",
    "simd 1",
    "blas 1",
    "tool 1: numpy >=1",
    "tool 2: numpy >=2",
]


@pytest.fixture
def release(tmp_path: Path) -> list[str]:
    """Return the manifest and options of a release that was locked when `blas 2` was not there yet."""
    folder = tmp_path / "channel"
    tiny_index.write_index(folder, map(tiny_index.entry, INDEX))
    packages = 'python: "3.11.*"\nnumpy: "1.26.*"\npandas: "*"\nold: "*"\ntool: "*"'
    manifest = tiny_index.write_manifest(tmp_path, folder, packages)
    options = [str(manifest), "--dist", str(tmp_path / "dist"), "--cache", str(tmp_path / "cache"), "-q"]
    assert run(["lock", *options]) == 0
    tiny_index.write_index(folder, map(tiny_index.entry, [*INDEX, "blas 2"]))
    return options


def asked(
    release: list[str], wanted: str, capsys: pytest.CaptureFixture[str], code: int = 0
) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["impact", wanted, *release, "--json"]) == code
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def kinds(changes: list[dict[str, Any]]) -> dict[str, str]:
    return {change["package"]: change["kind"] for change in changes}


@pytest.mark.parametrize("wanted", ["numpy", "numpy=2.1", "NumPy>=2"])
def test_an_upgrade_moves_only_what_must(
    release: list[str], wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = asked(release, wanted, capsys)
    assert found["possible"]
    assert kinds(found["changes"]) == {
        "numpy": "upgraded",
        "pandas": "upgraded",
        "old": "downgraded",
        "helper": "removed",
        "simd": "added",
    }, "blas and tool stay, though newer ones are there"
    assert kinds(found["unblocked"]) == {"pandas": "upgraded", "tool": "upgraded"}
    assert kinds(found["held_back"]) == {"old": "downgraded", "helper": "removed"}


def test_what_is_not_of_the_blessed_set_can_be_upgraded(
    release: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = asked(release, "blas", capsys)
    assert [(item["package"], item["before"], item["after"]) for item in found["changes"]] == [
        ("blas", "1", "2")
    ]
    assert not found["changes"][0]["requested"]


def test_an_impossible_one_says_why_and_what_to_change(
    release: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = asked(release, "pandas=2.3", capsys, code=1)
    assert not found["possible"]
    (conflict,) = found["conflict"]["conflicts"]
    assert {member["name"] for member in conflict["subsets"][0]["members"]} == {"pandas", "numpy"}
    edits = [edit for suggestion in conflict["suggestions"] for edit in suggestion["edits"]]
    assert {edit["key"] for edit in edits} == {"packages.numpy"}, "what was asked for is left as it is"
    assert edits[0]["after"] == "2.1.*"


def test_in_words(release: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    text = ""
    for wanted in ("numpy", "blas", "pandas", "numpy=1.26"):
        run(["impact", wanted, *release])
        text += f"$ cuvee impact {wanted}\n{capsys.readouterr().out}"
    same_as(Path(__file__).parent / "answers" / "impact.txt", text.replace(str(tmp_path), "…"))


def test_a_name_that_is_not_there(release: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["impact", "nunpy", *release]) == 2
    assert 'did you mean "numpy"?' in capsys.readouterr().err
    assert run(["impact", "a b", *release]) == 2
    assert asked(release, "helper=9", capsys, code=1)["conflict"] is not None


def test_nothing_is_written(release: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "dist").rglob("*") if path.is_file()}
    asked(release, "numpy", capsys)
    asked(release, "pandas=2.3", capsys, code=1)
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "dist").rglob("*") if path.is_file()}
    assert after == before


def test_what_was_made_for_the_release_has_no_other_version() -> None:
    entry = PlatformEntry(name="linux-64", floor={})
    place = Position(file=Path("tiny/2026.11.0.yaml"), line=9, column=3)
    asked_for = Requirement(name="tqdm", platforms=("linux-64",), position=place)
    made = LockedPackage(
        name="tqdm",
        version="4.0",
        build="0",
        build_number=0,
        platform="linux-64",
        subdir="noarch",
        url="channel/noarch/tqdm-4.0-0.conda",
        channel="channel",
        sha256="0" * 64,
    )
    lock = Lock(platforms=(PlatformLock(platform="linux-64", packages=(made,), virtual_packages=()),))

    def refuse(*args: object, **kwargs: object) -> Lock:
        raise UnsolvableError("no solution")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upgrade_impact, "solve", refuse)
        with pytest.raises(UsageError, match="tqdm was made for this release"):
            upgrade_impact.impact(
                "tqdm",
                problem=Problem(platforms=(entry,), requirements=(asked_for,)),
                lock=lock,
                positions={},
                connection=cast("Connection", None),
            )
