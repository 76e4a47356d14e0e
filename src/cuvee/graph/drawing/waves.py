"""Build waves: the packages that can be built at once, those that can be built after them, and so on."""

from collections.abc import Collection, Mapping
from xml.etree import ElementTree as ET

import networkx as nx

from cuvee.graph.drawing.svg import (
    HEAD,
    MARGIN,
    MARKS,
    TONES,
    WIDTH,
    element,
    finish,
    headed_canvas,
    text_width,
    tooltip,
)
from cuvee.graph.findings import Verdict
from cuvee.graph.release_graph import PlatformGraph

_LABEL = 92.0
_CHIP, _GAP, _PAD, _SIZE = 24.0, 6.0, 8.0, 12.0


def waves(graph: PlatformGraph) -> tuple[tuple[tuple[str, ...], ...], ...]:
    """Return the waves in order; each has groups of one package, or of several that depend on each other.

    A group is in the first wave after all of its dependencies.
    """
    condensed = nx.condensation(graph.graph.reverse(copy=False))
    found = []
    for generation in nx.topological_generations(condensed):
        groups = [tuple(sorted(condensed.nodes[number]["members"])) for number in generation]
        found.append(tuple(sorted(groups)))
    return tuple(found)


def longest_chain(graph: PlatformGraph) -> tuple[str, ...]:
    """Return one of the longest chains of dependent packages, in the order of building.

    It is the critical path: no number of builders makes a rebuild of all packages shorter.
    """
    condensed = nx.condensation(graph.graph.reverse(copy=False))
    order = sorted(condensed, key=lambda number: min(condensed.nodes[number]["members"]))
    stable = nx.relabel_nodes(condensed, {old: new for new, old in enumerate(order)})
    return tuple(min(stable.nodes[number]["members"]) for number in nx.dag_longest_path(stable))


def draw_waves(
    graph: PlatformGraph,
    requested: Collection[str],
    verdicts: Mapping[str, Verdict],
    *,
    release_name: str,
    standalone: bool = True,
) -> str:
    """Return a platform's build waves as SVG, one below the other."""
    found, chain = waves(graph), longest_chain(graph)
    title = f"Build waves of {release_name} on {graph.platform}"
    note = (
        f"{len(found)} waves. Packages of one depend only on packages of those above it. "
        f"The longest chain has {len(chain)} packages, framed: {_chain_text(chain)}"
    )
    root = headed_canvas(0.0, title, note)
    top = HEAD + 4
    for number, groups in enumerate(found, 1):
        top = _draw_wave(root, number, groups, top, frozenset(requested), verdicts, frozenset(chain))
    height = f"{top + MARGIN - _GAP:.1f}"
    root.set("height", height)
    root.set("viewBox", f"0 0 {WIDTH + 2 * MARGIN:.0f} {height}")
    return finish(root, standalone=standalone)


def _chain_text(chain: tuple[str, ...]) -> str:
    shown = chain if len(chain) <= 6 else (*chain[:3], "…", *chain[-2:])  # noqa: PLR2004 - as many as fit on a line
    return " → ".join(shown)


def _draw_wave(  # noqa: PLR0917 - a position, and all that is drawn there
    root: ET.Element,
    number: int,
    groups: tuple[tuple[str, ...], ...],
    top: float,
    requested: frozenset[str],
    verdicts: Mapping[str, Verdict],
    chain: frozenset[str],
) -> float:
    """Draw one wave, its boxes in as many lines as they need, and return the height below it."""
    band = element(root, "rect", x=MARGIN, y=top, width=WIDTH, height=0.0, rx=6.0, class_="band")
    count = sum(len(group) for group in groups)
    element(root, "text", f"Wave {number}", x=MARGIN + _PAD, y=top + _GAP + 11, class_="strong")
    noun = "package" if count == 1 else "packages"
    element(root, "text", f"{count} {noun}", x=MARGIN + _PAD, y=top + _GAP + 25, class_="quiet small")
    left, line = MARGIN + _LABEL, top + _GAP
    for group in groups:
        text = " + ".join(group)
        verdict = max((verdicts.get(name, Verdict.READY) for name in group), default=Verdict.READY)
        mark = f"{MARKS[TONES[verdict]]} " if TONES[verdict] in MARKS else ""
        strong = bool(requested.intersection(group))
        width = text_width(mark + text, _SIZE, strong=strong) + 2 * _PAD
        if left + width > MARGIN + WIDTH - _GAP and left > MARGIN + _LABEL:
            left, line = MARGIN + _LABEL, line + _CHIP + _GAP
        role = "centre" if chain.intersection(group) else "requested" if strong else "indirect"
        box = element(root, "g", class_=f"{role} {TONES[verdict]}")
        relation = "they depend on each other" if len(group) > 1 else ""
        tooltip(box, (text, relation, f"verdict: {verdict.value}"))
        element(box, "rect", x=left, y=line, width=width, height=_CHIP, rx=12.0, class_="box")
        element(box, "text", mark + text, x=left + _PAD, y=line + 16, class_="strong" if strong else "")
        left += width + _GAP
    bottom = line + _CHIP + _GAP
    band.set("height", f"{bottom - top:.1f}")
    return bottom + _GAP
