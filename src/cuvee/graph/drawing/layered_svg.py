"""The SVG of a picture in layers: packages on the left, their dependencies on the right."""

from xml.etree import ElementTree as ET

from cuvee.graph.drawing.model import Picture, PictureArrow, PictureNode
from cuvee.graph.drawing.sugiyama import LayeredLayout, LayerSlot, lay_out
from cuvee.graph.drawing.svg import MARKS, TONES, canvas, element, finish, number, text_width, tooltip

_BOX, _LANE, _GAP = 34.0, 6.0, 12.0
_PAD, _MARGIN, _BETWEEN, _HEAD = 10.0, 16.0, 70.0, 34.0
_TITLE_SIZE, _NOTE_SIZE = 12.0, 10.5
_TIP = 6.0
_STRONG = frozenset({"centre", "requested", "missing"})


def draw(picture: Picture, *, standalone: bool = True) -> str:
    """Return a picture as SVG with its layers as columns; the same picture gives the same text."""
    nodes = {node.key: node for node in picture.nodes}
    arrows = [(arrow.source, arrow.target) for arrow in picture.arrows]
    layout = lay_out(tuple(nodes), arrows, box=_BOX, lane=_LANE, gap=_GAP)
    widths = [
        max((_node_width(nodes[slot.key]) for slot in column if not slot.target), default=0.0)
        for column in layout.columns
    ]
    lefts = [_MARGIN + sum(widths[:number]) + _BETWEEN * number for number in range(len(widths))]
    inner = max(sum(widths) + _BETWEEN * max(len(widths) - 1, 0), text_width(picture.title, 15, strong=True))
    description = f"{len(picture.nodes)} boxes; an arrow leads from a package to its dependency."
    root = canvas(inner + _MARGIN * 2, _HEAD + layout.height + _MARGIN * 2, picture.title, description)
    element(root, "text", picture.title, x=_MARGIN, y=_MARGIN + 8, class_="heading")
    spans = {
        slot: (lefts[column], widths[column]) for column, slots in enumerate(layout.columns) for slot in slots
    }
    below = element(root, "g", transform=f"translate(0 {number(_HEAD + _MARGIN / 2)})")
    for arrow in sorted(picture.arrows, key=lambda arrow: arrow.satisfied, reverse=True):
        if arrow.source != arrow.target:
            _draw_arrow(below, arrow, layout, spans)
    for node in picture.nodes:
        left, room = spans[layout.boxes[node.key]]
        _draw_node(below, node, left, layout.middle[layout.boxes[node.key]] - _BOX / 2, room)
    return finish(root, standalone=standalone)


def _node_width(node: PictureNode) -> float:
    title = text_width(node.title, _TITLE_SIZE, strong=node.role in _STRONG)
    title += 16 if _tone(node) in MARKS else 0
    return max(title, text_width(node.note, _NOTE_SIZE)) + 2 * _PAD


def _tone(node: PictureNode) -> str:
    return "blocked" if node.role == "missing" else TONES[node.verdict]


def _draw_node(parent: ET.Element, node: PictureNode, left: float, top: float, width: float) -> None:
    tone = _tone(node)
    group = element(parent, "g", class_=f"{node.role} {tone}")
    tooltip(group, (node.title, node.note, f"verdict: {node.verdict.value}", *node.details))
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


def _draw_arrow(
    parent: ET.Element,
    arrow: PictureArrow,
    layout: LayeredLayout,
    spans: dict[LayerSlot, tuple[float, float]],
) -> None:
    ends = (arrow.source, arrow.target)
    is_turned = ends in layout.turned
    path = layout.paths[ends]
    points = [(spans[slot][0], layout.middle[slot], sum(spans[slot])) for slot in path]
    start = (points[0][2], points[0][1])
    line = [f"M{number(start[0])} {number(start[1])}"]
    here = start
    for slot, (left, height, right) in zip(path[1:], points[1:], strict=True):
        is_end = slot is path[-1]
        end = left - (_TIP if is_end and not is_turned else 0)
        half = (here[0] + end) / 2
        line.append("C" + " ".join(map(number, (half, here[1], half, height, end, height))))
        if not is_end:
            line.append(f"H{number(right)}")
            here = (right, height)
    kind = "" if arrow.satisfied else " unmet"
    group = element(parent, "g")
    tooltip(
        group, (f"{arrow.source} requires {arrow.spec or arrow.target}", "" if arrow.satisfied else "not met")
    )
    element(group, "path", d=" ".join(line), class_=f"link{kind}{' turned' if is_turned else ''}")
    if is_turned:  # it is drawn from left to right like the others, with its tip at the left
        _tip(group, start[0] + _TIP, start[1], -_TIP, kind)
    else:
        left, height, _ = points[-1]
        _tip(group, left - _TIP, height, _TIP, kind)


def _tip(parent: ET.Element, back: float, height: float, length: float, kind: str) -> None:
    element(
        parent,
        "path",
        d=f"M{number(back + length)} {number(height)} L{number(back)} {number(height - 3.5)} "
        f"V{number(height + 3.5)} Z",
        class_=f"tip{kind}",
    )
