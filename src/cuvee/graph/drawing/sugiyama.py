"""Drawing a directed graph in layers, after Sugiyama: every arrow points to the right, few of them cross.

Layers are columns. An arrow that spans several is led through an empty place in each of those between, so
that it never runs through a box. All steps are deterministic; nothing here knows what the boxes mean.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import networkx as nx

_SWEEPS = 12
_FLOW = 6


class LayerSlot(NamedTuple):
    """A box, or where the arrow from box ``key`` to box ``target`` passes by the boxes of a layer."""

    key: str
    layer: int
    target: str | None = None


Near = Mapping[LayerSlot, tuple[list[LayerSlot], list[LayerSlot]]]
"""The places that a place is joined to in the layer before, and in the one behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayeredLayout:
    """Where everything goes, in columns and heights.

    Attributes
    ----------
    columns
        For each layer its places from top to bottom.
    boxes
        The place of each box.
    middle
        The height of each place's middle; the topmost edge of all is 0.
    paths
        For each arrow the places that it passes, its ends included, from left to right.
    turned
        The arrows that point to the left, since they close a cycle.
    height
        From the topmost edge to the lowest.
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
    """Lay out a graph.

    Parameters
    ----------
    box, lane, gap
        Heights of a box and of an arrow that passes by, and the space below each.
    """
    wanted = sorted({arrow for arrow in arrows if arrow[0] != arrow[1]})
    turned = _closing(keys, wanted)
    forward = {arrow: arrow[::-1] if arrow in turned else arrow for arrow in wanted}
    layer = _layers(keys, forward.values())
    boxes = {key: LayerSlot(key, layer[key]) for key in keys}
    paths = {arrow: _path(boxes[left], boxes[right]) for arrow, (left, right) in forward.items()}
    columns: list[list[LayerSlot]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for place in dict.fromkeys((*boxes.values(), *itertools.chain.from_iterable(paths.values()))):
        columns[place.layer].append(place)
    near = _neighbours(paths.values())
    columns = _untangle(columns, near)
    size = {place: lane if place.target else box for column in columns for place in column}
    middle = _heights(columns, near, size, gap)
    return LayeredLayout(
        columns=tuple(tuple(column) for column in columns),
        boxes=boxes,
        middle=middle,
        paths=paths,
        turned=frozenset(turned),
        height=max((middle[place] + size[place] / 2 for place in middle), default=0.0),
    )


def _path(left: LayerSlot, right: LayerSlot) -> tuple[LayerSlot, ...]:
    between = (LayerSlot(left.key, number, right.key) for number in range(left.layer + 1, right.layer))
    return (left, *between, right)


def _closing(keys: Sequence[str], arrows: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Name arrows without which there is no cycle: those that lead back on a walk in depth."""
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
    """Put each box behind all that point to it, then as near as it may be to those that it points to."""
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


def _neighbours(paths: Iterable[Sequence[LayerSlot]]) -> Near:
    near: dict[LayerSlot, tuple[list[LayerSlot], list[LayerSlot]]] = {}
    for path in paths:
        for left, right in itertools.pairwise(path):
            near.setdefault(left, ([], []))[1].append(right)
            near.setdefault(right, ([], []))[0].append(left)
    return near


def _untangle(columns: list[list[LayerSlot]], near: Near) -> list[list[LayerSlot]]:
    """Order the layers so that few arrows cross: sweep to and fro by the median, and keep the best seen."""
    best, fewest = [list(column) for column in columns], _crossings(columns, near)
    for sweep in range(_SWEEPS):
        side = sweep % 2
        numbers = range(1, len(columns)) if side == 0 else range(len(columns) - 2, -1, -1)
        for number in numbers:
            other = {place: row for row, place in enumerate(columns[number - 1 if side == 0 else number + 1])}
            columns[number] = _by_median(columns[number], other, near, side)
        count = _crossings(columns, near)
        if count < fewest:
            best, fewest = [list(column) for column in columns], count
    return best


def _by_median(
    column: Sequence[LayerSlot], other: Mapping[LayerSlot, int], near: Near, side: int
) -> list[LayerSlot]:
    def weight(row: int, place: LayerSlot) -> float:
        rows = sorted(other[item] for item in near.get(place, ([], []))[side] if item in other)
        if not rows:
            return float(row)
        half = len(rows) // 2
        return float(rows[half]) if len(rows) % 2 else (rows[half - 1] + rows[half]) / 2

    weights = {place: weight(row, place) for row, place in enumerate(column)}
    return sorted(column, key=lambda place: weights[place])


def _crossings(columns: Sequence[Sequence[LayerSlot]], near: Near) -> int:
    """Count the pairs of arrows that cross between neighbouring layers."""
    total = 0
    for left, right in itertools.pairwise(columns):
        row = {place: number for number, place in enumerate(right)}
        ends: list[int] = []
        for place in left:
            mine = sorted(row[item] for item in near.get(place, ([], []))[1] if item in row)
            total += sum(end > target for target in mine for end in ends)
            ends += mine
    return total


def _heights(
    columns: Sequence[Sequence[LayerSlot]],
    near: Near,
    size: Mapping[LayerSlot, float],
    gap: float,
) -> dict[LayerSlot, float]:
    """Give each place a height near those of its neighbours, without changing the order in a layer."""
    middle: dict[LayerSlot, float] = {}
    for column in columns:
        top = 0.0
        for place in column:
            middle[place] = top + size[place] / 2
            top += size[place] + gap
    for sweep in range(2 * _FLOW):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            wishes = []
            for place in column:
                before, behind = near.get(place, ([], []))
                around = [middle[item] for item in (*before, *behind)]
                wishes.append(sum(around) / len(around) if around else middle[place])
            middle |= dict(zip(column, _apart(column, wishes, size, gap), strict=True))
    top = min((middle[place] - size[place] / 2 for place in middle), default=0.0)
    return {place: height - top for place, height in middle.items()}


def _apart(
    column: Sequence[LayerSlot], wishes: Sequence[float], size: Mapping[LayerSlot, float], gap: float
) -> list[float]:
    """Give the heights nearest to ``wishes`` (least squares) that keep the order and the gaps.

    Less the space that those above take, heights must only not fall; pooling neighbours that do is then
    the whole of it (isotonic regression).
    """
    offsets, taken = [], 0.0
    for number, place in enumerate(column):
        taken += size[place] / 2 if number else 0.0
        offsets.append(taken)
        taken += size[place] / 2 + gap
    pools: list[tuple[float, int]] = []
    for wish, offset in zip(wishes, offsets, strict=True):
        total, count = wish - offset, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before, many = pools.pop()
            total, count = total + before, count + many
        pools.append((total, count))
    flat = [total / count for total, count in pools for _ in range(count)]
    return [value + offset for value, offset in zip(flat, offsets, strict=True)]
