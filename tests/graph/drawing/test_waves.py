from hypothesis import given

from cuvee.graph.drawing.waves import longest_chain, waves
from tiny_graph import NAMES, closure, needs_of_all


@given(needs_of_all)
def test_a_wave_needs_only_those_before_it_and_begins_as_early_as_it_can(needs: dict[str, list[str]]) -> None:
    graph = closure(needs)
    found = waves(graph)
    number = {name: wave for wave, groups in enumerate(found) for group in groups for name in group}
    group_of = {name: group for groups in found for group in groups for name in group}
    assert sorted(number) == list(NAMES)
    for groups in found:
        for group in groups:
            outside = {need for name in group for need in needs[name] if need not in group}
            latest = max((number[need] for need in outside), default=-1)
            assert number[group[0]] == latest + 1
            assert all(group_of[name] == group for name in group)


@given(needs_of_all)
def test_the_longest_chain_passes_through_every_wave(needs: dict[str, list[str]]) -> None:
    graph = closure(needs)
    chain = longest_chain(graph)
    number = {name: wave for wave, groups in enumerate(waves(graph)) for group in groups for name in group}
    assert [number[name] for name in chain] == list(range(len(waves(graph))))


def test_what_needs_each_other_is_built_together() -> None:
    graph = closure({"a": ["b"], "b": ["a", "c"], "c": []})
    assert waves(graph) == ((("c",),), (("a", "b"),))
