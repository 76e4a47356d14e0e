import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from rattler import LockFile

import tiny_index
from checked_sets import manifest_of
from cuvee.channel.connection import connect
from cuvee.errors import BlockedError, SourceUnreachableError, UsageError
from cuvee.lock.lock_exports import explicit
from cuvee.lock.model import Lock
from cuvee.lock.pixi_lock import read_lock, write_lock
from cuvee.lock.solve import Problem, problem_of, solve
from cuvee.manifest.model import Manifest, PlatformEntry, Position, Requirement

PLATFORMS = ("linux-64", "win-64")
OWN = "https://example.org/tiny-2026.11.0/channel"


def requirement(name: str, version: str = "*", line: int = 1) -> Requirement:
    position = Position(file=Path("tiny/2026.11.0.yaml"), line=line, column=3)
    return Requirement(name=name, version=version, platforms=PLATFORMS, position=position)


@pytest.fixture
def problem(channel_folder: Path) -> Problem:
    return Problem(
        platforms=(
            PlatformEntry(name="linux-64", floor={"glibc": "2.28", "linux": "4.18"}),
            PlatformEntry(name="win-64", floor={"win": "10"}),
        ),
        requirements=(requirement("python", "3.11.*"), requirement("top")),
        own_channel=channel_folder,
    )


def solved(problem: Problem, tmp_path: Path) -> Lock:
    return solve(problem, connect(tmp_path / "cache"))


def names(lock: Lock, platform: str) -> list[str]:
    return [package.stem for package in lock.by_platform[platform].packages]


def test_solves_every_platform_from_the_own_channel(problem: Problem, tmp_path: Path) -> None:
    lock = solved(problem, tmp_path)
    assert names(lock, "linux-64") == ["base-1.5-py_0", "python-3.11.7-0", "top-1.0-py_0"]
    assert names(lock, "win-64") == names(lock, "linux-64")
    top = lock.by_platform["win-64"].by_name["top"]
    assert top.is_local
    assert top.url == "channel/noarch/top-1.0-py_0.conda"
    assert top.identifier == "top-1.0-py_0@win-64"


def test_lock_round_trip_gives_the_same_lock_and_bytes(problem: Problem, tmp_path: Path) -> None:
    lock = solved(problem, tmp_path)
    path = tmp_path / "release" / "lock" / "pixi.lock"
    write_lock(lock, path, channels=(), own_channel=OWN)
    first = path.read_bytes()
    assert str(tmp_path).encode() not in first
    assert read_lock(path) == lock
    write_lock(solved(problem, tmp_path), path, channels=(), own_channel=OWN)
    assert path.read_bytes() == first
    environment = LockFile.from_path(path).default_environment()
    assert environment is not None
    assert len(environment.platforms()) == 2


def test_explicit_lists_every_package_with_its_hash(problem: Problem, tmp_path: Path) -> None:
    lock = solved(problem, tmp_path).by_platform["linux-64"]
    lines = explicit(lock, release_name="tiny-2026.11.0").splitlines()
    urls = lines[lines.index("@EXPLICIT") + 1 :]
    assert urls == [f"./{package.url}#{package.md5}" for package in lock.packages]
    for url in urls:
        assert (tmp_path / "release" / url.partition("#")[0]).is_file()


def test_exclude_newer_solves_as_of_a_date(problem: Problem, tmp_path: Path) -> None:
    then = dt.datetime.fromtimestamp(1_700_000_000 + 5 * 86_400, tz=dt.UTC)
    lock = solved(replace(problem, exclude_newer=then), tmp_path)
    assert "base-1.0-py_0" in names(lock, "linux-64")


def test_constraint_holds_without_being_installed(problem: Problem, tmp_path: Path) -> None:
    constrained = replace(problem, constraints=(requirement("base", "<1.5"), requirement("absent", ">9")))
    assert names(solved(constrained, tmp_path), "linux-64")[0] == "base-1.0-py_0"


def test_a_point_release_keeps_what_nothing_moves(problem: Problem, tmp_path: Path) -> None:
    problem = replace(problem, channels=(str(problem.own_channel),), own_channel=None)
    older = solved(replace(problem, constraints=(requirement("base", "<1.5"),)), tmp_path)
    assert solved(replace(problem, keep=older), tmp_path) == older
    moved = replace(problem, keep=older, constraints=(requirement("base", ">=1.5"),))
    assert names(solved(moved, tmp_path), "linux-64")[0] == "base-1.5-py_0"


def test_what_recipes_make_is_taken_in_place_of_newer_packages_of_channels(tmp_path: Path) -> None:
    theirs = tiny_index.write_index(tmp_path / "theirs", map(tiny_index.entry, ("made 2.0", "other 2.0")))
    own = tiny_index.write_index(tmp_path / "own", [tiny_index.entry("made 1.0")])
    linux = (PlatformEntry(name="linux-64", floor={"glibc": "2.28"}),)
    manifest = replace(
        manifest_of(requirement("made"), requirement("other")), platforms=linux, channels=(str(theirs),)
    )

    def locked(
        manifest: Manifest, keep: Lock | None = None, built: Mapping[str, Mapping[str, str]] | None = None
    ) -> Lock:
        problem = problem_of(manifest, platforms=["linux-64"], own_channel=own, keep=keep, built=built or {})
        return solved(problem, tmp_path)

    before = locked(manifest)
    assert names(before, "linux-64") == ["made-2.0-0", "other-2.0-0"]
    after = locked(
        replace(manifest, recipes=("made",)), keep=before, built={"noarch": {"made": "made ==1.0 0"}}
    )
    assert names(after, "linux-64") == ["made-1.0-0", "other-2.0-0"]
    assert after.by_platform["linux-64"].by_name["made"].is_local


def test_a_newer_noarch_wheel_is_taken_only_where_its_recipe_was_not_built(
    problem: Problem, tmp_path: Path
) -> None:
    built = tiny_index.entry("made 1.0", subdir="linux-64", build="h1_0")
    own = tiny_index.write_index(tmp_path / "own", [tiny_index.entry("made 2.0"), built], platforms=PLATFORMS)
    manifest = replace(
        manifest_of(requirement("made")), platforms=problem.platforms, channels=(), recipes=("made",)
    )
    specs = {"linux-64": {"made": "made ==1.0 h1_0"}}
    lock = solved(problem_of(manifest, platforms=PLATFORMS, own_channel=own, built=specs), tmp_path)
    assert names(lock, "linux-64") == ["made-1.0-h1_0"]
    assert names(lock, "win-64") == ["made-2.0-0"]


@pytest.fixture
def corrected(tmp_path: Path) -> Callable[..., tuple[Problem, Lock]]:
    """Return a function that changes a channel after a base was locked from it; give problem and base."""

    def change(*after: str, asked: str = "book") -> tuple[Problem, Lock]:
        before = ["book 7.0: lab >=4,<5", "book 6.9: lab >=4,<4.1", "lab 4.0", "lab 4.1"]
        channel = tiny_index.write_index(tmp_path / "index", map(tiny_index.entry, before))
        problem = Problem(
            platforms=(PlatformEntry(name="linux-64", floor={"glibc": "2.28"}),),
            requirements=(requirement(asked),),
            channels=(str(channel),),
        )
        base = solve(problem, connect(tmp_path / "cache"))
        assert names(base, "linux-64") == ["book-7.0-0", "lab-4.1-0"]
        tiny_index.write_index(channel, map(tiny_index.entry, after))
        return replace(problem, keep=base), base

    return change


def test_a_point_release_takes_what_the_channel_has_corrected(
    corrected: Callable[..., tuple[Problem, Lock]], tmp_path: Path
) -> None:
    problem, _ = corrected("book 7.0: lab >=4,<4.1.0a0", "book 6.9: lab >=4,<4.1", "lab 4.0", "lab 4.1")
    lock = solved(problem, tmp_path)
    assert names(lock, "linux-64") == ["book-7.0-0", "lab-4.0-0"]
    assert lock.by_platform["linux-64"].by_name["book"].depends == ("lab >=4,<4.1.0a0",)


def test_a_point_release_keeps_a_version_whose_correction_changes_nothing_for_it(
    corrected: Callable[..., tuple[Problem, Lock]], tmp_path: Path
) -> None:
    problem, _ = corrected("book 8.0: lab", "book 7.0: lab >=4.1,<5", "lab 4.1", "lab 4.2")
    assert names(solved(problem, tmp_path), "linux-64") == ["book-7.0-0", "lab-4.1-0"]


@pytest.mark.parametrize(
    "gone",
    [
        ("book 6.9: lab >=4,<5", "lab 4.1"),
        ("book 7.0: lab >=4,<5; package_has_been_revoked", "book 6.9: lab >=4,<5", "lab 4.1"),
    ],
)
def test_a_point_release_does_not_keep_what_the_channel_has_withdrawn(
    corrected: Callable[..., tuple[Problem, Lock]], tmp_path: Path, gone: tuple[str, ...]
) -> None:
    problem, _ = corrected(*gone)
    assert names(solved(problem, tmp_path), "linux-64") == ["book-6.9-0", "lab-4.1-0"]


def test_a_point_release_does_not_keep_an_archive_that_was_replaced(
    corrected: Callable[..., tuple[Problem, Lock]], tmp_path: Path
) -> None:
    problem, base = corrected("book 7.0: lab >=4,<5", "lab 4.1")
    index = Path(problem.channels[0]) / "noarch" / "repodata.json"
    old = base.by_platform["linux-64"].by_name["book"].sha256
    index.write_text(index.read_text().replace(old, "ab" * 32))
    assert solved(problem, tmp_path).by_platform["linux-64"].by_name["book"].sha256 == "ab" * 32


def test_a_pin_that_no_channel_has_names_line_and_nearest_versions(problem: Problem, tmp_path: Path) -> None:
    wrong = replace(problem, requirements=(*problem.requirements, requirement("base", "==1.7", line=12)))
    with pytest.raises(BlockedError) as caught:
        solved(wrong, tmp_path)
    assert (
        "tiny/2026.11.0.yaml:12:3: no channel has base ==1.7; nearest: 2.0, 1.5, 1.0" in caught.value.message
    )
    assert caught.value.exit_code == 1


def test_a_conflict_names_the_lines_that_ask_for_it(problem: Problem, tmp_path: Path) -> None:
    wrong = replace(problem, requirements=(*problem.requirements, requirement("base", "2.0", line=12)))
    with pytest.raises(BlockedError) as caught:
        solved(wrong, tmp_path)
    assert "base 2.0    tiny/2026.11.0.yaml:12:3" in caught.value.message
    assert "top" in caught.value.message


def test_a_floor_below_a_package_is_a_conflict(problem: Problem, tmp_path: Path) -> None:
    old = replace(problem, platforms=(PlatformEntry(name="linux-64", floor={"glibc": "2.12"}),))
    with pytest.raises(BlockedError, match="__glibc"):
        solved(old, tmp_path)


def test_a_missing_channel_is_named(problem: Problem, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachableError, match="nowhere"):
        solved(replace(problem, channels=(str(tmp_path / "nowhere"),)), tmp_path)


def test_a_broken_lock_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "pixi.lock"
    with pytest.raises(UsageError, match="no lock"):
        read_lock(path)
    path.write_bytes(b"version: 99\n\xff")
    with pytest.raises(SourceUnreachableError, match="cannot be read"):
        read_lock(path)
