import itertools

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from cuvee.graph.drawing.sugiyama import LayeredLayout, lay_out

KEYS = tuple("abcdefgh")
arrows_between = st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS)), max_size=24)


def laid_out(arrows: list[tuple[str, str]]) -> LayeredLayout:
    return lay_out(KEYS, arrows, box=30, lane=6, gap=10)


@given(arrows_between)
def test_every_arrow_goes_one_column_at_a_time_to_the_right(arrows: list[tuple[str, str]]) -> None:
    layout = laid_out(arrows)
    assert set(layout.paths) == {arrow for arrow in arrows if arrow[0] != arrow[1]}
    for arrow, path in layout.paths.items():
        ends = (path[0].key, path[-1].key)
        assert ends == (arrow[::-1] if arrow in layout.turned else arrow)
        assert all(left.layer + 1 == right.layer for left, right in itertools.pairwise(path))
        assert all(place in layout.columns[place.layer] for place in path)


@given(arrows_between)
def test_without_the_turned_arrows_there_is_no_cycle_and_without_a_cycle_none_is_turned(
    arrows: list[tuple[str, str]],
) -> None:
    layout = laid_out(arrows)
    graph: nx.DiGraph[str] = nx.DiGraph([arrow for arrow in arrows if arrow[0] != arrow[1]])
    if nx.is_directed_acyclic_graph(graph):
        assert not layout.turned
    graph.remove_edges_from(layout.turned)
    assert nx.is_directed_acyclic_graph(graph)


@given(arrows_between)
def test_nothing_overlaps(arrows: list[tuple[str, str]]) -> None:
    layout = laid_out(arrows)
    for column in layout.columns:
        for upper, lower in itertools.pairwise(column):
            room = ((6 if upper.target else 30) + (6 if lower.target else 30)) / 2 + 10
            assert layout.middle[lower] - layout.middle[upper] >= room - 1e-6
    assert min(layout.middle.values()) >= 3 - 1e-6
    assert sum(not place.target for column in layout.columns for place in column) == len(KEYS)


@given(arrows_between)
def test_the_order_of_the_arrows_does_not_matter(arrows: list[tuple[str, str]]) -> None:
    assert laid_out(arrows) == laid_out(arrows[::-1])


def test_arrows_that_need_not_cross_do_not() -> None:
    layout = lay_out("abcxyz", [("a", "z"), ("b", "y"), ("c", "x")], box=30, lane=6, gap=10)
    left = [place.key for place in layout.columns[0]]
    right = [place.key for place in layout.columns[1]]
    assert [dict(a="z", b="y", c="x")[key] for key in left] == right  # noqa: C408 - shorter


def test_a_box_stands_beside_what_it_is_joined_to() -> None:
    layout = lay_out("abc", [("a", "c"), ("b", "c")], box=30, lane=6, gap=10)
    places = {place.key: layout.middle[place] for place in layout.middle}
    assert places["c"] == (places["a"] + places["b"]) / 2


def test_nothing_to_draw_has_no_height() -> None:
    assert lay_out((), [], box=30, lane=6, gap=10).height == 0
