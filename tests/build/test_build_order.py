"""Waves of builds; a cycle is named with the smallest way to break it."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.build.build_order import Need, in_order, smallest_break
from cuvee.build.model import Output, Recipe
from cuvee.errors import BlockedError, DocumentError


def output(name: str, *, recipe: str = "", **specs: Sequence[str]) -> Output:
    file = Path("recipes", recipe or name, "recipe.yaml")
    return Output(
        recipe=Recipe(name=recipe or name, file=file, engine="rattler-build", digest=""),
        name=name,
        version="1.0",
        build="0",
        subdir="noarch",
        document="{}",
        tests=1,
        **{f"{kind}_specs": tuple(values) for kind, values in specs.items()},  # type: ignore[arg-type]
    )


def test_what_needs_another_is_in_a_later_wave() -> None:
    order = in_order(
        [
            output("app", run=["Lib >=1", "python"]),
            output("lib", host=["core ==1.0 *"]),
            output("core"),
            output("tool", test=["app"], build=["core"]),
        ],
        ["app", "tool"],
    )
    assert [[item.name for item in wave] for wave in order.waves] == [["core"], ["lib"], ["app"], ["tool"]]
    assert order.needs["tool"] == {"core": (Need.BUILD,), "app": (Need.TEST,)}
    assert order.unneeded == ()
    assert [order.wave_of(name) for name in ("core", "app")] == [1, 3]


def test_a_recipe_that_nobody_needs_is_named() -> None:
    order = in_order([output("a", host=["b"]), output("b"), output("c"), output("c2", recipe="c")], ["a"])
    assert order.unneeded == ("c",)


def test_outputs_of_one_recipe_do_not_make_it_needed() -> None:
    order = in_order([output("a", recipe="r", run=["b"]), output("b", recipe="r")], [])
    assert order.unneeded == ("r",)


def test_two_recipes_for_one_name_are_refused() -> None:
    with pytest.raises(DocumentError, match=r"recipes/one/recipe.yaml and recipes/two/recipe.yaml"):
        in_order([output("a", recipe="one"), output("a", recipe="two")], [])


def test_two_variants_of_one_package_are_refused() -> None:
    with pytest.raises(DocumentError, match=r"makes a in"):
        in_order([output("a"), output("a")], [])


def test_a_cycle_is_named_with_what_to_remove() -> None:
    with pytest.raises(BlockedError) as caught:
        in_order(
            [
                output("a", host=["b"]),
                output("b", build=["c"]),
                output("c", run=["a"]),
                output("d", host=["a"]),
            ],
            [],
        )
    assert caught.value.message.splitlines() == [
        "Recipes need each other, so none of them can be built first:",
        "  c needs a at run time: recipes/c/recipe.yaml",
        "  b needs c to build: recipes/b/recipe.yaml",
        "  a needs b in its host environment: recipes/a/recipe.yaml",
    ]
    assert "remove a from c" in (caught.value.hint or "")


def test_one_requirement_in_many_cycles_is_the_one_to_remove() -> None:
    outputs = [output("hub", host=["x1", "x2", "x3"]), output("out", run=["hub"])]
    outputs += [output(f"x{number}", host=["out"]) for number in (1, 2, 3)]
    with pytest.raises(BlockedError) as caught:
        in_order(outputs, [])
    assert "remove hub from out, or" in (caught.value.hint or "")


def test_each_knot_is_named() -> None:
    with pytest.raises(BlockedError) as caught:
        in_order([output(name, host=[other]) for name, other in ("ab", "ba", "cd", "dc")], [])
    assert {"a", "b", "c", "d"} <= {line.split()[0] for line in caught.value.message.splitlines()[1:]}
    assert " and " in (caught.value.hint or "")


edges = st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")).filter(lambda e: e[0] != e[1]))


@given(edges)
def test_the_break_is_the_smallest(chosen: set[tuple[str, str]]) -> None:
    graph: nx.DiGraph[str] = nx.DiGraph(sorted(chosen))
    removed = smallest_break(graph)

    def breaks(some: tuple[tuple[str, str], ...]) -> bool:
        rest = graph.copy()
        rest.remove_edges_from(some)
        return nx.is_directed_acyclic_graph(rest)

    if nx.is_directed_acyclic_graph(graph):
        return
    assert breaks(removed)
    assert not any(breaks(some) for some in combinations(sorted(chosen), len(removed) - 1))


def test_a_large_knot_is_broken_without_trying_all_choices() -> None:
    names = [f"n{number}" for number in range(9)]
    graph: nx.DiGraph[str] = nx.DiGraph([(a, b) for a in names for b in names if a != b])
    rest = graph.copy()
    rest.remove_edges_from(smallest_break(graph))
    assert nx.is_directed_acyclic_graph(rest)
