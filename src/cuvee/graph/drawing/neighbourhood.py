"""The part of a release's graph that a reader asks about: a package, or all that a finding speaks of."""

import itertools
from collections.abc import Collection, Mapping, Sequence

import networkx as nx

from cuvee.graph.drawing.model import Picture, PictureArrow, PictureNode, Role
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import Edge, PlatformGraph, ReleaseGraph

MOST_NEIGHBOURS = 10
"""How many boxes one side of a package may have before the rest become one."""

_MOST_CENTRES = 6
_LONGEST = 22


def neighbourhood(
    release: ReleaseGraph, graph: PlatformGraph, names: Collection[str], verdicts: Mapping[str, Verdict]
) -> Picture:
    """Choose what to draw around some packages.

    That is: what they need directly, what needs them directly, and for each of them one shortest way from
    the blessed set. Sides with more than `MOST_NEIGHBOURS` boxes show the worst and the blessed first, and
    say how many more there are. Arrows that begin or end elsewhere are left out, unless they are unmet:
    they hide those that the reader asked about.
    """
    blessed = {item.name for item in release.requested(graph.platform)}
    centres = [name for name in dict.fromkeys(names) if _is_known(graph, name)][:_MOST_CENTRES]
    kept: dict[str, None] = dict.fromkeys(centres)
    ways: set[tuple[str, str]] = set()
    more: list[tuple[str, str, int]] = []
    for centre in centres:
        for side, found in (("from", _asking(graph, centre)), ("to", _asked(graph, centre))):
            ranked = sorted(found, key=lambda name: _rank(name, blessed, verdicts))
            few = len(ranked) <= MOST_NEIGHBOURS + 1
            shown = ranked if few else ranked[:MOST_NEIGHBOURS]
            kept.update(dict.fromkeys(shown))
            if not few:
                more.append((centre, side, len(ranked) - len(shown)))
        way = _way(graph, centre, blessed)
        kept.update(dict.fromkeys(way))
        ways.update(itertools.pairwise(way))
    edges = [
        edge
        for edge in _edges(graph, kept)
        if not edge.satisfied
        or {edge.source.name, edge.target} & set(centres)
        or (edge.source.name, edge.target) in ways
    ]
    asked = _asked_for(edges, centres)
    nodes = [
        _node(graph, name, centres, blessed, verdicts, asked.get(name, ""))
        for name in sorted(kept, key=lambda name: (name.startswith("__"), name))
    ]
    links = [
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
        links.append(PictureArrow(source=pair[0], target=pair[1]))
    title = f"{', '.join(centres)} in {release.manifest.release_name} on {graph.platform}"
    return Picture(title=title, nodes=tuple(nodes), links=tuple(links))


def around_finding(release: ReleaseGraph, graph: PlatformGraph, finding: Finding) -> Picture | None:
    """Choose what to draw for a finding; `None` if none of its packages is on the platform."""
    names = [name for name in finding.packages if _is_known(graph, name)]
    if not names:
        return None
    marked = dict.fromkeys(names[:1], finding.verdict)
    picture = neighbourhood(release, graph, names, marked)
    return Picture(
        title=f"{', '.join(names[:3])}{' …' if len(names) > 3 else ''} on {graph.platform}",  # noqa: PLR2004
        nodes=picture.nodes,
        links=picture.links,
    )


def _is_known(graph: PlatformGraph, name: str) -> bool:
    return name in graph.graph or any(edge.target == name for edge in graph.edges)


def _asking(graph: PlatformGraph, name: str) -> list[str]:
    return sorted(
        {edge.source.name for edge in graph.edges if edge.target == name and edge.source.name != name}
    )


def _asked(graph: PlatformGraph, name: str) -> list[str]:
    return sorted(
        {
            edge.target
            for edge in graph.edges
            if edge.source.name == name and edge.target is not None and edge.target != name
        }
    )


def _rank(
    name: str, blessed: Collection[str], verdicts: Mapping[str, Verdict]
) -> tuple[int, bool, bool, str]:
    """Sort the worst first, then the blessed, then the rest; what the system offers comes last."""
    order = list(Verdict)
    return -order.index(verdicts.get(name, Verdict.READY)), name.startswith("__"), name not in blessed, name


def _way(graph: PlatformGraph, name: str, blessed: Collection[str]) -> Sequence[str]:
    """Give one shortest way from the blessed set to a package; the first by name among equals."""
    if name in blessed or name not in graph.graph:
        return ()
    ways = nx.single_source_shortest_path(graph.graph.reverse(copy=False), name)
    found = sorted((len(ways[top]), top) for top in blessed if top in ways)
    return tuple(reversed(ways[found[0][1]])) if found else ()


def _edges(graph: PlatformGraph, kept: Collection[str]) -> list[Edge]:
    found: dict[tuple[str, str], Edge] = {}
    for edge in graph.edges:
        if edge.source.name in kept and edge.target in kept and edge.target is not None:
            before = found.get((edge.source.name, edge.target))
            if before is None or before.satisfied:
                found[edge.source.name, edge.target] = edge
    return [found[pair] for pair in sorted(found)]


def _asked_for(edges: Sequence[Edge], centres: Collection[str]) -> dict[str, str]:
    """Give for each neighbour what it asks of the centre, or the centre of it, in a few characters."""
    found: dict[str, str] = {}
    for edge in edges:
        ends = edge.source.name, edge.target or ""
        other = ends[1] if ends[0] in centres else ends[0]
        if other in centres:
            continue
        asked = edge.spec.removeprefix(ends[1]).strip()
        if asked and asked != "*":
            word = "asked for" if ends[0] in centres else "asks for"
            found[other] = f"{word} {asked if len(asked) <= _LONGEST else asked[: _LONGEST - 1] + '…'}"
    return found


def _node(  # noqa: PLR0917 - a name, and all that decides how it looks
    graph: PlatformGraph,
    name: str,
    centres: Collection[str],
    blessed: Collection[str],
    verdicts: Mapping[str, Verdict],
    asked: str,
) -> PictureNode:
    package = graph.lock.by_name.get(name)
    system = next((item for item in graph.lock.virtual_packages if item.name == name), None)
    role: Role = "centre" if name in centres else "blessed" if name in blessed else "closure"
    if package is None:
        role = "system" if system is not None or name.startswith("__") else "missing"
    note = package.version if package else system.version if system else "not there"
    told = (package.identifier, f"{package.size / 1e6:.1f} MB") if package else ()
    return PictureNode(
        key=name,
        title=name,
        note=f"{note} · {asked}" if asked else note,
        role=role,
        verdict=verdicts.get(name, Verdict.READY),
        told=told,
    )
