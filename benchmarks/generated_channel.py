"""A channel of any size with conda-forge's shape, the same for the same seed.

In brackets is what the real data has: the subset of conda-forge in the shared data (1,911 records of
linux-aarch64, 832 of osx-arm64, 205 of noarch), or the 5,643 records of main and r of 2017. The rest is what
50,000 generated records have.

- 23 records per name; quartiles 3, 8 and 21, a twentieth above 93, at most 600
  [32 per name on linux-aarch64; quartiles 3, 12 and 25, a twentieth above 113, at most 595]
- 4.1 dependencies per record, 3 in the median, 9 for a tenth, 12 for a hundredth
  [4.0 in main, medians 2 and 3, 6 to 10 for a tenth, 11 to 18 for a hundredth]
- 57 % of the dependencies are ranges: libraries that everything is built against are pinned as of the build's
  day, and change their ABI a few times, when packages are rebuilt [53 to 62 %]
- 11 % are exact builds: parts of one build depend on each other [15 to 25 %]
- 32 % are a least version, or only a name [31 % on linux-aarch64; 90 % of noarch]
- 33 % of the records are built for one Python [31 to 44 %], 28 % are noarch
- 20 % constrain what they do not need [19 to 27 %]
- the packages that most others use, 40 in a large channel, have hundreds of records from the first day on, as
  python, numpy and setuptools have
- one loose dependency in 300 asks for what is not there (any more): no channel that we know has none
"""

import json
import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PYTHONS = ("2.7", "3.5", "3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12")
_WINDOW = 4  # Pythons that are built for at a time
_HUBS = 60
_MISSING = 1 / 300
_CONSTRAINED = 0.35

Entry = dict[str, Any]


@dataclass(slots=True)
class _Package:
    """What later packages need to know of one: when which version came out, and the builds of its last."""

    name: str
    times: list[float] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    builds: list[str] = field(default_factory=list)
    is_python: bool = False

    def at(self, time: float) -> str:
        """Return the version that is current at a time."""
        return self.versions[max(bisect_right(self.times, time) - 1, 0)]

    def range_at(self, time: float) -> str:
        major, minor, _ = self.at(time).split(".")
        return f"{self.name} >={self.at(time)},<{major}.{int(minor) + 1}.0a0"


class Channel:
    """Makes records, libraries first, so that whoever depends on something finds it."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a benchmark's data
        self._hubs: list[_Package] = []
        self._packages: list[_Package] = []
        self._number = 0
        self._popular = 0

    def records(self, count: int) -> Iterator[Entry]:
        """Yield about ``count`` records: the last package is whole."""
        made = 0
        self._popular = max(4, min(40, count // 1500))
        for entry in (*self._pythons(max(4, min(35, count // 1500))), *self._libraries(count)):
            made += 1
            yield entry
        while made < count:
            for entry in self._package():
                made += 1
                yield entry

    def _pythons(self, patches: int) -> Iterator[Entry]:
        for place, minor in enumerate(PYTHONS):
            for patch in range(patches):
                time = (place + patch / patches) / len(PYTHONS)
                yield self._entry(
                    "python", f"{minor}.{patch}", f"h{patch}_cpython", 0, time,
                    constrains=[f"python_abi {minor}.* *_cp{minor.replace('.', '')}"],
                )  # fmt: skip
            tag = f"cp{minor.replace('.', '')}"
            yield self._entry("python_abi", minor, f"1_{tag}", 1, place / 9, depends=[f"python {minor}.*"])

    def _libraries(self, count: int) -> Iterator[Entry]:
        most = max(4, min(60, count // 400))
        for index in range(_HUBS):
            package = _Package(f"lib{index:02}")
            series = self._random.randint(2, 5)
            releases = self._random.randint(most // 2, most)
            for release in range(releases):
                time = release / releases
                package.times.append(time)
                package.versions.append(f"1.{int(time * series)}.{release}")
                for number in range(self._random.choice((1, 1, 2, 3))):
                    when = time + number * 0.1
                    depends = [hub.range_at(when) for hub in self._some(self._hubs, 3)]
                    if self._random.random() < 0.3:  # noqa: PLR2004 - as many ask for a C library
                        depends.append("__glibc >=2.17,<3.0.a0")
                    yield self._entry(package.name, package.versions[-1], f"h{number}_{number}", number, when,
                                      depends=depends)  # fmt: skip
            self._hubs.append(package)

    def _package(self) -> Iterator[Entry]:
        """Make a package of one of four kinds, with all its versions and builds."""
        size = max(1, min(600, int(self._random.lognormvariate(2.5, 1.1))))
        self._number += 1
        if self._number <= self._popular:
            size = self._random.randint(100, 600)
        package = _Package(f"pkg{self._number:05}")
        kind = self._random.choices(("noarch", "python", "library", "split"), (30, 40, 15, 15))[0]
        package.is_python = kind in {"noarch", "python"}
        per_version = {"noarch": 1, "python": _WINDOW + 1, "library": 1.5, "split": 3}[kind]
        releases = max(1, round(size / per_version))
        # What everybody uses has been there for long, and has a release for every occasion.
        born = self._random.random() * (0.9 if self._number > self._popular else 0.02)
        friends = [friend for friend in self._some(self._packages, 6) if friend.times[0] <= born]
        libraries = self._some(self._hubs, 8)
        for release in range(releases):
            time = born + (1 - born) * release / releases
            package.times.append(time)
            package.versions.append(f"{release // 10}.{release % 10}.{self._random.randint(0, 3)}")
            yield from getattr(self, f"_{kind}")(package, time, friends, libraries)
        self._packages.append(package)

    def _noarch(
        self, package: _Package, time: float, friends: list[_Package], _: list[_Package]
    ) -> Iterator[Entry]:
        oldest = PYTHONS[max(0, int(time * len(PYTHONS)) - _WINDOW)]
        depends = [
            f"python >={oldest}",
            *(self._loose(friend, time) for friend in friends if friend.is_python),
        ]
        yield self._entry(package.name, package.versions[-1], "pyhd8ed1ab_0", 0, time, depends=depends,
                          subdir="noarch")  # fmt: skip

    def _python(
        self, package: _Package, time: float, friends: list[_Package], libraries: list[_Package]
    ) -> Iterator[Entry]:
        for number in range(self._random.choice((1, 1, 1, 2))):
            when = time + 0.08 * number
            newest = int(when * len(PYTHONS))
            pins = [library.range_at(when) for library in libraries]
            wishes = [self._loose(friend, when) for friend in friends]
            for minor in PYTHONS[max(0, newest - _WINDOW + 1) : newest + 1]:
                major, last = minor.split(".")
                tag = minor.replace(".", "")
                depends = [
                    f"python >={minor},<{major}.{int(last) + 1}.0a0",
                    f"python_abi {minor}.* *_cp{tag}",
                ]
                yield self._entry(package.name, package.versions[-1], f"py{tag}h{number}_{number}", number,
                                  when, depends=[*depends, *pins, *wishes])  # fmt: skip

    def _library(
        self, package: _Package, time: float, friends: list[_Package], libraries: list[_Package]
    ) -> Iterator[Entry]:
        wishes = [self._loose(friend, time) for friend in friends[:2] if not friend.is_python]
        for number in range(self._random.choice((1, 2))):
            when = time + 0.1 * number
            pins = [library.range_at(when) for library in libraries]
            yield self._entry(package.name, package.versions[-1], f"h{number}_{number}", number, when,
                              depends=[*pins, *wishes])  # fmt: skip

    def _split(
        self, package: _Package, time: float, friends: list[_Package], libraries: list[_Package]
    ) -> Iterator[Entry]:
        """Make a package whose parts, a library and its tools, fit each other exactly."""
        version = package.versions[-1]
        pins = [library.range_at(time) for library in libraries]
        build = f"h{len(package.versions)}_0"
        yield self._entry(f"{package.name}-base", version, build, 0, time, depends=pins)
        yield self._entry(f"{package.name}-dev", version, build, 0, time,
                          depends=[f"{package.name}-base {version} {build}", *pins[:1]])  # fmt: skip
        parts = [f"{package.name}-{part} {version} {build}" for part in ("base", "dev")]
        yield self._entry(package.name, version, build, 0, time, depends=parts)

    def _loose(self, package: _Package, time: float) -> str:
        """Ask for a package as people do: by name, by a least version, rarely with a bound above."""
        version = package.at(time)
        if self._random.random() < _MISSING:
            return f"{package.name} 99.*"
        form = self._random.random()
        if form < 0.46:  # noqa: PLR2004 - see the module's text
            return package.name
        if form < 0.97:  # noqa: PLR2004 - see the module's text
            return f"{package.name} >={version}"
        major, minor, _ = version.split(".")
        return f"{package.name} >={version},<{major}.{int(minor) + 1}"

    def _some(self, packages: list[_Package], most: int) -> list[_Package]:
        """Choose up to ``most`` packages; the first ones are popular."""
        count = min(len(packages), self._random.randint(0, most))
        places = {int(len(packages) * self._random.random() ** 3) for _ in range(count)}
        return [packages[place] for place in sorted(places)]

    def _entry(
        self, name: str, version: str, build: str, number: int, time: float, *,
        depends: list[str] | None = None, constrains: list[str] | None = None, subdir: str = "linux-64",
    ) -> Entry:  # fmt: skip
        limits = list(constrains or ())
        if self._packages and self._random.random() < _CONSTRAINED:
            taken = {name, *(spec.split()[0] for spec in depends or ())}
            others = [other for other in self._some(self._packages, 2) if other.name not in taken]
            limits += [f"{other.name} >={other.versions[0]}" for other in others]
        return {
            "name": name, "version": version, "build": build, "build_number": number, "subdir": subdir,
            "depends": depends or [], "constrains": limits, "timestamp": int(time * 1e12), "size": 1,
        }  # fmt: skip


def write_channel(folder: Path, count: int, seed: int = 1) -> int:
    """Write a channel of about ``count`` records for linux-64, and give how many they are."""
    found: dict[str, dict[str, Entry]] = {"linux-64": {}, "noarch": {}}
    for entry in Channel(seed).records(count):
        found[entry["subdir"]][f"{entry['name']}-{entry['version']}-{entry['build']}.conda"] = entry
    for subdir, packages in found.items():
        (folder / subdir).mkdir(parents=True, exist_ok=True)
        with (folder / subdir / "repodata.json").open("w") as stream:
            json.dump({"info": {"subdir": subdir}, "packages": {}, "packages.conda": packages}, stream)
    return sum(len(packages) for packages in found.values())
