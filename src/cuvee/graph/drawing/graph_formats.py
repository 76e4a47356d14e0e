"""A platform's whole graph for other programs: GraphML, DOT and JSON."""

import io
import json
from collections.abc import Callable, Collection, Mapping

import networkx as nx

from cuvee.graph.drawing.model import Picture
from cuvee.graph.drawing.svg import clean
from cuvee.graph.findings import Verdict
from cuvee.graph.release_graph import PlatformGraph

_COLOURS = {
    Verdict.READY: "#eef4f0",
    Verdict.INFO: "#eef4f0",
    Verdict.WAIVED: "#e8f0f9",
    Verdict.WARNING: "#fcf1da",
    Verdict.WAITING: "#efeafa",
    Verdict.NEEDS_APPROVAL: "#fcf1da",
    Verdict.BLOCKED: "#fcebea",
}


def whole(
    graph: PlatformGraph, blessed: Collection[str], verdicts: Mapping[str, Verdict]
) -> "nx.DiGraph[str]":
    """Give the closure with plain attributes; an arrow leads from what asks to what is asked for."""
    made: nx.DiGraph[str] = nx.DiGraph(platform=graph.platform)
    for package in graph.lock.packages:
        made.add_node(
            package.name,
            version=package.version,
            build=package.build,
            subdir=package.subdir,
            size=package.size,
            license=clean(package.license or ""),
            blessed=package.name in blessed,
            verdict=verdicts.get(package.name, Verdict.READY).value,
        )
    for edge in sorted(graph.edges, key=lambda edge: (edge.source.name, edge.target or "", edge.spec)):
        if edge.target is not None and edge.target in made:
            made.add_edge(edge.source.name, edge.target, spec=clean(edge.spec), satisfied=edge.satisfied)
    return made


def part(picture: Picture, platform: str) -> "nx.DiGraph[str]":
    """Give what a picture shows, with plain attributes."""
    made: nx.DiGraph[str] = nx.DiGraph(platform=platform)
    for node in picture.nodes:
        made.add_node(clean(node.key), note=clean(node.note), role=node.role, verdict=node.verdict.value)
    for link in picture.links:
        made.add_edge(clean(link.source), clean(link.target), spec=clean(link.spec), satisfied=link.satisfied)
    return made


def graphml(graph: "nx.DiGraph[str]") -> str:
    """Write a graph as GraphML, which Gephi, yEd and networkx read."""
    stream = io.BytesIO()
    nx.write_graphml_xml(graph, stream)
    return stream.getvalue().decode() + "\n"


def as_json(graph: "nx.DiGraph[str]") -> str:
    """Write a graph as JSON: ``nodes`` and ``edges``, as networkx and D3 know them."""
    value = nx.node_link_data(graph, edges="edges")
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def dot(graph: "nx.DiGraph[str]") -> str:
    """Write a graph in Graphviz's language."""
    lines = [
        "digraph release {",
        "  rankdir=LR;",
        '  node [shape=box, style="rounded,filled", fontname="sans-serif"];',
    ]
    for name, facts in graph.nodes(data=True):
        label = f"{name}\n{facts.get('version') or facts.get('note', '')}"
        colour = _COLOURS[Verdict(facts["verdict"])]
        pen = ", penwidth=2" if facts.get("blessed") or facts.get("role") == "centre" else ""
        lines.append(f"  {_quoted(name)} [label={_quoted(label)}, fillcolor={_quoted(colour)}{pen}];")
    for source, target, facts in graph.edges(data=True):
        style = "" if facts["satisfied"] else ', color="#b32020", style=dashed'
        lines.append(f"  {_quoted(source)} -> {_quoted(target)} [tooltip={_quoted(facts['spec'])}{style}];")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


FORMATS: Mapping[str, Callable[["nx.DiGraph[str]"], str]] = {"graphml": graphml, "dot": dot, "json": as_json}
"""What writes each format; ``svg`` is drawn elsewhere."""
