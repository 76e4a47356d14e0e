"""Why a package is in the release, and what depends on it: read from the stored graph, without solving."""

from dataclasses import dataclass

from cuvee.errors import UsageError
from cuvee.graph.dependency_paths import Dependency, DependencyPaths
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.manifest.documents.suggestions import did_you_mean
from cuvee.manifest.model import Requirement

MOST_REASONS = 100
"""How many shortest chains are listed; there may be thousands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementChain:
    """A requirement of the manifest, and a shortest chain of dependencies from it to the package."""

    requirement: Requirement
    dependencies: tuple[Dependency, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why a package is in the set of one platform.

    Attributes
    ----------
    stems
        The records of that name, normally one: ``name-version-build``; for a virtual package those of the
        floor. Empty if the platform has no such package.
    requirement
        The manifest's own requirement of it, if it is requested.
    reasons
        The shortest chains from other requested packages, sorted; at most `MOST_REASONS` of them.
    count
        How many shortest chains there are.
    """

    platform: str
    stems: tuple[str, ...]
    requirement: Requirement | None
    reasons: tuple[RequirementChain, ...]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependent:
    """A package that depends on another, directly or through others.

    Attributes
    ----------
    package
        Its ``name-version-build``.
    requirement
        The manifest's requirement of it, if it is requested.
    distance
        The number of dependencies on the shortest chain; 1 if it depends on the package directly.
    specs
        Its match specs of the package, if it depends on it directly.
    through
        The first packages on its shortest chains, if it does not.
    """

    name: str
    package: str
    requirement: Requirement | None
    distance: int
    specs: tuple[str, ...] = ()
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What depends on a package on one platform: requested packages first, then the nearest."""

    platform: str
    stems: tuple[str, ...]
    dependents: tuple[Dependent, ...]


def why(release: ReleaseGraph, name: str) -> tuple[Why, ...]:
    """Return the shortest chains that lead to ``name``, per platform; raise as `known_name` does."""
    name = known_name(release, name)
    return tuple(_why(DependencyPaths.of(graph), release, name) for graph in release.platforms)


def needs(release: ReleaseGraph, name: str) -> tuple[Needs, ...]:
    """Return everything that depends on ``name``, per platform; raise as `known_name` does."""
    name = known_name(release, name)
    return tuple(_needs(DependencyPaths.of(graph), release, name) for graph in release.platforms)


def known_name(release: ReleaseGraph, name: str) -> str:
    """Return ``name`` in conda's spelling, if the release has such a package on any platform.

    Raises
    ------
    UsageError
        If it has none; the message suggests similar names.
    """
    known = {package.name for package in release.packages()}
    known |= {virtual.name for graph in release.platforms for virtual in graph.lock.virtual_packages}
    known |= {edge.target for graph in release.platforms for edge in graph.edges if edge.target}
    normalized = name.strip().lower()
    if normalized in known:
        return normalized
    advice = did_you_mean(normalized, sorted(known))
    raise UsageError(
        f"{release.manifest.release_name} has no package {name!r}" + (f"; {advice}" if advice else ""),
        hint=f"`cuvee check {release.manifest.path} --json` lists its packages.",
    )


def _why(paths: DependencyPaths, release: ReleaseGraph, name: str) -> Why:
    requested = {item.name: item for item in release.requested(paths.graph.platform)}
    distances = paths.distances(name)
    roots = [root for root in distances if root in requested and root != name]
    nearest = min((distances[root] for root in roots), default=0)
    roots = sorted(root for root in roots if distances[root] == nearest)
    reasons: list[RequirementChain] = []
    for root in roots:
        for chain in paths.chains(distances, root):
            if len(reasons) == MOST_REASONS:
                break
            reasons.append(RequirementChain(requirement=requested[root], dependencies=chain))
    counts = paths.counts(distances, nearest)
    return Why(
        platform=paths.graph.platform,
        stems=paths.stems(name),
        requirement=requested.get(name),
        reasons=tuple(reasons),
        count=sum(counts[root] for root in roots),
    )


def _needs(paths: DependencyPaths, release: ReleaseGraph, name: str) -> Needs:
    requested = {item.name: item for item in release.requested(paths.graph.platform)}
    distances = paths.distances(name)
    packages = paths.graph.lock.by_name
    found = [
        Dependent(
            name=source,
            package=packages[source].stem,
            requirement=requested.get(source),
            distance=distance,
            specs=paths.specs[source, name] if distance == 1 else (),
            through=tuple(paths.next_from(distances, source)) if distance > 1 else (),
        )
        for source, distance in distances.items()
        if distance
    ]
    found.sort(key=lambda item: (item.requirement is None, item.distance, item.name))
    return Needs(platform=paths.graph.platform, stems=paths.stems(name), dependents=tuple(found))
