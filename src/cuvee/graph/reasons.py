"""Why a package is in the release, and who would be hit without it: read off the stored graph, not solved."""

from collections.abc import Mapping
from dataclasses import dataclass

from cuvee.conda.package_record import LockedPackage
from cuvee.errors import UsageError
from cuvee.graph.dependency_paths import Dependency, DependencyPaths
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.manifest.documents.suggestions import did_you_mean
from cuvee.manifest.model import Requirement

MOST_REASONS = 100
"""Shortest reasons that are listed; there may be more of them than anybody could read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementChain:
    """A line of the manifest, and the shortest chain of dependencies from it to the package."""

    requirement: Requirement
    links: tuple[Dependency, ...]


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
    reasons: tuple[RequirementChain, ...]
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
    return tuple(_why(DependencyPaths.of(graph), release, name) for graph in release.platforms)


def needs(release: ReleaseGraph, name: str) -> tuple[Needs, ...]:
    """Give all who would be hit if ``name`` were broken or gone, per platform.

    Raises
    ------
    UsageError
        If the release has no such package; near names are offered.
    """
    name = known_name(release, name)
    return tuple(_needs(DependencyPaths.of(graph), release, name) for graph in release.platforms)


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


def _blessed(release: ReleaseGraph, platform: str) -> dict[str, Requirement]:
    return {item.name: item for item in release.requested(platform)}


def _why(links: DependencyPaths, release: ReleaseGraph, name: str) -> Why:
    blessed = _blessed(release, links.graph.platform)
    distances = links.distances(name)
    roots = [root for root in distances if root in blessed and root != name]
    nearest = min((distances[root] for root in roots), default=0)
    roots = sorted(root for root in roots if distances[root] == nearest)
    reasons: list[RequirementChain] = []
    for root in roots:
        for chain in links.chains(distances, root):
            if len(reasons) == MOST_REASONS:
                break
            reasons.append(RequirementChain(requirement=blessed[root], links=chain))
    counts = links.counts(distances, nearest)
    return Why(
        platform=links.graph.platform,
        stems=links.stems(name),
        asked_for=blessed.get(name),
        reasons=tuple(reasons),
        count=sum(counts[root] for root in roots),
    )


def _needs(links: DependencyPaths, release: ReleaseGraph, name: str) -> Needs:
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
            through=tuple(links.next_from(distances, source)) if distance > 1 else (),
        )
        for source, distance in distances.items()
        if distance
    ]
    found.sort(key=lambda item: (item.requirement is None, item.distance, item.name))
    return Needs(platform=links.graph.platform, stems=links.stems(name), dependents=tuple(found))
