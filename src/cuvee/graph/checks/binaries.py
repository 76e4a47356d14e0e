"""Will the programs and libraries load, on every machine that the release is for?"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from cuvee.channel.facts.model import SymbolVersion
from cuvee.graph.checks.base import STRICT
from cuvee.graph.checks.causes import Causes
from cuvee.graph.checks.opened import opened
from cuvee.graph.contents import PlacedBinary
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.loading import SYSROOT, Loader, Needed, Place, loaded_binaries, loader_of
from cuvee.graph.release_graph import PlatformGraph, ReleaseGraph
from cuvee.graph.systems import Tier, newest_symbols, version
from cuvee.platforms import System

# Where a shell or a loader takes programs and libraries from, and what Python takes for its modules.
_IN_PREFIX: Mapping[System, re.Pattern[str]] = {
    "linux": re.compile(r"bin/[^/]+|lib/[^/]+\.so[.\d]*"),
    "osx": re.compile(r"bin/[^/]+|lib/[^/]+\.(dylib|so)"),
    "win": re.compile(r"((Scripts|Library/bin)/)?[^/]+\.(exe|dll)", re.IGNORECASE),
}
_MODULE: Mapping[System, re.Pattern[str]] = {
    "linux": re.compile(r"\.(abi3|cpython-\w+(-[\w-]+)?)\.so$"),
    "osx": re.compile(r"\.(abi3|cpython-\w+-darwin)\.so$"),
    "win": re.compile(r"\.pyd$", re.IGNORECASE),
}

_FOR_ANYBODY = ("/tmp/", "/var/tmp/", "/dev/shm/", "/private/tmp/")  # noqa: S108 - folders to warn about
_OF_SYSTEMS = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "/usr/local/lib/", "/System/")


class Libraries:
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
        missing, hidden, asked = (Causes(self, release) for _ in range(3))
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
        item: PlacedBinary,
        needed: Needed,
        missing: Causes,
        hidden: Causes,
        asked: Causes,
        *,
        has_cuda: bool,
        is_own: bool,
    ) -> None:
        line = f"{item.package.name}: {item.path} needs {needed.library}"
        if needed.place is Place.NOWHERE:
            where = f", and looks in {', '.join(item.binary.search)}" if item.binary.search else ""
            missing.add(
                f"No package brings {needed.library}, and no system does",
                victim=item.package,
                evidence=f"{line}{where}",
                kind="nowhere",
            )
        elif needed.place is Place.ELSEWHERE:
            hidden.add(
                f"{item.package.name} needs libraries{'' if is_own else ' of others'} "
                "that are not where its loader looks",
                victim=item.package,
                evidence=f"{line}, which is at {', '.join(needed.paths)}",
                verdict=Verdict.INFO if is_own else Verdict.WARNING,
                kind="elsewhere",
            )
        elif needed.tier is not None and needed.tier.lacking:
            if needed.tier is Tier.DRIVER and has_cuda:
                return
            asked.add(
                f"{needed.library} is asked of the system; {needed.tier.lacking}",
                victim=item.package,
                evidence=line,
                verdict=Verdict.WARNING if needed.tier is Tier.REDISTRIBUTABLE else Verdict.INFO,
                kind=needed.tier.value,
            )


class SearchPaths:
    """Places outside of the prefix where binaries look for libraries."""

    identifier = "search-paths"
    family = "binaries"
    title = "No program or library looks for its libraries outside of the prefix."
    prerequisites = ("archives",)
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find entries of RPATH and RUNPATH that name a build machine's folders, or none at all."""
        causes = Causes(self, release)
        for _, contents in opened(release):
            loader = loader_of(contents)
            for item in loaded_binaries(contents):
                for entry in item.binary.search:
                    found = _suspicious(entry) if loader.folder(item, entry) is None else None
                    if found is not None:
                        what, verdict, kind = found
                        causes.add(
                            f"Libraries of {item.package.name} look for others {what}",
                            victim=item.package,
                            evidence=f"{item.path}: {entry!r}",
                            verdict=verdict,
                            kind=kind,
                        )
        yield from causes.findings("Have it built with paths relative to $ORIGIN or @loader_path.")


def _suspicious(entry: str) -> tuple[str, Verdict, str]:
    """Say what an entry that is outside of the prefix means."""
    folder = entry.rstrip("/") + "/"
    if folder.startswith(_FOR_ANYBODY):
        return "where everybody may put some", Verdict.BLOCKED, "for-anybody"
    if entry.startswith(("$", "@")):
        return "above the prefix", Verdict.WARNING, "above-prefix"
    if not entry.startswith("/"):
        return "in the folder that the user is in", Verdict.BLOCKED, "working-folder"
    if folder.startswith(_OF_SYSTEMS):
        return "among the system's own", Verdict.INFO, "of-system"
    return "in a folder of the machine that built it", Verdict.WARNING, "build-machine"


class Machines:
    """Binaries that this platform can not run."""

    identifier = "machines"
    family = "binaries"
    title = "Every program and library can be read, and is made for its platform."
    prerequisites = ("archives",)
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find binaries that are broken, or made for another machine, where a loader would take them.

        Packages also carry binaries for others as data: launchers, files of tests, debuggers' helpers. Those
        are named, and no more, as long as the package has some for this machine or none that is taken.
        """
        broken, wrong, spare = Causes(self, release), Causes(self, release), Causes(self, release)
        for _, contents in opened(release):
            right = {item.path for item in loaded_binaries(contents)}
            fitting = {item.package.name for item in loaded_binaries(contents)}
            for item in contents.binaries:
                binary, is_taken = item.binary, _is_taken(item, contents.platform.system, fitting)
                if binary.problem is not None:
                    what = "has" if is_taken else "carries, as data,"
                    broken.add(
                        f"{item.package.name} {what} programs or libraries that can not be read",
                        victim=item.package,
                        evidence=f"{item.path}: {binary.problem}",
                        verdict=Verdict.BLOCKED if is_taken else Verdict.INFO,
                        kind="unreadable",
                    )
                elif item.path not in right and not _is_harmless(item, contents.platform.system):
                    evidence = f"{item.path}: {binary.format}, {binary.machine}"
                    if is_taken:
                        cause = f"{item.package.name} is not made for {contents.platform.name}"
                        wrong.add(cause, victim=item.package, evidence=evidence, kind="other-machine")
                    else:
                        cause = f"{item.package.name} also carries programs or libraries for other machines"
                        spare.add(cause, victim=item.package, evidence=evidence, verdict=Verdict.INFO)
        for causes, action in (
            (broken, "Fetch the package again, or take another build."),
            (wrong, "Take a build for this platform."),
            (spare, "Nothing; no loader takes them from there."),
        ):
            yield from causes.findings(action)


def _is_taken(item: PlacedBinary, system: System, fitting: Collection[str]) -> bool:
    """Whether somebody would try to load it: a Python module only if its package has none that fits."""
    if _IN_PREFIX[system].fullmatch(item.path):
        return True
    return item.package.name not in fitting and bool(_MODULE[system].search(item.path))


def _is_harmless(item: PlacedBinary, system: System) -> bool:
    """Whether nobody minds that it is made for another machine: 64-bit Windows runs 32-bit programs."""
    runs = system == "win" and item.binary.is_program and item.binary.machine == "x86"
    return runs or SYSROOT in item.path


class SymbolVersions:
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
        lacking, newer = (Causes(self, release) for _ in range(2))
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


def _unmet(loader: Loader, item: PlacedBinary) -> Iterator[tuple[SymbolVersion, str]]:
    """Give what a binary asks of libraries of the prefix that they do not offer, and their paths."""
    found = {needed.library: needed for needed in loader.needs(item) if needed.place is Place.LOADER}
    for wanted in item.binary.wants:
        for path in found[wanted.library].paths if wanted.library in found else ():
            offers = loader.binaries[path].offers if path in loader.binaries else ()
            if offers and wanted.version not in offers:
                yield wanted, path


def _too_new(
    loader: Loader, item: PlacedBinary, newest: Mapping[str, tuple[int, ...]]
) -> Iterator[SymbolVersion]:
    """Give what a binary asks of the system's libstdc++ that an old one may lack."""
    asked = {needed.library for needed in loader.needs(item) if needed.tier is Tier.COMPILER}
    for wanted in item.binary.wants:
        family, _, number = wanted.version.partition("_")
        if wanted.library in asked and version(number) > newest.get(family, version(number)):
            yield wanted


def _glibc(graph: PlatformGraph) -> tuple[int, ...]:
    offered = [item.version for item in graph.lock.virtual_packages if item.name == "__glibc"]
    return version(offered[0]) if offered else ()
