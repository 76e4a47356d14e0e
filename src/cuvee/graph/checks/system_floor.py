"""How old may a system be? The release's real floor, and who forces it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cuvee.channel.inspection.model import SymbolVersion
from cuvee.conda.package_record import LockedPackage
from cuvee.graph.checks.check_protocol import STRICT
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
"""A feature of glibc that came with 2.36 and is asked for like a version."""

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
class Demand:
    """What one package asks of the system.

    Attributes
    ----------
    key
        As in the manifest's ``floor``: ``glibc``, ``osx`` and so on.
    least
        The oldest version that will do; for ``archspec`` the level.
    is_binary
        Whether a binary asks, rather than ``depends``.
    """

    key: str
    least: tuple[int, ...]
    package: LockedPackage
    evidence: str
    is_binary: bool


class SystemFloorCheck:
    """What the release really needs of a system."""

    identifier = "system-floor"
    family = "floor"
    title = "No program or library needs a newer system than the platform's floor."
    prerequisites = ("metadata",)
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Say of each platform what the oldest system is that the release runs on, and who forces it.

        From ``depends`` alone if the archives were not opened. What ``depends`` asks beyond the floor is
        the business of ``floor``.
        """
        for graph in release.platforms:
            demands: dict[str, list[Demand]] = {}
            for demand in (*_stated(graph), *_read(graph)):
                demands.setdefault(demand.key, []).append(demand)
            for key in (key for key in _TITLES if key in demands):
                askers = sorted({demand.package.name for demand in demands[key]})
                for names in by_waiver(self, askers, release):
                    of_these = [demand for demand in demands[key] if demand.package.name in names]
                    yield self._finding(release, graph, key, of_these)

    def _finding(
        self, release: ReleaseGraph, graph: PlatformGraph, key: str, demands: list[Demand]
    ) -> Finding:
        demands = sorted(_strictest(demands), key=lambda item: (-_rank(item.least), item.package.name))
        least = max(item.least for item in demands)
        forcing = [item for item in demands if item.least == least]
        names = tuple(item.package.name for item in forcing)
        offered = _offered(graph, key)
        is_above = any(item.is_binary and item.least > offered for item in demands)
        evidence = [f"{item.package.stem}: {item.evidence}" for item in demands[:_SHOWN]]
        if graph.contents is None:
            evidence.append("told by metadata alone: the archives were not opened")
        promised = f"the floor is {_text(offered)}" if offered else "the floor names none"
        return Finding(
            check=self.identifier,
            verdict=Verdict.BLOCKED if is_above else Verdict.INFO,
            cause=f"{graph.platform} needs {_TITLES[key]} {_text(least)}; {promised}",
            kind="above-floor" if is_above else "real-floor",
            packages=names,
            victims=tuple(item.package.identifier for item in forcing),
            platforms=(graph.platform,),
            owners=release.owners_of(names),
            evidence=tuple(evidence),
            action=f"Raise the floor to {_text(least)}, or take an older build."
            if is_above
            else "Nothing. These packages are what keeps the floor from being lower.",
        )


def _rank(least: tuple[int, ...]) -> int:
    first, second, third = (*least, 0, 0, 0)[:3]
    return (first * 10_000 + second) * 10_000 + third


def _text(least: tuple[int, ...]) -> str:
    return ".".join(map(str, least)) or "any"


def _strictest(demands: Iterable[Demand]) -> Iterator[Demand]:
    """Give each package's strictest demand; of equal ones that of a binary."""
    by_name: dict[str, Demand] = {}
    for demand in demands:
        known = by_name.get(demand.package.name)
        if known is None or (demand.least, demand.is_binary) > (known.least, known.is_binary):
            by_name[demand.package.name] = demand
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


def _stated(graph: PlatformGraph) -> Iterator[Demand]:
    """Give what ``depends`` asks of virtual packages."""
    for edge in graph.edges:
        key = (edge.target or "").removeprefix("__")
        if not edge.is_virtual or key not in _TITLES:
            continue
        constraint = edge.spec.partition(edge.target or "")[2]
        match = _AT_LEAST.search(constraint)
        least = _level(constraint) if key == "archspec" else version_tuple(match[1]) if match else ()
        if least or key == "cuda":
            yield Demand(
                key=key,
                least=least,
                package=edge.source,
                evidence=f"depends on {edge.spec}",
                is_binary=False,
            )


def _read(graph: PlatformGraph) -> Iterator[Demand]:
    """Give what binaries ask of the system."""
    for item in loaded_binaries(graph.contents) if graph.contents is not None else ():
        binary = item.binary
        found = [("glibc", least, name) for name, least in _glibc_versions(binary.required_versions)]
        if binary.oldest_system is not None:
            found.append(("osx", version_tuple(binary.oldest_system), f"minos {binary.oldest_system}"))
        if binary.cpu_level > 1:
            found.append(("archspec", (binary.cpu_level,), f"x86-64-v{binary.cpu_level}"))
        for key, least, what in found:
            yield Demand(
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
