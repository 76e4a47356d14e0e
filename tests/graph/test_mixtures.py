"""Mixtures of two locks are consistent, and the search among them names what turns a test red."""

import itertools
import math
from collections.abc import Callable, Collection

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuvee.conda.package_record import LockedPackage
from cuvee.graph.bisection import Culprit, Trial, find_culprits
from cuvee.graph.mixtures import ChangedUnit, changed_units, mixture, unmet, with_needs
from cuvee.lock.model import PlatformLock


def package(
    name: str, version: str = "1", depends: Collection[str] = (), constrains: Collection[str] = ()
) -> LockedPackage:
    return LockedPackage(
        name=name, version=version, build="0", build_number=0, platform="linux-64", subdir="noarch",
        url=f"channel/noarch/{name}-{version}-0.conda", channel="channel",
        sha256=f"{name}-{version}", depends=tuple(depends), constrains=tuple(constrains),
    )  # fmt: skip


def lock(*packages: LockedPackage) -> PlatformLock:
    return PlatformLock(
        platform="linux-64",
        packages=tuple(sorted(packages, key=lambda item: item.name)),
        virtual_packages=(),
    )


def test_what_needs_a_newer_package_is_taken_after_it() -> None:
    old = lock(package("app"), package("lib"), package("same"))
    new = lock(package("app", "2", ["lib >=2"]), package("lib", "2"), package("same"))
    assert changed_units(old, new) == (
        ChangedUnit(names=("lib",)),
        ChangedUnit(names=("app",), needs=frozenset({0})),
    )


def test_what_does_not_accept_the_newer_package_is_taken_with_it() -> None:
    old = lock(package("app", "1", ["lib <2"]), package("lib"))
    new = lock(package("app", "2", ["lib"]), package("lib", "2"))
    assert changed_units(old, new) == (
        ChangedUnit(names=("app",)),
        ChangedUnit(names=("lib",), needs=frozenset({0})),
    )
    both_ways = lock(package("app", "2", ["lib >=2"]), package("lib", "2"))
    assert changed_units(old, both_ways) == (ChangedUnit(names=("app", "lib")),)


def test_added_removed_and_constrained_packages() -> None:
    old = lock(package("app", "1", ["gone"]), package("gone"), package("tool"))
    new = lock(package("app", "2", ["added"], ["tool >=2"]), package("added"), package("tool", "2"))
    units = changed_units(old, new)
    assert [unit.names for unit in units] == [("added",), ("tool",), ("app",), ("gone",)]
    assert units[2].needs == {0, 1}
    assert units[3].needs == {0, 1, 2}
    assert [item.name for item in mixture(old, new, units, {0, 1, 2}).packages] == [
        "added", "app", "gone", "tool",
    ]  # fmt: skip
    assert mixture(old, new, units, range(4)).packages == new.packages
    assert mixture(old, new, units, ()).packages == old.packages


_NAMES = "abcdef"
_RANGES = st.sampled_from(["", " <2", " >=2", " ==1", " ==2"])


@st.composite
def consistent_locks(draw: st.DrawFn) -> PlatformLock:
    """Packages of two versions; what a package states and does not get is left out."""
    versions = {name: draw(st.sampled_from([None, "1", "2"])) for name in _NAMES}
    bare = {name: package(name, version) for name, version in versions.items() if version is not None}
    stated = st.lists(st.builds("{}{}".format, st.sampled_from(_NAMES), _RANGES), max_size=3)
    packages = []
    for name, version in versions.items():
        if version is None:
            continue
        depends, constrains = draw(stated), draw(stated)
        trial = lock(
            *(item for item in bare.values() if item.name != name),
            package(name, version, depends, constrains),
        )
        refused = {text for who, text in unmet(trial) if who == name}
        packages.append(
            package(
                name,
                version,
                [text for text in depends if text not in refused],
                [text for text in constrains if text not in refused],
            )
        )
    return lock(*packages)


@settings(max_examples=60, deadline=None)
@given(old=consistent_locks(), new=consistent_locks())
def test_a_mixture_is_consistent_if_and_only_if_it_takes_what_its_units_need(
    old: PlatformLock, new: PlatformLock
) -> None:
    assert not list(unmet(old))
    assert not list(unmet(new))
    units = changed_units(old, new)
    for size in range(len(units) + 1):
        for taken in map(frozenset, itertools.combinations(range(len(units)), size)):
            is_closed = with_needs(units, taken) == taken
            assert is_closed == (not list(unmet(mixture(old, new, units, taken)))), taken
    for number, unit in enumerate(units):
        assert all(needed < number for needed in unit.needs)


def free(count: int) -> tuple[ChangedUnit, ...]:
    return tuple(ChangedUnit(names=(str(number),)) for number in range(count))


class Test:
    """A test that is red if all of some changes are there; counts its runs."""

    __test__ = False

    def __init__(self, *bad: int, unclear: Callable[[frozenset[int]], bool] = lambda _: False) -> None:
        self.bad, self.unclear, self.runs = frozenset(bad), unclear, 0

    def __call__(self, taken: frozenset[int]) -> Trial:
        self.runs += 1
        if self.unclear(taken):
            return Trial.UNCLEAR
        return Trial.RED if self.bad <= taken else Trial.GREEN


@pytest.mark.parametrize("bad", range(64))
def test_one_of_64_is_found_in_7_trials(bad: int) -> None:
    test = Test(bad)
    assert find_culprits(free(64), test) == (Culprit(units=(bad,)),)
    assert test.runs <= math.log2(64) + 1


@settings(max_examples=80, deadline=None)
@given(data=st.data(), count=st.integers(1, 60))
def test_any_set_is_found_in_about_log2_trials_for_each_member(data: st.DataObject, count: int) -> None:
    bad = data.draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=4))
    test = Test(*bad)
    found = find_culprits(free(count), test)
    assert {number for culprit in found for number in culprit.units} == bad
    assert test.runs <= len(bad) * (math.ceil(math.log2(count + 1)) + 1)


def test_a_culprit_is_named_without_what_it_needs() -> None:
    units = (*free(4), ChangedUnit(names=("app",), needs=frozenset({1, 2})), *free(2))
    assert find_culprits(units, Test(4)) == (Culprit(units=(4,), needs=frozenset({1, 2})),)
    assert find_culprits(units, Test(4, 2)) == (Culprit(units=(4,), needs=frozenset({1, 2})),)
    assert find_culprits(units, Test(2)) == (Culprit(units=(2,)),)


def test_every_set_that_is_tried_has_what_it_needs() -> None:
    units = (
        *free(3),
        ChangedUnit(names=("a",), needs=frozenset({0})),
        ChangedUnit(names=("b",), needs=frozenset({0, 3})),
        *free(3),
    )

    def checked(taken: frozenset[int]) -> Trial:
        assert with_needs(units, taken) == taken
        return Trial.RED if {1, 4, 6} <= taken else Trial.GREEN

    assert {number for culprit in find_culprits(units, checked) for number in culprit.units} == {1, 4, 6}


def test_unclear_trials_are_passed_by_and_leave_a_range_at_worst() -> None:
    by = Test(5, unclear=lambda taken: len(taken) == 8)
    assert find_culprits(free(16), by) == (Culprit(units=(5,)),)
    blind = Test(5, unclear=lambda taken: taken in {frozenset(range(count)) for count in (4, 5, 6)})
    assert find_culprits(free(16), blind) == (Culprit(units=(3, 4, 5, 6)),)
