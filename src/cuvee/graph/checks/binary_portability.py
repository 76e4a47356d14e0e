"""Will the programs and libraries load, on every machine that the release is for?"""

import re
from collections.abc import Collection, Iterable, Mapping

from cuvee.graph.checks.check_protocol import STRICT
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.checks.opened import opened
from cuvee.graph.dynamic_linking import SYSROOT, loaded_binaries, loader_of
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.prefix_contents import InstalledBinary
from cuvee.graph.release_graph import ReleaseGraph
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


class SearchPathsCheck:
    """Places outside of the prefix where binaries look for libraries."""

    identifier = "search-paths"
    family = "binaries"
    title = "No program or library looks for its libraries outside of the prefix."
    prerequisites = ("archives",)
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find entries of RPATH and RUNPATH that name a build machine's folders, or none at all."""
        causes = FindingCollector(self, release)
        for _, contents in opened(release):
            loader = loader_of(contents)
            for item in loaded_binaries(contents):
                for entry in item.binary.search_paths:
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


class MachinesCheck:
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
        broken, wrong, spare = (
            FindingCollector(self, release),
            FindingCollector(self, release),
            FindingCollector(self, release),
        )
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


def _is_taken(item: InstalledBinary, system: System, fitting: Collection[str]) -> bool:
    """Whether somebody would try to load it: a Python module only if its package has none that fits."""
    if _IN_PREFIX[system].fullmatch(item.path):
        return True
    return item.package.name not in fitting and bool(_MODULE[system].search(item.path))


def _is_harmless(item: InstalledBinary, system: System) -> bool:
    """Whether nobody minds that it is made for another machine: 64-bit Windows runs 32-bit programs."""
    runs = system == "win" and item.binary.is_program and item.binary.machine == "x86"
    return runs or SYSROOT in item.path
