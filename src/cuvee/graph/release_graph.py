"""The release graph: per platform, who depends on whom, and which record satisfies it.

It is made from the lock alone: verifying a pinned set needs no solver, no disk and no network.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import networkx as nx

from cuvee.channel.model import Absent
from cuvee.lock.model import Lock, LockedPackage, PlatformLock
from cuvee.manifest.model import Manifest

if TYPE_CHECKING:
    from rattler import MatchSpec, PackageRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One entry of a package's ``depends``.

    Attributes
    ----------
    spec
        As the package states it.
    target
        The name it asks for; ``__glibc`` and the like for virtual packages; `None` if unreadable.
    found
        Versions (``name-version-build``) of that name in the set.
    satisfied
        Whether one of them meets the spec.
    """

    source: LockedPackage
    spec: str
    target: str | None
    found: tuple[str, ...]
    satisfied: bool

    @property
    def is_virtual(self) -> bool:
        """Whether it asks something of the operating system."""
        return self.target is not None and self.target.startswith("__")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformGraph:
    """The closure of one platform.

    ``graph`` has a node per package name, with the `LockedPackage` as ``package``, and an edge from each
    package to each that satisfies one of its dependencies, with its text as ``spec``.
    """

    lock: PlatformLock
    edges: tuple[Edge, ...]
    graph: "nx.DiGraph[str]"

    @property
    def platform(self) -> str:
        """The platform's name."""
        return self.lock.platform

    def required_by(self, name: str) -> tuple[str, ...]:
        """Give the names of the packages that depend on ``name`` directly."""
        return tuple(sorted(self.graph.predecessors(name))) if name in self.graph else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseGraph:
    """What checks look at: the intent, the lock, and the graph of each platform."""

    manifest: Manifest
    lock: Lock
    absent: tuple[Absent, ...]
    platforms: tuple[PlatformGraph, ...]

    def owners_of(self, names: Iterable[str]) -> tuple[str, ...]:
        """Give those who own one of the blessed packages ``names``."""
        wanted = set(names)
        owners = {package.owner for package in self.manifest.packages if package.name in wanted}
        return tuple(sorted(owner for owner in owners if owner))


def build_graph(manifest: Manifest, lock: Lock, absent: Iterable[Absent] = ()) -> ReleaseGraph:
    """Make the graph of every platform of a lock."""
    return ReleaseGraph(
        manifest=manifest,
        lock=lock,
        absent=tuple(absent),
        platforms=tuple(_platform_graph(platform) for platform in lock.platforms),
    )


def _platform_graph(lock: PlatformLock) -> PlatformGraph:
    records: dict[str, list[tuple[str, PackageRecord]]] = {}
    for package in lock.packages:
        records.setdefault(package.name, []).append((package.stem, record_of(package)))
    for virtual in lock.virtual_packages:
        records.setdefault(virtual.name, []).append(
            (str(virtual), _record(virtual.name, virtual.version, virtual.build))
        )
    edges = tuple(_edge(package, text, records) for package in lock.packages for text in package.depends)
    graph: nx.DiGraph[str] = nx.DiGraph()
    for package in lock.packages:
        graph.add_node(package.name, package=package)
    for edge in edges:
        if edge.satisfied and edge.target is not None and not edge.is_virtual:
            graph.add_edge(edge.source.name, edge.target, spec=edge.spec)
    return PlatformGraph(lock=lock, edges=edges, graph=graph)


def _edge(
    package: LockedPackage, text: str, records: "Mapping[str, list[tuple[str, PackageRecord]]]"
) -> Edge:
    spec = parse_spec(text)
    target = spec_name(text)
    candidates = records.get(target or "", [])
    return Edge(
        source=package,
        spec=text,
        target=target if spec is not None else None,
        found=tuple(stem for stem, _ in candidates),
        satisfied=spec is not None and any(spec.matches(record) for _, record in candidates),
    )


@lru_cache(maxsize=65536)
def parse_spec(text: str) -> "MatchSpec | None":
    """Read a match spec; `None` if it is not one."""
    from rattler import MatchSpec
    from rattler.exceptions import InvalidMatchSpecError

    try:
        return MatchSpec(text, strict=False)
    except InvalidMatchSpecError:
        return None


@lru_cache(maxsize=65536)
def spec_name(text: str) -> str | None:
    """Give the name that a match spec asks for; `None` if it is not a spec of one name."""
    spec = parse_spec(text)
    return None if spec is None else spec.name.normalized


def record_of(package: LockedPackage) -> "PackageRecord":
    """Give rattler's record of a locked package, for matching."""
    return _record(package.name, package.version, package.build, package.build_number, package.subdir)


def _record(name: str, version: str, build: str, number: int = 0, subdir: str = "noarch") -> "PackageRecord":
    from rattler import BuildString, PackageRecord

    return PackageRecord(name, version, BuildString(build), number, subdir)
