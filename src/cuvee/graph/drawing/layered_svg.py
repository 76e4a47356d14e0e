"""A picture drawn in layers: what asks on the left, what is asked for on the right."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from cuvee.graph.drawing.model import Picture, PictureArrow, PictureNode
from cuvee.graph.drawing.sugiyama import LayeredLayout, LayerSlot, lay_out
from cuvee.graph.drawing.svg import MARKS, TONES, canvas, element, finish, number, text_width, tooltip

_BOX, _LANE, _GAP = 34.0, 6.0, 12.0
_PAD, _MARGIN, _BETWEEN, _HEAD = 10.0, 16.0, 70.0, 34.0
_TITLE_SIZE, _NOTE_SIZE = 12.0, 10.5
_TIP = 6.0
_STRONG = frozenset({"centre", "blessed", "missing"})


def draw(picture: Picture, *, alone: bool = True) -> str:
    """Draw a picture as SVG, its layers as columns; the same picture gives the same text."""
    nodes = {node.key: node for node in picture.nodes}
    arrows = [(link.source, link.target) for link in picture.links]
    layout = lay_out(tuple(nodes), arrows, box=_BOX, lane=_LANE, gap=_GAP)
    widths = [
        _column_width([nodes[place.key] for place in column if not place.target]) for column in layout.columns
    ]
    lefts = [_MARGIN + sum(widths[:number]) + _BETWEEN * number for number in range(len(widths))]
    width = max(_MARGIN * 2 + sum(widths) + _BETWEEN * max(len(widths) - 1, 0), _title_width(picture.title))
    root = canvas(width, _HEAD + layout.height + _MARGIN * 2, picture.title, _describe(picture))
    element(root, "text", picture.title, x=_MARGIN, y=_MARGIN + 8, class_="heading")
    spans = {
        place: (lefts[column], widths[column])
        for column, places in enumerate(layout.columns)
        for place in places
    }
    below = element(root, "g", transform=f"translate(0 {number(_HEAD + _MARGIN / 2)})")
    for link in sorted(picture.links, key=lambda link: link.satisfied, reverse=True):
        if link.source != link.target:
            _draw_link(below, link, layout, spans)
    for node in picture.nodes:
        left, room = spans[layout.boxes[node.key]]
        _draw_node(below, node, left, layout.middle[layout.boxes[node.key]] - _BOX / 2, room)
    return finish(root, alone=alone)


def _title_width(title: str) -> float:
    return text_width(title, 15, strong=True) + 2 * _MARGIN


def _describe(picture: Picture) -> str:
    return f"{len(picture.nodes)} boxes; an arrow leads from what asks to what is asked for."


def _column_width(nodes: Sequence[PictureNode]) -> float:
    return max((_node_width(node) for node in nodes), default=0.0)


def _node_width(node: PictureNode) -> float:
    title = text_width(node.title, _TITLE_SIZE, strong=node.role in _STRONG) + (
        16 if _tone(node) in MARKS else 0
    )
    return max(title, text_width(node.note, _NOTE_SIZE)) + 2 * _PAD


def _tone(node: PictureNode) -> str:
    return "blocked" if node.role == "missing" else TONES[node.verdict]


def _draw_node(parent: ET.Element, node: PictureNode, left: float, top: float, width: float) -> None:
    tone = _tone(node)
    group = element(parent, "g", class_=f"{node.role} {tone}")
    tooltip(group, (node.title, node.note, f"verdict: {node.verdict.value}", *node.told))
    element(group, "rect", x=left, y=top, width=width, height=_BOX, rx=6.0, class_="box")
    strong = "strong" if node.role in _STRONG else ""
    if node.note:
        element(group, "text", node.title, x=left + _PAD, y=top + 14.5, class_=strong)
        element(group, "text", node.note, x=left + _PAD, y=top + 27.5, class_="quiet small")
    else:
        element(group, "text", node.title, x=left + _PAD, y=top + 21.0, class_=strong)
    if tone in MARKS:
        element(
            group, "text", MARKS[tone], x=left + width - _PAD, y=top + 15.0, class_="mark", text_anchor="end"
        )


def _draw_link(
    parent: ET.Element, link: PictureArrow, layout: LayeredLayout, spans: dict[LayerSlot, tuple[float, float]]
) -> None:
    arrow = (link.source, link.target)
    is_turned = arrow in layout.turned
    path = layout.paths[arrow]
    points = [_passage(place, layout, spans) for place in path]
    start = (spans[path[0]][0] + spans[path[0]][1], layout.middle[path[0]])
    line = [f"M{number(start[0])} {number(start[1])}"]
    here = start
    for place, (left, height, right) in zip(path[1:], points[1:], strict=True):
        is_end = place is path[-1]
        end = left - (_TIP if is_end and not is_turned else 0)
        half = (here[0] + end) / 2
        line.append("C" + " ".join(map(number, (half, here[1], half, height, end, height))))
        if not is_end:
            line.append(f"H{number(right)}")
            here = (right, height)
    kind = "" if link.satisfied else " unmet"
    group = element(parent, "g")
    tooltip(group, (f"{link.source} needs {link.spec or link.target}", "" if link.satisfied else "not met"))
    element(group, "path", d=" ".join(line), class_=f"link{kind}{' turned' if is_turned else ''}")
    if is_turned:  # it was led from left to right; its tip belongs at the left
        _tip(group, start[0] + _TIP, start[1], -_TIP, kind)
    else:
        left, height, _ = points[-1]
        _tip(group, left - _TIP, height, _TIP, kind)


def _passage(
    place: LayerSlot, layout: LayeredLayout, spans: dict[LayerSlot, tuple[float, float]]
) -> tuple[float, float, float]:
    left, width = spans[place]
    return left, layout.middle[place], left + width


def _tip(parent: ET.Element, back: float, height: float, length: float, kind: str) -> None:
    element(
        parent,
        "path",
        d=f"M{number(back + length)} {number(height)} L{number(back)} {number(height - 3.5)} "
        f"V{number(height + 3.5)} Z",
        class_=f"tip{kind}",
    )
