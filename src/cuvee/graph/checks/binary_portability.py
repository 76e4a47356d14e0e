"""Checks that programs and libraries are built for their platform and search only the prefix."""

import re
from collections.abc import Collection, Iterable, Mapping

from cuvee.graph.checks.check_interface import Check, opened
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.dynamic_linking import SYSROOT, loaded_binaries, loader_of
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.prefix_contents import InstalledBinary
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.platforms import System

# Paths from which a shell or loader takes programs and libraries, and names of Python's extension modules:
# https://docs.python.org/3/library/importlib.html#importlib.machinery.EXTENSION_SUFFIXES.
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

_WORLD_WRITABLE = ("/tmp/", "/var/tmp/", "/dev/shm/", "/private/tmp/")  # noqa: S108 - folders to warn about
_SYSTEM_FOLDERS = ("/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/", "/usr/local/lib/", "/System/")


class SearchPathsCheck(Check):
    """No program or library searches for its libraries outside of the prefix."""

    identifier = "search-paths"
    family = "binaries"
    prerequisites = ("archives",)

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        causes = FindingCollector(self, release)
        for _, contents in opened(release):
            loader = loader_of(contents)
            for item in loaded_binaries(contents):
                for entry in item.binary.search_paths:
                    found = _suspicious(entry) if loader.folder(item, entry) is None else None
                    if found is not None:
                        cause = f"Binaries of {item.package.name} search for libraries {found[0]}"
                        evidence = f"{item.path}: {entry!r}"
                        _, verdict, kind = found
                        causes.add(cause, victim=item.package, evidence=evidence, verdict=verdict, kind=kind)
        yield from causes.findings(
            "Ask for a build whose search paths are relative to $ORIGIN or @loader_path."
        )


def _suspicious(entry: str) -> tuple[str, Verdict, str]:
    """Return the risk of an entry that is outside of the prefix: words, verdict and kind."""
    folder = entry.rstrip("/") + "/"
    if folder.startswith(_WORLD_WRITABLE):
        return "in a folder that every user can write to", Verdict.BLOCKED, "world-writable"
    if entry.startswith(("$", "@")):
        return "above the prefix", Verdict.WARNING, "above-prefix"
    if not entry.startswith("/"):
        return "in the current working directory", Verdict.BLOCKED, "working-directory"
    if folder.startswith(_SYSTEM_FOLDERS):
        return "in a folder of the system", Verdict.INFO, "of-system"
    return "in a folder of the build machine", Verdict.WARNING, "build-machine"


class MachinesCheck(Check):
    """Every program and library can be read, and is built for its platform."""

    identifier = "machines"
    family = "binaries"
    prerequisites = ("archives",)

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Return binaries that are broken or built for another machine.

        Packages also contain binaries for other machines as data: launchers, test data, debuggers' helpers.
        Those are reported for information only, unless a shell, a loader or Python would load them.
        """
        broken, wrong, spare = (FindingCollector(self, release) for _ in range(3))
        for _, contents in opened(release):
            right = {item.path for item in loaded_binaries(contents)}
            fitting = {item.package.name for item in loaded_binaries(contents)}
            for item in contents.binaries:
                binary, is_loaded = item.binary, _is_loaded(item, contents.platform.system, fitting)
                if binary.problem is not None:
                    what = "has" if is_loaded else "contains, as data,"
                    broken.add(
                        f"{item.package.name} {what} programs or libraries that cannot be read",
                        victim=item.package,
                        evidence=f"{item.path}: {binary.problem}",
                        verdict=Verdict.BLOCKED if is_loaded else Verdict.INFO,
                        kind="unreadable",
                    )
                elif item.path not in right and not _is_harmless(item, contents.platform.system):
                    evidence = f"{item.path}: {binary.format}, {binary.machine}"
                    if is_loaded:
                        cause = f"{item.package.name} is not built for {contents.platform.name}"
                        wrong.add(cause, victim=item.package, evidence=evidence, kind="other-machine")
                    else:
                        cause = f"{item.package.name} also contains programs or libraries for other machines"
                        spare.add(cause, victim=item.package, evidence=evidence, verdict=Verdict.INFO)
        yield from broken.findings("Fetch the package again, or take another build.")
        yield from wrong.findings("Take a build for this platform.")
        yield from spare.findings("No action is needed; no loader takes them from there.")


def _is_loaded(item: InstalledBinary, system: System, fitting: Collection[str]) -> bool:
    """Return whether a binary would be loaded; a Python module only if its package has no fitting one."""
    if _IN_PREFIX[system].fullmatch(item.path):
        return True
    return item.package.name not in fitting and bool(_MODULE[system].search(item.path))


def _is_harmless(item: InstalledBinary, system: System) -> bool:
    """Return whether a binary of another machine does no harm.

    64-bit Windows runs 32-bit programs, and .NET runs an assembly for any machine on every system.
    """
    binary = item.binary
    runs = system == "win" and binary.is_program and binary.machine == "x86"
    is_net = binary.format == "pe" and binary.machine == "any"
    return runs or is_net or SYSROOT in item.path
