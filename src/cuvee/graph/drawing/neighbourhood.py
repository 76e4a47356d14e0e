"""The part of a release's graph around some packages, or around those of a finding."""

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import networkx as nx

from cuvee.graph.dependency_paths import DependencyPaths
from cuvee.graph.drawing.model import Picture, PictureArrow, PictureNode, Role
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import Edge, PlatformGraph, ReleaseGraph

MOST_NEIGHBOURS = 10
"""The number of boxes on one side of a package; the others share one box."""

_MOST_CENTRES = 6
_LONGEST = 22


def neighbourhood(
    release: ReleaseGraph, graph: PlatformGraph, names: Collection[str], verdicts: Mapping[str, Verdict]
) -> Picture:
    """Return a picture of some packages and their neighbourhood.

    It has their direct dependencies, the packages that depend on them directly, and for each of them one
    shortest path from the requested packages. A side with more than `MOST_NEIGHBOURS` boxes shows the worst
    and the requested ones first, and the number of the others. Arrows between other packages are left out
    unless they are unmet, since they would hide the arrows in question.
    """
    requested = {item.name for item in release.requested(graph.platform)}
    centres = [name for name in dict.fromkeys(names) if is_known(graph, name)][:_MOST_CENTRES]
    kept: dict[str, None] = dict.fromkeys(centres)
    paths = DependencyPaths.of(graph)
    on_paths: set[tuple[str, str]] = set()
    more: list[tuple[str, str, int]] = []
    for centre in centres:
        for side, found in (("from", paths.sources.get(centre, ())), ("to", paths.targets.get(centre, ()))):
            ranked = sorted(found, key=lambda name: _rank(name, requested, verdicts))
            few = len(ranked) <= MOST_NEIGHBOURS + 1
            shown = ranked if few else ranked[:MOST_NEIGHBOURS]
            kept.update(dict.fromkeys(shown))
            if not few:
                more.append((centre, side, len(ranked) - len(shown)))
        path = _shortest_path(graph, centre, requested)
        kept.update(dict.fromkeys(path))
        on_paths.update(itertools.pairwise(path))
    edges = [
        edge
        for edge in _edges(graph, kept)
        if not edge.satisfied
        or {edge.source.name, edge.target} & set(centres)
        or (edge.source.name, edge.target) in on_paths
    ]
    notes = _spec_notes(edges, centres)
    nodes = [
        _node(graph, name, centres, requested, verdicts, notes.get(name, ""))
        for name in sorted(kept, key=lambda name: (name.startswith("__"), name))
    ]
    arrows = [
        PictureArrow(
            source=edge.source.name, target=edge.target or "", spec=edge.spec, satisfied=edge.satisfied
        )
        for edge in edges
    ]
    for centre, side, count in more:
        key = f"{side} {centre}"
        words = "that need it" if side == "from" else "that it needs"
        nodes.append(PictureNode(key=key, title=f"{count} more", note=words, role="more"))
        pair = (key, centre) if side == "from" else (centre, key)
        arrows.append(PictureArrow(source=pair[0], target=pair[1]))
    title = f"{', '.join(centres)} in {release.manifest.release_name} on {graph.platform}"
    return Picture(title=title, nodes=tuple(nodes), arrows=tuple(arrows))


def around_finding(release: ReleaseGraph, graph: PlatformGraph, finding: Finding) -> Picture | None:
    """Return a picture for a finding; `None` if none of its packages is on the platform."""
    names = [name for name in finding.packages if is_known(graph, name)]
    if not names:
        return None
    marked = dict.fromkeys(names[:1], finding.verdict)
    picture = neighbourhood(release, graph, names, marked)
    more = " …" if len(names) > 3 else ""  # noqa: PLR2004
    return replace(picture, title=f"{', '.join(names[:3])}{more} on {graph.platform}")


def is_known(graph: PlatformGraph, name: str) -> bool:
    """Whether a platform has a package, or something there requires it."""
    return name in graph.graph or any(edge.target == name for edge in graph.edges)


def _rank(
    name: str, requested: Collection[str], verdicts: Mapping[str, Verdict]
) -> tuple[int, bool, bool, str]:
    """Return a sort key: the worst first, then requested packages, then others; virtual packages last."""
    order = list(Verdict)
    return -order.index(verdicts.get(name, Verdict.READY)), name.startswith("__"), name not in requested, name


def _shortest_path(graph: PlatformGraph, name: str, requested: Collection[str]) -> Sequence[str]:
    """Return a shortest path from a requested package to another one; the first by name among equals."""
    if name in requested or name not in graph.graph:
        return ()
    paths = nx.single_source_shortest_path(graph.graph.reverse(copy=False), name)
    found = sorted((len(paths[root]), root) for root in requested if root in paths)
    return tuple(reversed(paths[found[0][1]])) if found else ()


def _edges(graph: PlatformGraph, kept: Collection[str]) -> list[Edge]:
    found: dict[tuple[str, str], Edge] = {}
    for edge in graph.edges:
        if edge.source.name in kept and edge.target in kept and edge.target is not None:
            before = found.get((edge.source.name, edge.target))
            if before is None or before.satisfied:
                found[edge.source.name, edge.target] = edge
    return [found[pair] for pair in sorted(found)]


def _spec_notes(edges: Sequence[Edge], centres: Collection[str]) -> dict[str, str]:
    """Return for each neighbour the match spec between it and the centre, in a few characters."""
    found: dict[str, str] = {}
    for edge in edges:
        ends = edge.source.name, edge.target or ""
        other = ends[1] if ends[0] in centres else ends[0]
        if other in centres:
            continue
        spec = edge.spec.removeprefix(ends[1]).strip()
        if spec and spec != "*":
            word = "required" if ends[0] in centres else "requires"
            found[other] = f"{word} {spec if len(spec) <= _LONGEST else spec[: _LONGEST - 1] + '…'}"
    return found


def _node(  # noqa: PLR0917 - a name, and all that its box shows
    graph: PlatformGraph,
    name: str,
    centres: Collection[str],
    requested: Collection[str],
    verdicts: Mapping[str, Verdict],
    spec_note: str,
) -> PictureNode:
    package = graph.lock.by_name.get(name)
    system = next((item for item in graph.lock.virtual_packages if item.name == name), None)
    role: Role = "centre" if name in centres else "requested" if name in requested else "indirect"
    if package is None:
        role = "system" if system is not None or name.startswith("__") else "missing"
    note = package.version if package else system.version if system else "missing"
    details = (package.identifier, f"{package.size / 1e6:.1f} MB") if package else ()
    return PictureNode(
        key=name,
        title=name,
        note=f"{note} · {spec_note}" if spec_note else note,
        role=role,
        verdict=verdicts.get(name, Verdict.READY),
        details=details,
    )
