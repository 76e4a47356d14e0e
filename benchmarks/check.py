"""Measure the checks of metadata on a large pinned set, next to a solve of the same set.

    python benchmarks/check.py [--packages 1000] [--solve]

The set is generated, with the shape of conda-forge: two packages in five are noarch, each has nine
dependencies with bounds, some constrain others, and all need a C library. It is the same set on five
platforms, except for build strings. ``--solve`` writes it as channels, and rattler solves it per platform.

The time is that of a run on a lock in memory, with libraries loaded.
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cuvee.conda.package_record import LockedPackage
from cuvee.conda.virtual_packages import virtual_packages
from cuvee.graph.checks import ALL_CHECKS, run_checks
from cuvee.graph.release_graph import build_graph, forget_matches
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.model import (
    Installers,
    Manifest,
    Owner,
    PlatformEntry,
    Position,
    ReleaseVersion,
    Requirement,
)
from cuvee.platforms import DEFAULT_FLOOR, PLATFORMS

T = TypeVar("T")
EDGES = 9
CHANNEL = "https://conda.example.org/bench"
HERE = Position(file=Path("bench/2026.11.0.yaml"), line=1, column=1)
LICENSES = (
    "MIT",
    "BSD-3-Clause",
    "BSD 3-Clause",
    "Apache-2.0 OR MIT",
    "LGPL-2.1-or-later",
    "PSF-2.0 AND MIT",
)


def made_up(packages: int) -> Lock:
    """Make the set: package N depends on packages before it."""
    return Lock(platforms=tuple(platform_lock(name, packages) for name in PLATFORMS))


def platform_lock(platform: str, packages: int) -> PlatformLock:
    choose = random.Random(1)  # noqa: S311 - the same set on each platform and in each run
    floor = DEFAULT_FLOOR[PLATFORMS[platform].system]
    versions = [
        f"{choose.randint(0, 30)}.{choose.randint(0, 20)}.{choose.randint(0, 9)}" for _ in range(packages)
    ]
    made = []
    for number in range(packages):
        below = choose.sample(range(number), min(number, EDGES))
        is_noarch = choose.random() < 0.4  # noqa: PLR2004
        depends = [bounded(target, versions[target], choose) for target in below]
        constrained = choose.randrange(packages)
        name = f"package-{number:04}"
        build = "pyh0_0" if is_noarch else f"h{platform.encode().hex()[:7]}_0"
        subdir = "noarch" if is_noarch else platform
        made.append(
            LockedPackage(
                name=name,
                version=versions[number],
                build=build,
                build_number=0,
                platform=platform,
                subdir=subdir,
                url=f"{CHANNEL}/{subdir}/{name}-{versions[number]}-{build}.conda",
                channel=CHANNEL,
                sha256=f"{number:064x}",
                md5=f"{number:032x}",
                size=1000,
                timestamp=1_700_000_000_000,
                depends=tuple(depends),
                constrains=(bounded(constrained, versions[constrained], choose),),
                license=choose.choice(LICENSES),
                noarch="python" if is_noarch else None,
            )
        )
    return PlatformLock(
        platform=platform, packages=tuple(made), virtual_packages=virtual_packages(platform, floor)
    )


def bounded(target: int, version: str, choose: random.Random) -> str:
    """Return a match spec that the target meets, in one of the usual forms."""
    major, minor, _ = version.split(".")
    return f"package-{target:04} " + choose.choice(
        (
            f">={version}",
            f">={version},<{int(major) + 1}.0a0",
            f"{major}.{minor}.*",
            f">={major}.{minor},<{int(major) + 1}",
            f"{version}",
        )
    )


def manifest_of(lock: Lock) -> Manifest:
    """Ask for one package in ten, each with an owner."""
    platforms = tuple(lock.by_platform)
    names = [item.name for item in lock.platforms[0].packages][::10]
    return Manifest(
        path=HERE.file,
        distribution="bench",
        version=ReleaseVersion(2026, 11, 0),
        title="Bench",
        platforms=tuple(PlatformEntry(name=name, floor={}) for name in platforms),
        channels=(CHANNEL,),
        packages=tuple(
            Requirement(name=name, owner="core", platforms=platforms, position=HERE) for name in names
        ),
        installers=Installers(formats={}),
        owners=(Owner(name="core", contact="core@example.org"),),
    )


def timed(what: str, work: Callable[[], T], *, times: int = 3) -> tuple[float, T]:
    """Return the best processor time of a few runs, each without what the one before has learned."""
    best, wall, result = float("inf"), float("inf"), None
    for _ in range(times):
        forget_matches()
        start, begin = time.process_time(), time.perf_counter()
        result = work()
        best, wall = min(best, time.process_time() - start), min(wall, time.perf_counter() - begin)
    assert result is not None
    print(f"{what:<58}{best:8.3f} s of processor, {wall:.3f} s of wall time")
    return best, result


def solve(lock: Lock) -> float:
    """Write the set as a channel, and let rattler solve for it on each platform."""
    from cuvee.channel.connection import connect
    from cuvee.lock.solve import Problem
    from cuvee.lock.solve import solve as solving

    with tempfile.TemporaryDirectory() as folder:
        channel = Path(folder, "channel")
        subdirs: dict[str, dict[str, object]] = {name: {} for name in (*lock.by_platform, "noarch")}
        for platform in lock.platforms:
            for item in platform.packages:
                subdirs[item.subdir][item.file_name] = {
                    "name": item.name, "version": item.version, "build": item.build, "build_number": 0,
                    "subdir": item.subdir, "depends": item.depends, "constrains": item.constrains,
                    "sha256": item.sha256, "md5": item.md5, "size": item.size, "license": item.license,
                    **({"noarch": item.noarch} if item.noarch else {}),
                }  # fmt: skip
        for name, records in subdirs.items():
            (channel / name).mkdir(parents=True)
            text = json.dumps({"info": {"subdir": name}, "packages": {}, "packages.conda": records})
            (channel / name / "repodata.json").write_text(text, encoding="utf-8")
        problem = Problem(
            platforms=tuple(
                PlatformEntry(name=name, floor=DEFAULT_FLOOR[PLATFORMS[name].system])
                for name in lock.by_platform
            ),
            requirements=tuple(
                Requirement(name=item.name, platforms=tuple(lock.by_platform), position=HERE)
                for item in lock.platforms[0].packages
            ),
            own_channel=channel,
        )
        connection = connect(Path(folder, "cache"))
        solving(problem, connection)  # repodata is read once, and kept
        return timed("a rattler solve of the same set", lambda: solving(problem, connection))[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=int, default=1000)
    parser.add_argument("--solve", action="store_true")
    wanted = parser.parse_args()
    lock = made_up(wanted.packages)
    manifest = manifest_of(lock)
    run_checks(build_graph(manifest, Lock(platforms=lock.platforms[:1])), ALL_CHECKS)
    edges = sum(len(item.depends) for platform in lock.platforms for item in platform.packages)
    print(f"{wanted.packages} packages on {len(lock.platforms)} platforms, {edges:,} dependencies")
    _, graph = timed("the graph, every dependency matched", lambda: build_graph(manifest, lock))
    took, results = timed(
        "all checks, with the graph", lambda: run_checks(build_graph(manifest, lock), ALL_CHECKS)
    )
    for check in ALL_CHECKS:
        start = time.process_time()
        run_checks(graph, [check])
        spent = time.process_time() - start
        if spent > 0.001:  # noqa: PLR2004 - what is worth a line
            print(f"  {check.identifier:<56}{spent:8.3f} s")
    assert not any(result.findings for result in results), "the set is meant to be good"
    if wanted.solve:
        print(f"checking takes 1/{solve(lock) / took:.1f} of a solve")


if __name__ == "__main__":
    main()
