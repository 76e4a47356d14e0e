"""Locks of projects in the cache: they are of the specs and the repodata of today, or solved anew."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from constructing import Read
from cuvee.channel.connection import connect
from cuvee.installers.constructor.kept_locks import SolvedProject, kept_or_solved
from cuvee.installers.constructor.model import Project
from cuvee.lock.model import PlatformLock
from heard_warnings import HeardWarnings
from tiny_index import entry, write_index

Solve = Callable[[Project], tuple[SolvedProject, bool]]


@pytest.fixture
def heard() -> HeardWarnings:
    return HeardWarnings()


@pytest.fixture
def project(read: Read, tmp_path: Path) -> Project:
    write_index(tmp_path / "channel", [entry("python 3.11.7")], platforms=("linux-64",))
    found = read()
    return replace(found, packages=replace(found.packages, channels=(str(tmp_path / "channel"),)))


@pytest.fixture
def solve(tmp_path: Path, heard: HeardWarnings) -> Solve:
    """Return the solution of a project, and whether it was solved now."""
    cache = tmp_path / "cache"

    def call(project: Project) -> tuple[SolvedProject, bool]:
        solved: list[SolvedProject] = []

        def anew() -> SolvedProject:
            lock = PlatformLock(platform=project.platform, packages=(), virtual_packages=())
            solved.append(SolvedProject(lock=lock, added="a decoder is added"))
            return solved[-1]

        found = kept_or_solved(project, anew, cache=cache, connection=connect(cache, heard), reporter=heard)
        return found, bool(solved)

    return call


def test_the_same_is_solved_once(project: Project, solve: Solve) -> None:
    first, anew = solve(project)
    assert anew
    assert solve(project) == (first, False)


def test_what_decides_a_lock_has_it_solved_again(project: Project, solve: Solve, tmp_path: Path) -> None:
    solve(project)
    packages = project.packages
    for changed in (
        replace(project, platform="linux-aarch64"),
        replace(project, packages=replace(packages, specs=("python <3.12",))),
        replace(project, packages=replace(packages, floor={"glibc": "2.17"})),
        replace(project, packages=replace(packages, channels=(*packages.channels, *packages.channels))),
    ):
        assert solve(changed)[1]
        assert not solve(changed)[1]
    write_index(tmp_path / "channel", [entry("python 3.11.8")], platforms=("linux-64",))
    assert solve(project)[1]


def test_what_does_not_decide_a_lock_does_not(project: Project, solve: Solve) -> None:
    first, _ = solve(project)
    assert solve(replace(project, version="2", formats=("sh",))) == (first, False)


def test_a_damaged_lock_is_not_used(
    project: Project, solve: Solve, tmp_path: Path, heard: HeardWarnings
) -> None:
    first, _ = solve(project)
    (path,) = (tmp_path / "cache" / "solved").iterdir()
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    assert solve(project) == (first, True)
    assert str(path) in heard.lines[0]
    assert solve(project) == (first, False)
