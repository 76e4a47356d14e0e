"""Pairs and groups that are never together: all of them, each minimal, against brute force."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from cuvee.conda.package_record import Record
from cuvee.graph.channel_check.coinstallability import never_together
from cuvee.graph.solving.pool import Pool
from cuvee.graph.solving.solver import Solution, Solver


def record(name: str, version: str = "1", *depends: str, constrains: tuple[str, ...] = ()) -> Record:
    return Record(name=name, version=version, build="0", depends=depends, constrains=constrains)


def test_a_pair_has_the_needs_that_clash_as_its_reason() -> None:
    pool = Pool([record("py", "2"), record("py", "3"), record("a", "1", "py 2"), record("b", "1", "py >=3"),
                 record("c", "1", constrains=("a >5",)), record("d")])  # fmt: skip
    answer = never_together(pool, ["a", "b", "c", "d"], "linux-64")
    assert [(group.specs, group.reason) for group in answer.groups] == [
        (("a", "b"), ("a-1-0 needs py 2", "b-1-0 needs py >=3")),
        (("a", "c"), ("c-1-0 allows only a >5",)),
    ]
    assert answer.complete
    assert answer.uninstallable == ()


def test_what_can_not_be_installed_alone_is_told_apart() -> None:
    pool = Pool([record("a", "1", "x 9"), record("b"), record("x")])
    answer = never_together(pool, ["a", "b", "gone", "b ~!"], "linux-64")
    assert [(group.specs, group.reason[0]) for group in answer.uninstallable[:2]] == [
        (("a",), "a-1-0 needs x 9"),
        (("gone",), "no record meets gone"),
    ]
    assert answer.uninstallable[2].reason[0].startswith("b ~! cannot be read")
    assert answer.groups == ()


def test_a_group_of_three_is_found_and_the_limit_holds() -> None:
    versions = [record("x", version) for version in "123"]
    pool = Pool([*versions, *(record(f"not{v}", "1", f"x !={v}") for v in "123")])
    specs = ["not1", "not2", "not3"]
    answer = never_together(pool, specs, "linux-64")
    assert [group.specs for group in answer.groups] == [tuple(specs)]
    assert answer.complete
    stopped = never_together(pool, specs, "linux-64", limit=0)
    assert (stopped.groups, stopped.complete) == ((), False)


@settings(max_examples=40)
@given(
    st.lists(
        st.lists(st.sampled_from(["x 1", "x 2", "x !=3", "y 1", "y !=2", "y >1", "x >1"]), max_size=2),
        min_size=2,
        max_size=6,
    )
)
def test_groups_are_those_of_brute_force(needs: list[list[str]]) -> None:
    pool = Pool(
        [
            *(record(name, version) for name in "xy" for version in "123"),
            *(record(f"p{index}", "1", *depends) for index, depends in enumerate(needs)),
        ]
    )
    specs = [f"p{index}" for index in range(len(needs))]
    solver = Solver(pool)
    fits = {
        group: isinstance(solver.solve(group), Solution)
        for size in range(1, len(specs) + 1)
        for group in combinations(specs, size)
    }
    least = {
        group
        for group, together in fits.items()
        if not together and all(fits[rest] for rest in combinations(group, len(group) - 1) if rest)
    }
    answer = never_together(pool, specs, "linux-64")
    assert answer.complete
    assert {group.specs for group in answer.uninstallable} == {group for group in least if len(group) == 1}
    assert {group.specs for group in answer.groups} == {group for group in least if len(group) > 1}
