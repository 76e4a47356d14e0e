"""The check of the oldest system that a release runs on, and of the packages that require it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cuvee.channel.inspection.model import SymbolVersion
from cuvee.conda.package_record import LockedPackage
from cuvee.graph.checks.check_interface import Check, archives_not_opened
from cuvee.graph.checks.finding_collector import by_waiver
from cuvee.graph.dynamic_linking import loaded_binaries
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import PlatformGraph, ReleaseGraph
from cuvee.graph.system_libraries import version_tuple

_AT_LEAST = re.compile(r"(?:>=|==|~=|=|(?<![<>=!~\d.]))\s*(\d+(?:\.\d+)*)")
_LEVEL = re.compile(r"x86[_-]64[_-]v([1-4])")
_GLIBC = re.compile(r"GLIBC_(\d+(?:\.\d+)+)")
_RELR = "GLIBC_ABI_DT_RELR"
_WITH_RELR = (2, 36)
"""glibc 2.36 introduced this feature, which binaries require like a symbol version:
https://sourceware.org/glibc/wiki/Release/2.36."""

_TITLES = {
    "glibc": "glibc",
    "linux": "Linux",
    "osx": "macOS",
    "win": "Windows",
    "cuda": "CUDA",
    "archspec": "an x86-64 processor of level",
}
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorRequirement:
    """What one package requires of the system.

    Attributes
    ----------
    key
        As in the manifest's ``floor``: ``glibc``, ``osx`` and so on.
    least
        The oldest version that is sufficient; for ``archspec`` the level.
    is_binary
        Whether a binary requires it, rather than ``depends``.
    """

    key: str
    least: tuple[int, ...]
    package: LockedPackage
    evidence: str
    is_binary: bool


class SystemFloorCheck(Check):
    """No program or library needs a newer system than the platform's floor."""

    identifier = "system-floor"
    family = "floor"
    prerequisites = ("metadata",)

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Return for each platform the oldest system that the release runs on, and what requires it.

        If the archives were not opened it is known only from ``depends``, and the check is not complete. What
        ``depends`` requires beyond the floor is reported by ``floor``.
        """
        for graph in release.platforms:
            by_key: dict[str, list[FloorRequirement]] = {}
            for item in (*_stated(graph), *_of_binaries(graph)):
                by_key.setdefault(item.key, []).append(item)
            for key in (key for key in _TITLES if key in by_key):
                requiring = sorted({item.package.name for item in by_key[key]})
                for names in by_waiver(self, requiring, release):
                    of_these = [item for item in by_key[key] if item.package.name in names]
                    yield self._finding(release, graph, key, of_these)
        if any(graph.contents is None for graph in release.platforms):
            raise archives_not_opened()

    def _finding(
        self, release: ReleaseGraph, graph: PlatformGraph, key: str, requirements: list[FloorRequirement]
    ) -> Finding:
        requirements = sorted(
            _strictest(requirements), key=lambda item: (-_rank(item.least), item.package.name)
        )
        least = max(item.least for item in requirements)
        forcing = [item for item in requirements if item.least == least]
        names = tuple(item.package.name for item in forcing)
        offered = _offered(graph, key)
        is_above = any(item.is_binary and item.least > offered for item in requirements)
        evidence = [f"{item.package.stem}: {item.evidence}" for item in requirements[:_SHOWN]]
        if graph.contents is None:
            evidence.append("from metadata only: the archives were not opened")
        floor = f"the floor is {_text(offered)}" if offered else "the floor states none"
        return Finding(
            check=self.identifier,
            verdict=Verdict.BLOCKED if is_above else Verdict.INFO,
            cause=f"{graph.platform} needs {_TITLES[key]} {_text(least)}; {floor}",
            kind="above-floor" if is_above else "real-floor",
            packages=names,
            victims=tuple(item.package.identifier for item in forcing),
            platforms=(graph.platform,),
            evidence=tuple(evidence),
            action=f"Raise the floor to {_text(least)}, or take an older build."
            if is_above
            else "No action is needed. These packages are why the floor cannot be lower.",
        )


def _rank(least: tuple[int, ...]) -> int:
    first, second, third = (*least, 0, 0, 0)[:3]
    return (first * 10_000 + second) * 10_000 + third


def _text(least: tuple[int, ...]) -> str:
    return ".".join(map(str, least)) or "any"


def _strictest(requirements: Iterable[FloorRequirement]) -> Iterator[FloorRequirement]:
    """Return each package's strictest requirement; of equal ones that of a binary."""
    by_name: dict[str, FloorRequirement] = {}
    for item in requirements:
        known = by_name.get(item.package.name)
        if known is None or (item.least, item.is_binary) > (known.least, known.is_binary):
            by_name[item.package.name] = item
    return iter(by_name.values())


def _offered(graph: PlatformGraph, key: str) -> tuple[int, ...]:
    for virtual in graph.lock.virtual_packages:
        if virtual.name == f"__{key}":
            if key == "archspec":
                return _level(virtual.build) or (1,)
            return version_tuple(virtual.version)
    return ()


def _level(text: str) -> tuple[int, ...]:
    match = _LEVEL.search(text)
    return (int(match[1]),) if match else ()


def _stated(graph: PlatformGraph) -> Iterator[FloorRequirement]:
    """Yield what ``depends`` requires of virtual packages."""
    for edge in graph.edges:
        key = (edge.target or "").removeprefix("__")
        if not edge.is_virtual or key not in _TITLES:
            continue
        constraint = edge.spec.partition(edge.target or "")[2]
        match = _AT_LEAST.search(constraint)
        least = _level(constraint) if key == "archspec" else version_tuple(match[1]) if match else ()
        if least or key == "cuda":
            yield FloorRequirement(
                key=key,
                least=least,
                package=edge.source,
                evidence=f"depends on {edge.spec}",
                is_binary=False,
            )


def _of_binaries(graph: PlatformGraph) -> Iterator[FloorRequirement]:
    """Yield what binaries require of the system."""
    for item in loaded_binaries(graph.contents) if graph.contents is not None else ():
        binary = item.binary
        found = [("glibc", least, name) for name, least in _glibc_versions(binary.required_versions)]
        if binary.oldest_system is not None:
            found.append(("osx", version_tuple(binary.oldest_system), f"minos {binary.oldest_system}"))
        if binary.cpu_level > 1:
            found.append(("archspec", (binary.cpu_level,), f"x86-64-v{binary.cpu_level}"))
        for key, least, what in found:
            yield FloorRequirement(
                key=key,
                least=least,
                package=item.package,
                evidence=f"{item.path} needs {what}",
                is_binary=True,
            )


def _glibc_versions(wants: Iterable[SymbolVersion]) -> Iterator[tuple[str, tuple[int, ...]]]:
    for wanted in wants:
        match = _GLIBC.fullmatch(wanted.version)
        if match is not None:
            yield wanted.version, version_tuple(match[1])
        elif wanted.version == _RELR:
            yield wanted.version, _WITH_RELR
