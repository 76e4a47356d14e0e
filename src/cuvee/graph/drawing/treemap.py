"""A treemap: every package as large as its archive, in the group of the requested package that needs it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import networkx as nx

from cuvee.conda.package_record import LockedPackage
from cuvee.graph.drawing.svg import (
    HEAD,
    MARGIN,
    MARKS,
    TONES,
    WIDTH,
    element,
    finish,
    fitting,
    headed_canvas,
    text_width,
    tooltip,
)
from cuvee.graph.findings import Verdict
from cuvee.graph.release_graph import PlatformGraph

SHARED = "shared"
"""The group of packages that several requested ones need."""

_HEIGHT, _BAND = 620.0, 17.0
_SMALL, _NORMAL = 10.5, 12.0
_UNNAMED = 26.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TreemapGroup:
    """A requested package and the packages that only it needs, the largest first.

    Attributes
    ----------
    name
        That of the requested package, or `SHARED`.
    """

    name: str
    packages: tuple[LockedPackage, ...]

    @property
    def size(self) -> int:
        """Bytes of all archives."""
        return sum(package.size for package in self.packages)


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle."""

    left: float
    top: float
    width: float
    height: float

    def inside(self, edge: float, band: float = 0.0) -> "Rectangle":
        """Return the rectangle inside an ``edge`` and below a ``band``."""
        return Rectangle(
            self.left + edge,
            self.top + edge + band,
            max(self.width - 2 * edge, 0),
            max(self.height - 2 * edge - band, 0),
        )


def groups(graph: PlatformGraph, requested: Collection[str]) -> tuple[TreemapGroup, ...]:
    """Return the groups of a closure, the largest first.

    A package belongs to a requested one if no other requested package needs it, directly or through others.
    """
    needed_by: dict[str, set[str]] = {}
    for root in sorted(requested):
        if root in graph.graph:
            for name in {root, *nx.descendants(graph.graph, root)}:
                needed_by.setdefault(name, set()).add(root)
    found: dict[str, list[LockedPackage]] = {}
    for package in graph.lock.packages:
        by = needed_by.get(package.name, set())
        owner = package.name if package.name in requested else next(iter(by)) if len(by) == 1 else SHARED
        found.setdefault(owner, []).append(package)
    made = [
        TreemapGroup(name=name, packages=tuple(sorted(packages, key=lambda item: (-item.size, item.name))))
        for name, packages in found.items()
    ]
    return tuple(sorted(made, key=lambda group: (-group.size, group.name)))


def squarify(sizes: Sequence[float], box: Rectangle) -> list[Rectangle]:
    """Return parts of a box in the given sizes (descending), as square as possible.

    Bruls, Huizing, van Wijk, "Squarified Treemaps", 2000: https://doi.org/10.1007/978-3-7091-6783-0_4. Sizes
    of 0 get boxes without area.
    """
    total = sum(sizes)
    if total <= 0 or box.width <= 0 or box.height <= 0:
        return [Rectangle(box.left, box.top, 0, 0) for _ in sizes]
    scale = box.width * box.height / total
    areas = [size * scale for size in sizes]
    boxes: list[Rectangle] = []
    start = 0
    while start < len(areas):
        side = min(box.width, box.height)
        end, row = start + 1, areas[start]
        while end < len(areas) and _worst(areas[start : end + 1], row + areas[end], side) <= _worst(
            areas[start:end], row, side
        ):
            row += areas[end]
            end += 1
        placed, box = _row(areas[start:end], row, box)
        boxes += placed
        start = end
    return boxes


def _worst(areas: Sequence[float], total: float, side: float) -> float:
    if total <= 0 or areas[-1] <= 0:
        return float("inf")
    return max(side**2 * areas[0] / total**2, total**2 / (side**2 * areas[-1]))


def _row(areas: Sequence[float], total: float, box: Rectangle) -> tuple[list[Rectangle], Rectangle]:
    """Return the boxes of one row along the shorter side, and the rest of the box."""
    upright = box.width >= box.height
    side, start = (box.height, box.top) if upright else (box.width, box.left)
    depth = total / side if side else 0
    placed = []
    for area in areas:
        length = area / depth if depth else 0
        ends = (box.left, start, depth, length) if upright else (start, box.top, length, depth)
        placed.append(Rectangle(*ends))
        start += length
    if upright:
        return placed, Rectangle(box.left + depth, box.top, max(box.width - depth, 0), box.height)
    return placed, Rectangle(box.left, box.top + depth, box.width, max(box.height - depth, 0))


def draw_treemap(
    graph: PlatformGraph,
    requested: Collection[str],
    verdicts: Mapping[str, Verdict],
    *,
    release_name: str,
    standalone: bool = True,
) -> str:
    """Return the treemap of a platform's closure as SVG."""
    found = groups(graph, requested)
    total = sum(group.size for group in found)
    title = f"Sizes of packages in {release_name} on {graph.platform}"
    note = (
        f"{len(graph.lock.packages)} packages, {_megabytes(total)} of archives. A frame has a requested "
        "package and what only it needs; shared has what several need."
    )
    root = headed_canvas(HEAD + _HEIGHT + MARGIN, title, note)
    whole = Rectangle(MARGIN, HEAD, WIDTH, _HEIGHT)
    for group, box in zip(found, squarify([group.size for group in found], whole), strict=True):
        _draw_group(root, group, box, verdicts)
    return finish(root, standalone=standalone)


def _draw_group(
    root: ET.Element, group: TreemapGroup, box: Rectangle, verdicts: Mapping[str, Verdict]
) -> None:
    if box.width < 1 or box.height < 1:
        return
    parent = element(root, "g", class_="requested" if group.name != SHARED else "indirect")
    is_named = len(group.packages) > 1 and box.height > 3 * _BAND and box.width > 2 * _UNNAMED
    inner = box.inside(1.5, _BAND if is_named else 0)
    if is_named:
        element(
            parent, "rect", x=box.left + 1, y=box.top + 1, width=box.width - 2, height=_BAND, class_="band"
        )
        label = f"{group.name} {_megabytes(group.size)}"
        text = fitting(label, _NORMAL, box.width - 30) or fitting(group.name, _NORMAL, box.width - 20)
        element(parent, "text", text, x=box.left + 6, y=box.top + 13.5, class_="strong")
    for package, cell in zip(
        group.packages, squarify([item.size for item in group.packages], inner), strict=True
    ):
        _draw_cell(parent, package, cell, verdicts.get(package.name, Verdict.READY), group)
    element(
        parent, "rect", x=box.left + 0.7, y=box.top + 0.7, width=max(box.width - 1.4, 0),
        height=max(box.height - 1.4, 0), class_="group",
    )  # fmt: skip


def _draw_cell(
    parent: ET.Element, package: LockedPackage, cell: Rectangle, verdict: Verdict, group: TreemapGroup
) -> None:
    if cell.width < 0.8 or cell.height < 0.8:  # noqa: PLR2004 - less than a pixel shows nothing
        return
    tone = TONES[verdict]
    role = "requested" if package.name == group.name else "indirect"
    parent = element(parent, "g", class_=f"{role} {tone}")
    reason = "needed by several" if group.name == SHARED else f"needed only by {group.name}"
    reason = "requested" if role == "requested" else reason
    tooltip(parent, (package.stem, _megabytes(package.size), reason, f"verdict: {verdict.value}"))
    element(
        parent, "rect", x=cell.left + 0.5, y=cell.top + 0.5, width=max(cell.width - 1, 0.3),
        height=max(cell.height - 1, 0.3), class_="box",
    )  # fmt: skip
    if cell.height < 2 * _SMALL or cell.width < _UNNAMED:
        return
    mark = f"{MARKS[tone]} " if tone in MARKS else ""
    label = mark + package.name
    is_wide = text_width(label, _NORMAL) <= cell.width - 9
    name = fitting(label, _NORMAL if is_wide else _SMALL, cell.width - 7)
    element(parent, "text", name, x=cell.left + 4, y=cell.top + 14, class_="" if is_wide else "small")
    if cell.height > 3 * _SMALL and name == label:
        size = fitting(_megabytes(package.size), _SMALL, cell.width - 9)
        element(parent, "text", size, x=cell.left + 4, y=cell.top + 27, class_="quiet small")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
