"""Does every library that is loaded exist, with the symbols that are asked of it?"""

from collections.abc import Iterable, Iterator, Mapping

from cuvee.channel.inspection.model import SymbolVersion
from cuvee.graph.checks.check_protocol import STRICT
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.checks.opened import opened
from cuvee.graph.dynamic_linking import DynamicLoader, NeededLibrary, Resolution, loaded_binaries, loader_of
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.prefix_contents import InstalledBinary
from cuvee.graph.release_graph import PlatformGraph, ReleaseGraph
from cuvee.graph.system_libraries import Availability, newest_symbols, version_tuple


class LibrariesCheck:
    """Libraries that are nowhere."""

    identifier = "libraries"
    family = "binaries"
    title = "Every library that a program or library needs is in the closure, or comes with the system."
    prerequisites = ("duplicates", "archives")
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find needed libraries that no package brings and no system has, and those that few systems have.

        What is loaded late (delay-loaded, weak) is left out, since programs do without it.
        """
        missing, hidden, asked = (FindingCollector(self, release) for _ in range(3))
        for graph, contents in opened(release):
            loader = loader_of(contents)
            has_cuda = any(virtual.name == "__cuda" for virtual in graph.lock.virtual_packages)
            for item in loaded_binaries(contents):
                for needed in loader.needs(item):
                    is_own = item.package.name in {loader.owners[path] for path in needed.paths}
                    self._look(item, needed, missing, hidden, asked, has_cuda=has_cuda, is_own=is_own)
        for causes, action in (
            (missing, "Add the package that brings it, or have the one that needs it built without it."),
            (hidden, "Nothing, if the package loads it beforehand, as many do; else have its RPATH mended."),
            (asked, "Say in the release notes what the system must have, or add a package that brings it."),
        ):
            yield from causes.findings(action)

    def _look(
        self,
        item: InstalledBinary,
        needed: NeededLibrary,
        missing: FindingCollector,
        hidden: FindingCollector,
        asked: FindingCollector,
        *,
        has_cuda: bool,
        is_own: bool,
    ) -> None:
        line = f"{item.package.name}: {item.path} needs {needed.library}"
        if needed.place is Resolution.NOWHERE:
            where = (
                f", and looks in {', '.join(item.binary.search_paths)}" if item.binary.search_paths else ""
            )
            missing.add(
                f"No package brings {needed.library}, and no system does",
                victim=item.package,
                evidence=f"{line}{where}",
                kind="nowhere",
            )
        elif needed.place is Resolution.ELSEWHERE:
            hidden.add(
                f"{item.package.name} needs libraries{'' if is_own else ' of others'} "
                "that are not where its loader looks",
                victim=item.package,
                evidence=f"{line}, which is at {', '.join(needed.paths)}",
                verdict=Verdict.INFO if is_own else Verdict.WARNING,
                kind="elsewhere",
            )
        elif needed.tier is not None and needed.tier.lacking:
            if needed.tier is Availability.DRIVER and has_cuda:
                return
            asked.add(
                f"{needed.library} is asked of the system; {needed.tier.lacking}",
                victim=item.package,
                evidence=line,
                verdict=Verdict.WARNING if needed.tier is Availability.REDISTRIBUTABLE else Verdict.INFO,
                kind=needed.tier.value,
            )


class SymbolVersionsCheck:
    """Symbols that a library of the closure or of the oldest system does not have."""

    identifier = "symbol-versions"
    family = "binaries"
    title = "Every library has the symbol versions that others ask of it."
    prerequisites = ("libraries",)
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find symbol versions that the closure's own libraries lack, or the oldest system's libstdc++.

        glibc's own are the business of ``system-floor``.
        """
        lacking, newer = (FindingCollector(self, release) for _ in range(2))
        for graph, contents in opened(release):
            if contents.platform.system == "linux":
                loader, glibc = loader_of(contents), _glibc(graph)
                for item in loaded_binaries(contents):
                    for wanted, path in _unmet(loader, item):
                        lacking.add(
                            f"{wanted.library} of {loader.owners[path]} has no {wanted.version}",
                            victim=item.package,
                            at_fault=loader.owners[path],
                            evidence=f"{item.package.name}: {item.path} asks {path} for it",
                            kind="of-closure",
                        )
                    for wanted in _too_new(loader, item, newest_symbols(glibc)):
                        newer.add(
                            f"Systems with glibc {'.'.join(map(str, glibc))} may have a {wanted.library} "
                            f"without {wanted.version}",
                            victim=item.package,
                            evidence=f"{item.package.name}: {item.path} asks for it",
                            verdict=Verdict.WARNING,
                            kind="of-system",
                        )
        for causes, action in (
            (lacking, "Take builds that fit together: the library is too old for what needs it."),
            (newer, "Add the package that brings a newer one, raise the floor, or take an older build."),
        ):
            yield from causes.findings(action)


def _unmet(loader: DynamicLoader, item: InstalledBinary) -> Iterator[tuple[SymbolVersion, str]]:
    """Give what a binary asks of libraries of the prefix that they do not offer, and their paths."""
    found = {needed.library: needed for needed in loader.needs(item) if needed.place is Resolution.LOADER}
    for wanted in item.binary.required_versions:
        for path in found[wanted.library].paths if wanted.library in found else ():
            offers = loader.binaries[path].defined_versions if path in loader.binaries else ()
            if offers and wanted.version not in offers:
                yield wanted, path


def _too_new(
    loader: DynamicLoader, item: InstalledBinary, newest: Mapping[str, tuple[int, ...]]
) -> Iterator[SymbolVersion]:
    """Give what a binary asks of the system's libstdc++ that an old one may lack."""
    asked = {needed.library for needed in loader.needs(item) if needed.tier is Availability.COMPILER}
    for wanted in item.binary.required_versions:
        family, _, number = wanted.version.partition("_")
        if wanted.library in asked and version_tuple(number) > newest.get(family, version_tuple(number)):
            yield wanted


def _glibc(graph: PlatformGraph) -> tuple[int, ...]:
    offered = [item.version for item in graph.lock.virtual_packages if item.name == "__glibc"]
    return version_tuple(offered[0]) if offered else ()
