"""Why a package is in the release, and who would be hit without it: read off the stored graph, not solved."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from cuvee.errors import UsageError
from cuvee.graph.release_graph import PlatformGraph, ReleaseGraph
from cuvee.lock.model import LockedPackage
from cuvee.manifest.model import Requirement
from cuvee.manifest.problems import did_you_mean

MOST_REASONS = 100
"""Shortest reasons that are listed; there may be more of them than anybody could read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One package needs another: all that the first one's ``depends`` says of the second."""

    source: str
    target: str
    specs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A line of the manifest, and the shortest chain of dependencies from it to the package."""

    requirement: Requirement
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why a package is there on one platform.

    Attributes
    ----------
    stems
        The records of that name, one as a rule: ``name-version-build``; for a virtual package what the
        floor offers. None if the platform has no such package.
    asked_for
        The manifest's own line for it, if it is one of the blessed set.
    reasons
        The shortest chains from other blessed packages, sorted; at most `MOST_REASONS` of them.
    count
        How many shortest chains there are.
    """

    platform: str
    stems: tuple[str, ...]
    asked_for: Requirement | None
    reasons: tuple[Reason, ...]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependent:
    """A package that needs another, itself or through others.

    Attributes
    ----------
    package
        Its ``name-version-build``.
    requirement
        The manifest's line, if it is one of the blessed set.
    distance
        Dependencies on the shortest way; 1 is direct.
    specs
        What it asks for, when it is direct.
    through
        Names of the packages that its shortest ways go to first, when it is not.
    """

    name: str
    package: str
    requirement: Requirement | None
    distance: int
    specs: tuple[str, ...] = ()
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Who needs a package on one platform: the blessed first, then the nearest."""

    platform: str
    stems: tuple[str, ...]
    dependents: tuple[Dependent, ...]


def why(release: ReleaseGraph, name: str) -> tuple[Why, ...]:
    """Give all shortest reasons for ``name``, per platform.

    Raises
    ------
    UsageError
        If the release has no such package; near names are offered.
    """
    name = known_name(release, name)
    return tuple(_why(_Links.of(graph), release, name) for graph in release.platforms)


def needs(release: ReleaseGraph, name: str) -> tuple[Needs, ...]:
    """Give all who would be hit if ``name`` were broken or gone, per platform.

    Raises
    ------
    UsageError
        If the release has no such package; near names are offered.
    """
    name = known_name(release, name)
    return tuple(_needs(_Links.of(graph), release, name) for graph in release.platforms)


def known_name(release: ReleaseGraph, name: str) -> str:
    """Give ``name`` as conda writes it, if the release has such a package on any platform.

    Raises
    ------
    UsageError
        If it has none.
    """
    known = {package.name for graph in release.platforms for package in graph.lock.packages}
    known |= {virtual.name for graph in release.platforms for virtual in graph.lock.virtual_packages}
    known |= {edge.target for graph in release.platforms for edge in graph.edges if edge.target}
    wanted = name.strip().lower()
    if wanted in known:
        return wanted
    advice = did_you_mean(wanted, sorted(known))
    raise UsageError(
        f"{release.manifest.release_name} has no package {name!r}" + (f"; {advice}" if advice else ""),
        hint=f"`cuvee check {release.manifest.path} --json` lists its packages.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Links:
    """One platform's dependencies by name, forwards and backwards."""

    graph: PlatformGraph
    specs: Mapping[tuple[str, str], tuple[str, ...]]
    sources: Mapping[str, tuple[str, ...]]
    targets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: PlatformGraph) -> "_Links":
        specs: dict[tuple[str, str], list[str]] = defaultdict(list)
        for edge in graph.edges:
            if edge.target is not None and edge.target != edge.source.name:
                specs[edge.source.name, edge.target].append(edge.spec)
        return cls(
            graph=graph,
            specs={pair: tuple(dict.fromkeys(texts)) for pair, texts in specs.items()},
            sources=_grouped((target, source) for source, target in specs),
            targets=_grouped(specs),
        )

    def stems(self, name: str) -> tuple[str, ...]:
        """Give the records of a name on this platform."""
        lock = self.graph.lock
        return tuple(
            [package.stem for package in lock.packages if package.name == name]
            + [str(virtual) for virtual in lock.virtual_packages if virtual.name == name]
        )

    def distances(self, name: str) -> dict[str, int]:
        """Give how far each package that needs ``name`` is from it; ``name`` itself is at 0."""
        found, level = {name: 0}, [name]
        while level:
            level = sorted(
                {source for target in level for source in self.sources.get(target, ())} - found.keys()
            )
            distance = max(found.values()) + 1
            found |= dict.fromkeys(level, distance)
        return found


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return {key: tuple(sorted(values)) for key, values in groups.items()}


def _blessed(release: ReleaseGraph, platform: str) -> dict[str, Requirement]:
    return {item.name: item for item in release.manifest.requirements(platform)}


def _why(links: _Links, release: ReleaseGraph, name: str) -> Why:
    blessed = _blessed(release, links.graph.platform)
    distances = links.distances(name)
    roots = [root for root in distances if root in blessed and root != name]
    nearest = min((distances[root] for root in roots), default=0)
    roots = sorted(root for root in roots if distances[root] == nearest)
    reasons: list[Reason] = []
    for root in roots:
        for chain in _chains(links, distances, root):
            if len(reasons) == MOST_REASONS:
                break
            reasons.append(Reason(requirement=blessed[root], links=chain))
    counts = _counts(links, distances, nearest)
    return Why(
        platform=links.graph.platform,
        stems=links.stems(name),
        asked_for=blessed.get(name),
        reasons=tuple(reasons),
        count=sum(counts[root] for root in roots),
    )


def _next(links: _Links, distances: Mapping[str, int], source: str) -> list[str]:
    """Give where the shortest ways from ``source`` go first."""
    nearer = distances[source] - 1
    return [target for target in links.targets.get(source, ()) if distances.get(target) == nearer]


def _chains(links: _Links, distances: Mapping[str, int], source: str) -> Iterator[tuple[Link, ...]]:
    if distances[source] == 0:
        yield ()
        return
    for target in _next(links, distances, source):
        link = Link(source=source, target=target, specs=links.specs[source, target])
        for rest in _chains(links, distances, target):
            yield (link, *rest)


def _counts(links: _Links, distances: Mapping[str, int], farthest: int) -> dict[str, int]:
    """Count the shortest ways from each package, without walking them."""
    counts: dict[str, int] = {}
    for source in sorted(distances, key=distances.__getitem__):
        if distances[source] > farthest:
            break
        ways = (counts[target] for target in _next(links, distances, source))
        counts[source] = sum(ways) if distances[source] else 1
    return counts


def _needs(links: _Links, release: ReleaseGraph, name: str) -> Needs:
    blessed = _blessed(release, links.graph.platform)
    distances = links.distances(name)
    packages: Mapping[str, LockedPackage] = links.graph.lock.by_name
    found = [
        Dependent(
            name=source,
            package=packages[source].stem,
            requirement=blessed.get(source),
            distance=distance,
            specs=links.specs[source, name] if distance == 1 else (),
            through=tuple(_next(links, distances, source)) if distance > 1 else (),
        )
        for source, distance in distances.items()
        if distance
    ]
    found.sort(key=lambda item: (item.requirement is None, item.distance, item.name))
    return Needs(platform=links.graph.platform, stems=links.stems(name), dependents=tuple(found))
