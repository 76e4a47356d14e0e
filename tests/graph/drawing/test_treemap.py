import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.graph.drawing.treemap import SHARED, Rectangle, groups, squarify
from tiny_graph import NAMES, closure, needs_of_all

some_sizes = st.lists(st.integers(1, 10_000), min_size=1, max_size=30).map(
    lambda sizes: sorted(sizes, reverse=True)
)


@given(some_sizes, st.integers(50, 900), st.integers(50, 900))
def test_areas_are_as_the_sizes_and_fill_the_box(sizes: list[int], width: int, height: int) -> None:
    boxes = squarify(sizes, Rectangle(10, 20, width, height))
    scale = width * height / sum(sizes)
    for size, box in zip(sizes, boxes, strict=True):
        assert box.width * box.height == pytest.approx(size * scale, rel=1e-6)
        assert box.left >= 10 - 1e-6
        assert box.top >= 20 - 1e-6
        assert box.left + box.width <= 10 + width + 1e-6
        assert box.top + box.height <= 20 + height + 1e-6


@given(some_sizes)
def test_no_two_boxes_overlap(sizes: list[int]) -> None:
    boxes = squarify(sizes, Rectangle(0, 0, 640, 400))
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            across = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
            down = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
            assert across <= 1e-6 or down <= 1e-6


def test_equal_sizes_make_near_squares() -> None:
    boxes = squarify([1.0] * 12, Rectangle(0, 0, 400, 300))
    assert all(0.5 < box.width / box.height < 2 for box in boxes)


def test_sizes_of_nothing_have_no_area() -> None:
    assert [box.width * box.height for box in squarify([0, 0], Rectangle(0, 0, 10, 10))] == [0, 0]


@given(needs_of_all, st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
def test_a_group_is_what_would_go_with_its_package(needs: dict[str, list[str]], requested: list[str]) -> None:
    graph = closure(needs, requested)
    found = {group.name: {package.name for package in group.packages} for group in groups(graph, requested)}
    assert sorted(name for names in found.values() for name in names) == list(NAMES)

    def reached(tops: list[str]) -> set[str]:
        return set(tops).union(*(nx.descendants(graph.graph, top) for top in tops))

    for top in requested:
        others = [name for name in requested if name != top]
        assert found[top] - {top} == reached([top]) - reached(others) - {top}
    assert found.get(SHARED, set()).isdisjoint(requested)


def test_the_largest_group_comes_first() -> None:
    graph = closure({"a": ["x"], "b": [], "x": []}, ["a", "b"], {"a": 1, "b": 5, "x": 7})
    assert [(group.name, group.size) for group in groups(graph, ["a", "b"])] == [("a", 8), ("b", 5)]
