"""Checks that every needed shared library exists, with the symbol versions that others require."""

from collections.abc import Iterable, Iterator, Mapping

from cuvee.channel.inspection.model import SymbolVersion
from cuvee.graph.checks.check_interface import Check, opened
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.dynamic_linking import DynamicLoader, NeededLibrary, Resolution, loaded_binaries, loader_of
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.prefix_contents import InstalledBinary
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.graph.system_libraries import Availability, newest_symbols, version_tuple

_ACTIONS = {
    Resolution.NOWHERE: "Add the package that has it, or ask for a build that does not need it.",
    Resolution.ELSEWHERE: "No action is needed if the package loads it beforehand; "
    "else ask for its RPATH to be fixed.",
    Resolution.SYSTEM: "State in the release notes what the system must have, or add a package that has it.",
}
"""What to do about a library that is not on the loader's search path."""


class LibrariesCheck(Check):
    """Every library that a program or library needs is in the closure, or comes with the system."""

    identifier = "libraries"
    family = "binaries"
    prerequisites = ("duplicates", "archives")

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Return needed libraries that no package and no system has, and those that not every system has.

        Delay-loaded and weak libraries are left out, since programs can run without them.
        """
        causes = {resolution: FindingCollector(self, release) for resolution in _ACTIONS}
        for graph, contents in opened(release):
            loader = loader_of(contents)
            has_cuda = any(virtual.name == "__cuda" for virtual in graph.lock.virtual_packages)
            for item in loaded_binaries(contents):
                for needed in loader.needs(item):
                    is_own = item.package.name in {loader.owners[path] for path in needed.paths}
                    if needed.resolution in causes:
                        found = causes[needed.resolution]
                        self._judge(found, item, needed, has_cuda=has_cuda, is_own=is_own)
        for resolution, action in _ACTIONS.items():
            yield from causes[resolution].findings(action)

    def _judge(
        self,
        causes: FindingCollector,
        item: InstalledBinary,
        needed: NeededLibrary,
        *,
        has_cuda: bool,
        is_own: bool,
    ) -> None:
        line = f"{item.package.name}: {item.path} needs {needed.library}"
        if needed.resolution is Resolution.NOWHERE:
            folders = ", ".join(item.binary.search_paths)
            causes.add(
                f"No package and no system has {needed.library}",
                victim=item.package,
                evidence=f"{line}, and searches {folders}" if folders else line,
                kind="nowhere",
            )
        elif needed.resolution is Resolution.ELSEWHERE:
            causes.add(
                f"{item.package.name} needs libraries{'' if is_own else ' of others'} "
                "that are not on its search path",
                victim=item.package,
                evidence=f"{line}, which is at {', '.join(needed.paths)}",
                verdict=Verdict.INFO if is_own else Verdict.WARNING,
                kind="elsewhere",
            )
        elif needed.availability is not None and needed.availability.lacking:
            if needed.availability is Availability.DRIVER and has_cuda:
                return
            causes.add(
                f"The system must have {needed.library}; {needed.availability.lacking}",
                victim=item.package,
                evidence=line,
                verdict=Verdict.WARNING
                if needed.availability is Availability.REDISTRIBUTABLE
                else Verdict.INFO,
                kind=needed.availability.value,
            )


class SymbolVersionsCheck(Check):
    """Every library has the symbol versions that others require."""

    identifier = "symbol-versions"
    family = "binaries"
    prerequisites = ("libraries",)

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Return symbol versions that libraries of the closure lack, or the oldest system's libstdc++.

        Those of glibc are checked by ``system-floor``.
        """
        lacking, newer = (FindingCollector(self, release) for _ in range(2))
        for graph, contents in opened(release):
            if contents.platform.system == "linux":
                loader, offered = loader_of(contents), graph.lock.virtual_packages
                glibc = next((version_tuple(item.version) for item in offered if item.name == "__glibc"), ())
                for item in loaded_binaries(contents):
                    for wanted, path in _unmet(loader, item):
                        lacking.add(
                            f"{wanted.library} of {loader.owners[path]} has no {wanted.version}",
                            victim=item.package,
                            at_fault=loader.owners[path],
                            evidence=f"{item.package.name}: {item.path} requires it of {path}",
                            kind="of-closure",
                        )
                    for wanted in _too_new(loader, item, newest_symbols(glibc)):
                        newer.add(
                            f"Systems with glibc {'.'.join(map(str, glibc))} may have a {wanted.library} "
                            f"without {wanted.version}",
                            victim=item.package,
                            evidence=f"{item.package.name}: {item.path} requires it",
                            verdict=Verdict.WARNING,
                            kind="of-system",
                        )
        yield from lacking.findings(
            "Take builds that fit together; the library is too old for what needs it."
        )
        yield from newer.findings(
            "Add the package that has a newer one, raise the floor, or take an older build."
        )


def _unmet(loader: DynamicLoader, item: InstalledBinary) -> Iterator[tuple[SymbolVersion, str]]:
    """Yield symbol versions that libraries of the prefix lack for a binary, with the libraries' paths."""
    found = {
        needed.library: needed for needed in loader.needs(item) if needed.resolution is Resolution.LOADER
    }
    for wanted in item.binary.required_versions:
        for path in found[wanted.library].paths if wanted.library in found else ():
            offers = loader.binaries[path].binary.defined_versions if path in loader.binaries else ()
            if offers and wanted.version not in offers:
                yield wanted, path


def _too_new(
    loader: DynamicLoader, item: InstalledBinary, newest: Mapping[str, tuple[int, ...]]
) -> Iterator[SymbolVersion]:
    """Yield symbol versions that a binary requires of the system's libstdc++ and old ones may lack."""
    of_system = {
        needed.library for needed in loader.needs(item) if needed.availability is Availability.COMPILER
    }
    for wanted in item.binary.required_versions:
        family, _, number = wanted.version.partition("_")
        if wanted.library in of_system and version_tuple(number) > newest.get(family, version_tuple(number)):
            yield wanted
