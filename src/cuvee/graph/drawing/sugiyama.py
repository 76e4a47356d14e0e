"""The layout of a directed graph in layers: every arrow points to the right, and few of them cross.

Sugiyama, Tagawa, Toda, "Methods for Visual Understanding of Hierarchical System Structures", 1981:
https://doi.org/10.1109/TSMC.1981.4308636. Layers are columns. An arrow that spans several has a slot in each
one between, so that it never crosses a box. All steps are deterministic.
"""

import itertools
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import networkx as nx

_SWEEPS = 12
_FLOW = 6


class LayerSlot(NamedTuple):
    """The slot of a box in a layer, or of an arrow from box ``key`` to ``target`` that passes the layer."""

    key: str
    layer: int
    target: str | None = None


Neighbours = Mapping[LayerSlot, tuple[list[LayerSlot], list[LayerSlot]]]
"""By slot, the slots that it is joined to in the layer before and in the layer after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayeredLayout:
    """The positions of boxes and arrows, as columns and heights.

    Attributes
    ----------
    columns
        By layer, its slots from top to bottom.
    boxes
        The slot of each box.
    middle
        The height of each slot's middle; the top of the picture is 0.
    paths
        By arrow, the slots that it passes, its ends included, from left to right.
    turned
        The arrows that point to the left, since they close a cycle.
    height
        That of the picture.
    """

    columns: tuple[tuple[LayerSlot, ...], ...]
    boxes: Mapping[str, LayerSlot]
    middle: Mapping[LayerSlot, float]
    paths: Mapping[tuple[str, str], tuple[LayerSlot, ...]]
    turned: frozenset[tuple[str, str]]
    height: float


def lay_out(
    keys: Sequence[str], arrows: Iterable[tuple[str, str]], *, box: float, lane: float, gap: float
) -> LayeredLayout:
    """Return the layout of a graph.

    Parameters
    ----------
    box, lane, gap
        Heights of a box and of an arrow that passes a layer, and the space below each.
    """
    distinct = sorted({arrow for arrow in arrows if arrow[0] != arrow[1]})
    turned = _closing(keys, distinct)
    forward = {arrow: arrow[::-1] if arrow in turned else arrow for arrow in distinct}
    layer = _layers(keys, forward.values())
    boxes = {key: LayerSlot(key, layer[key]) for key in keys}
    paths = {arrow: _path(boxes[left], boxes[right]) for arrow, (left, right) in forward.items()}
    columns: list[list[LayerSlot]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for slot in dict.fromkeys((*boxes.values(), *itertools.chain.from_iterable(paths.values()))):
        columns[slot.layer].append(slot)
    neighbours = _neighbours(paths.values())
    columns = _untangle(columns, neighbours)
    size = {slot: lane if slot.target else box for column in columns for slot in column}
    middle = _heights(columns, neighbours, size, gap)
    return LayeredLayout(
        columns=tuple(tuple(column) for column in columns),
        boxes=boxes,
        middle=middle,
        paths=paths,
        turned=frozenset(turned),
        height=max((middle[slot] + size[slot] / 2 for slot in middle), default=0.0),
    )


def _path(left: LayerSlot, right: LayerSlot) -> tuple[LayerSlot, ...]:
    between = (LayerSlot(left.key, number, right.key) for number in range(left.layer + 1, right.layer))
    return (left, *between, right)


def _closing(keys: Sequence[str], arrows: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return arrows without which there is no cycle: the back edges of a depth-first search."""
    following: dict[str, list[str]] = {key: [] for key in keys}
    for source, target in arrows:
        following[source].append(target)
    closing: set[tuple[str, str]] = set()
    done: set[str] = set()
    for start in keys:
        trail: dict[str, None] = {}
        stack = [(start, False)]
        while stack:
            key, left = stack.pop()
            if left:
                trail.pop(key)
                done.add(key)
            elif key not in done and key not in trail:
                trail[key] = None
                stack.append((key, True))
                closing.update((key, target) for target in following[key] if target in trail)
                stack.extend((target, False) for target in reversed(following[key]) if target not in trail)
    return closing


def _layers(keys: Sequence[str], arrows: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Return the layer of each box: after all that point to it, and close to those that it points to."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(keys)
    graph.add_edges_from(arrows)
    order = list(nx.lexicographical_topological_sort(graph))
    layer: dict[str, int] = {}
    for key in order:
        layer[key] = max((layer[before] + 1 for before in graph.predecessors(key)), default=0)
    for key in reversed(order):
        behind = [layer[target] for target in graph.successors(key)]
        if behind:
            layer[key] = min(behind) - 1
    return layer


def _neighbours(paths: Iterable[Sequence[LayerSlot]]) -> Neighbours:
    found: dict[LayerSlot, tuple[list[LayerSlot], list[LayerSlot]]] = {}
    for path in paths:
        for left, right in itertools.pairwise(path):
            found.setdefault(left, ([], []))[1].append(right)
            found.setdefault(right, ([], []))[0].append(left)
    return found


def _untangle(columns: list[list[LayerSlot]], neighbours: Neighbours) -> list[list[LayerSlot]]:
    """Return the layers in an order with few crossings: sweep both ways by the median, and keep the best."""
    best, fewest = [list(column) for column in columns], _crossings(columns, neighbours)
    for sweep in range(_SWEEPS):
        side = sweep % 2
        numbers = range(1, len(columns)) if side == 0 else range(len(columns) - 2, -1, -1)
        for number in numbers:
            other = {slot: row for row, slot in enumerate(columns[number - 1 if side == 0 else number + 1])}
            columns[number] = _by_median(columns[number], other, neighbours, side)
        count = _crossings(columns, neighbours)
        if count < fewest:
            best, fewest = [list(column) for column in columns], count
    return best


def _by_median(
    column: Sequence[LayerSlot], other: Mapping[LayerSlot, int], neighbours: Neighbours, side: int
) -> list[LayerSlot]:
    def weight(row: int, slot: LayerSlot) -> float:
        rows = [other[item] for item in neighbours.get(slot, ([], []))[side] if item in other]
        return float(statistics.median(rows)) if rows else float(row)

    weights = {slot: weight(row, slot) for row, slot in enumerate(column)}
    return sorted(column, key=lambda slot: weights[slot])


def _crossings(columns: Sequence[Sequence[LayerSlot]], neighbours: Neighbours) -> int:
    """Return the number of pairs of arrows that cross between neighbouring layers."""
    total = 0
    for left, right in itertools.pairwise(columns):
        row = {slot: number for number, slot in enumerate(right)}
        ends: list[int] = []
        for slot in left:
            mine = sorted(row[item] for item in neighbours.get(slot, ([], []))[1] if item in row)
            total += sum(end > target for target in mine for end in ends)
            ends += mine
    return total


def _heights(
    columns: Sequence[Sequence[LayerSlot]],
    neighbours: Neighbours,
    size: Mapping[LayerSlot, float],
    gap: float,
) -> dict[LayerSlot, float]:
    """Return a height for each slot, near those of its neighbours, without changing the order in a layer."""
    middle: dict[LayerSlot, float] = {}
    for column in columns:
        top = 0.0
        for slot in column:
            middle[slot] = top + size[slot] / 2
            top += size[slot] + gap
    for sweep in range(2 * _FLOW):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            desired = []
            for slot in column:
                before, behind = neighbours.get(slot, ([], []))
                around = [middle[item] for item in (*before, *behind)]
                desired.append(sum(around) / len(around) if around else middle[slot])
            middle |= dict(zip(column, _apart(column, desired, size, gap), strict=True))
    top = min((middle[slot] - size[slot] / 2 for slot in middle), default=0.0)
    return {slot: height - top for slot, height in middle.items()}


def _apart(
    column: Sequence[LayerSlot], desired: Sequence[float], size: Mapping[LayerSlot, float], gap: float
) -> list[float]:
    """Return the heights nearest to ``desired`` (least squares) that keep the order and the gaps.

    Without the space that the slots above take, heights must only be non-decreasing: isotonic regression, by
    pooling adjacent violators, https://doi.org/10.18637/jss.v032.i05.
    """
    offsets, taken = [], 0.0
    for number, slot in enumerate(column):
        taken += size[slot] / 2 if number else 0.0
        offsets.append(taken)
        taken += size[slot] / 2 + gap
    pools: list[tuple[float, int]] = []
    for height, offset in zip(desired, offsets, strict=True):
        total, count = height - offset, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before, many = pools.pop()
            total, count = total + before, count + many
        pools.append((total, count))
    flat = [total / count for total, count in pools for _ in range(count)]
    return [value + offset for value, offset in zip(flat, offsets, strict=True)]
