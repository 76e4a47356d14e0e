"""Measure the explanation of a conflict on a large release, part by part.

Usage: python benchmarks/explain.py [PACKAGES [VERSIONS]] [--large] [-v]

The channel is generated: each version of a package needs a range of versions of eight others that were
current at its time, which many others need too; a third of the packages has a build per Python. A quarter of
the packages is requested; pins are added that contradict each other in different ways.

With ``--large`` the channel is one of `generated_channel.py` with 300,000 records, of which 40 names are
requested, twelve of them in an old or a new version, so that they conflict in some 20 to 30 places.
"""

import random
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from cuvee.channel.connection import connect
from cuvee.files import sha256_bytes, write_json
from cuvee.graph.explain import explain, message
from cuvee.graph.explain.lock_explainer import fast_solver, query_channels
from cuvee.lock.model import Lock
from cuvee.lock.solve import Problem
from cuvee.manifest.model import PlatformEntry, Position, Requirement

PYTHONS = ("3.11", "3.12", "3.13")
HERE = Path("large/2026.11.0.yaml")


def channel(folder: Path, packages: int, versions: int) -> Path:
    """Write the channel."""
    records: dict[str, dict[str, object]] = {}
    for python in PYTHONS:
        records |= _record("python", f"{python}.5", "0", ("__glibc >=2.17",))
    for number in range(packages):
        # Most need what many need: low numbers are the libraries of the many.
        others = {number * step * step // 100 for step in range(1, 9)} - {number}
        for version in range(versions):
            needs = [f"p{other} >=1.{max(version - 2, 0)},<1.{version + 3}" for other in sorted(others)]
            for build, python in enumerate(PYTHONS if number % 3 == 0 else ("",)):
                pinned = [f"python >={python},<3.{int(python[2:]) + 1}.0a0"] if python else ["python"]
                records |= _record(f"p{number}", f"1.{version}", f"b{build}", tuple(pinned + needs))
    for subdir, found in (("linux-64", records), ("noarch", {})):
        write_json(
            folder / subdir / "repodata.json",
            {"info": {"subdir": subdir}, "packages": {}, "packages.conda": found, "repodata_version": 1},
        )
    print(f"{len(records):,} records of {packages + 1:,} packages")
    return folder


def _record(name: str, version: str, build: str, depends: tuple[str, ...]) -> dict[str, dict[str, object]]:
    file = f"{name}-{version}-{build}.conda"
    value = {
        "name": name,
        "version": version,
        "build": build,
        "build_number": 0,
        "subdir": "linux-64",
        "depends": list(depends),
        "sha256": sha256_bytes(file.encode()),
        "size": 1,
        "timestamp": 1_700_000_000_000,
    }
    return {file: value}


def requirement(name: str, version: str, line: int) -> Requirement:
    """Return a line of the manifest."""
    position = Position(file=HERE, line=line, column=3)
    return Requirement(name=name, version=version, platforms=("linux-64",), position=position)


def main(packages: int, versions: int) -> None:
    """Time each conflict."""
    with tempfile.TemporaryDirectory() as name:
        folder = channel(Path(name) / "channel", packages, versions)
        last = versions - 1
        conflicts = {
            "an old pin of what many need": {
                f"p{packages // 20}": "==1.0",
                f"p{packages - 1}": f"==1.{last}",
            },
            "a pin that nothing has": {f"p{packages // 2}": "==9.9"},
            "three pins in three places": {
                f"p{packages // 4}": "==1.0",
                f"p{packages // 2}": f"==1.{last}",
                f"p{packages - 2}": f"==1.{last // 2}",
            },
            "another Python, and ten pins": {"python": "3.14.*"}
            | {f"p{number}": "==1.0" for number in range(5, 15)},
            "ranges everywhere, and an old pin": {
                f"p{packages // 20}": "==1.0",
                f"p{packages - 1}": f"==1.{last}",
            },
        }
        for title, pins in conflicts.items():
            every = ">=1.0" if "ranges" in title else "*"
            stated = {f"p{number}": every for number in range(0, packages, 4)} | {"python": "*"} | pins
            problem = Problem(
                platforms=(PlatformEntry(name="linux-64", floor={"glibc": "2.28"}),),
                requirements=tuple(
                    requirement(name, version, line)
                    for line, (name, version) in enumerate(stated.items(), 10)
                ),
                channels=(str(folder),),
            )
            _time(title, problem, Path(name) / "cache")


def large(records: int, pins: int, seed: int) -> None:
    """Time names of a large channel that conflict in many places."""
    from generated_channel import Channel

    found: dict[str, dict[str, dict[str, object]]] = {"linux-64": {}, "noarch": {}}
    known: dict[str, list[str]] = {}
    for entry in Channel(1).records(records):
        file = f"{entry['name']}-{entry['version']}-{entry['build']}.conda"
        found[entry["subdir"]][file] = entry | {"sha256": sha256_bytes(file.encode())}
        versions = known.setdefault(entry["name"], [])
        versions += [entry["version"]] * (entry["version"] not in versions)
    names = [name for name, versions in known.items() if name.startswith("pkg") and len(versions) > pins]
    chosen = sorted(random.Random(seed).sample([name for name in names if "-" not in name], 40))  # noqa: S311
    stated = dict.fromkeys(chosen, "*")
    for number, name in enumerate(chosen[:pins]):
        stated[name] = f"=={known[name][len(known[name]) // 4 if number % 2 else -2]}"
    with tempfile.TemporaryDirectory() as folder:
        for subdir, packages in found.items():
            document = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": packages}
            write_json(Path(folder) / "channel" / subdir / "repodata.json", document)
        problem = Problem(
            platforms=(PlatformEntry(name="linux-64", floor={"glibc": "2.28"}),),
            requirements=tuple(requirement(*item, line) for line, item in enumerate(stated.items(), 10)),
            channels=(str(Path(folder) / "channel"),),
        )
        _time(f"40 names of {records:,} records, {pins} of them pinned", problem, Path(folder) / "cache")


def _time(title: str, problem: Problem, cache: Path) -> None:
    connection = connect(cache)
    first = _now()
    answer = fast_solver(connection)(problem)
    assert isinstance(answer, str), "rattler has a solution"
    second = _now()
    found = query_channels(problem, {}, connection)
    third = _now()
    asked: list[Problem] = []

    def counting(question: Problem) -> Lock | str:
        asked.append(question)
        return fast_solver(connection)(question)

    explanation = explain(problem, found, fast_solver=counting, solver_text=answer)
    end = _now()
    assert explanation is not None
    subsets = [mus for conflict in explanation.conflicts for mus in conflict.subsets]
    suggestions = sum(len(conflict.suggestions) for conflict in explanation.conflicts)
    names = {name for item in found for index in item.channels for name in index.names}
    print(
        f"{title}: {len(names):,} packages, {len(explanation.conflicts)} conflicts, {len(subsets)} subsets, "
        f"{suggestions} suggestions, rattler asked {len(asked)} times more"
    )
    for part, start, stop in (
        ("rattler refuses", first, second),
        ("fetching", second, third),
        ("explaining", third, end),
    ):
        print(f"  {part:18} {stop[0] - start[0]:6.2f} s, of processors {stop[1] - start[1]:6.2f} s")
    if "-v" in sys.argv:
        print(message(replace(explanation)))


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


if __name__ == "__main__":
    if "--large" in sys.argv:
        large(300_000, 12, 1)
        sys.exit()
    numbers = [int(text) for text in sys.argv[1:] if text.isdigit()]
    main(*(numbers + [1_600, 20][len(numbers) :]))
