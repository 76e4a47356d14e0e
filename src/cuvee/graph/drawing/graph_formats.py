"""A platform's graph for other programs: GraphML (http://graphml.graphdrawing.org), DOT
(https://graphviz.org/doc/info/lang.html) and JSON.
"""

import io
import json
from collections.abc import Callable, Collection, Mapping

import networkx as nx

from cuvee.graph.drawing.model import Picture
from cuvee.graph.drawing.svg import TONES, clean
from cuvee.graph.findings import Verdict
from cuvee.graph.release_graph import PlatformGraph

_COLOURS = {
    "ready": "#eef4f0",
    "waived": "#e8f0f9",
    "warning": "#fcf1da",
    "waiting": "#efeafa",
    "blocked": "#fcebea",
}


def whole_graph(
    graph: PlatformGraph, requested: Collection[str], verdicts: Mapping[str, Verdict]
) -> "nx.DiGraph[str]":
    """Return the closure with plain attributes; an edge leads from a package to its dependency."""
    made: nx.DiGraph[str] = nx.DiGraph(platform=graph.platform)
    for package in graph.lock.packages:
        made.add_node(
            package.name,
            version=package.version,
            build=package.build,
            subdir=package.subdir,
            size=package.size,
            license=clean(package.license or ""),
            requested=package.name in requested,
            verdict=verdicts.get(package.name, Verdict.READY).value,
        )
    for edge in sorted(graph.edges, key=lambda edge: (edge.source.name, edge.target or "", edge.spec)):
        if edge.target is not None and edge.target in made:
            made.add_edge(edge.source.name, edge.target, spec=clean(edge.spec), satisfied=edge.satisfied)
    return made


def part_of_graph(picture: Picture, platform: str) -> "nx.DiGraph[str]":
    """Return the nodes and arrows of a picture, with plain attributes."""
    made: nx.DiGraph[str] = nx.DiGraph(platform=platform)
    for node in picture.nodes:
        made.add_node(clean(node.key), note=clean(node.note), role=node.role, verdict=node.verdict.value)
    for arrow in picture.arrows:
        source, target = clean(arrow.source), clean(arrow.target)
        made.add_edge(source, target, spec=clean(arrow.spec), satisfied=arrow.satisfied)
    return made


def graphml(graph: "nx.DiGraph[str]") -> str:
    """Return a graph as GraphML, which Gephi, yEd and networkx read."""
    stream = io.BytesIO()
    nx.write_graphml_xml(graph, stream)
    return stream.getvalue().decode() + "\n"


def as_json(graph: "nx.DiGraph[str]") -> str:
    """Return a graph as JSON with ``nodes`` and ``edges``, the node-link format of networkx and D3."""
    value = nx.node_link_data(graph, edges="edges")
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def dot(graph: "nx.DiGraph[str]") -> str:
    """Return a graph in DOT, the language of Graphviz."""
    lines = [
        "digraph release {",
        "  rankdir=LR;",
        '  node [shape=box, style="rounded,filled", fontname="sans-serif"];',
    ]
    for name, attributes in graph.nodes(data=True):
        label = f"{name}\n{attributes.get('version') or attributes.get('note', '')}"
        colour = _COLOURS[TONES[Verdict(attributes["verdict"])]]
        pen = ", penwidth=2" if attributes.get("requested") or attributes.get("role") == "centre" else ""
        lines.append(f"  {_quoted(name)} [label={_quoted(label)}, fillcolor={_quoted(colour)}{pen}];")
    for source, target, attributes in graph.edges(data=True):
        style = "" if attributes["satisfied"] else ', color="#b32020", style=dashed'
        lines.append(
            f"  {_quoted(source)} -> {_quoted(target)} [tooltip={_quoted(attributes['spec'])}{style}];"
        )
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


FORMATS: Mapping[str, Callable[["nx.DiGraph[str]"], str]] = {"graphml": graphml, "dot": dot, "json": as_json}
"""The writer of each format; `layered_svg` draws ``svg``."""
