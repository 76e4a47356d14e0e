"""Units of work: their identifiers, their order, and what is chosen of them."""

import dataclasses
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.errors import UsageError
from cuvee.integration.model import PackagePlan, Plan, PlannedSuite, PlannedTest, PytestTarget
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.runners.native import NativeRunner
from cuvee.integration.runners.wine import WineRunner
from cuvee.integration.unit_selection import (
    Selection,
    SelectionFacts,
    demand_work,
    is_named,
    select_units,
)
from cuvee.integration.units import Unit, UnitChoice, makespan, not_selected, not_started, units_of


def planned(test: str, *packages: str, unsupported: str = "") -> PlannedTest:
    return PlannedTest(
        suite="interop", test=test, packages=packages, needs=("pytest", *packages), unsupported=unsupported
    )


def target(name: str, *tests: PlannedTest) -> PytestTarget:
    return PytestTarget(name=name, file=name, tests=tests)


PLAN = Plan(
    platform="linux-64",
    administered="tiny",
    packages=(PackagePlan(name="numpy", version="1", imports=("numpy",)),),
    suites=(
        PlannedSuite(
            name="interop",
            owner="data",
            targets=(
                target("test_a.py", planned("test_a.py::test_x", "pandas"), planned("test_a.py::test_y")),
                target("test_b.py", planned("test_b.py::test_x", "matplotlib")),
                target("test_c.py", planned("test_c.py::test_x", unsupported="the release has no pip")),
            ),
        ),
    ),
)
SECONDS: Mapping[tuple[str, str], float] = {
    ("interop", "test_a.py::test_x[1]"): 2.0,
    ("interop", "test_a.py::test_x[2-::]"): 3.0,
    ("interop", "test_a.py::test_y"): 0.5,
    ("interop", "test_gone.py::test_y"): 9.0,
    ("smoke", "import:numpy"): 1.5,
    ("smoke", "verify"): 2.5,
}


def units(**values: object) -> tuple[Unit, ...]:
    known: dict[str, object] = {"seconds": SECONDS, "owners": {"numpy": "core", "pandas": "tables"}}
    return units_of(PLAN, NativeRunner(), **(known | values))  # type: ignore[arg-type]


def test_long_units_start_first_and_unknown_ones_of_suites_before_them() -> None:
    assert [(unit.identifier, unit.seconds) for unit in units()] == [
        ("smoke/install@linux-64/native", None),
        ("smoke/verify@linux-64/native", 2.5),
        ("smoke/check@linux-64/native", None),
        ("smoke/interpreter@linux-64/native", None),
        ("interop/test_b.py@linux-64/native", None),
        ("interop/test_c.py@linux-64/native", None),
        ("interop/test_a.py@linux-64/native", 5.5),
        ("smoke/import:numpy@linux-64/native", 1.5),
        ("smoke/verify-after@linux-64/native", None),
    ]


def test_what_needs_a_changed_package_starts_before_longer_units() -> None:
    found = units(changed=frozenset({"numpy", "matplotlib-base"}))
    assert [(unit.name, unit.affected) for unit in found] == [
        ("smoke/install", ()),
        ("smoke/verify", ()),
        ("smoke/check", ()),
        ("smoke/interpreter", ()),
        ("interop/test_b.py", ("matplotlib",)),
        ("smoke/import:numpy", ("numpy",)),
        ("interop/test_c.py", ()),
        ("interop/test_a.py", ()),
        ("smoke/verify-after", ()),
    ]


def test_a_unit_says_who_owns_it_and_why_it_does_not_run() -> None:
    found = {unit.name: unit for unit in units()}
    assert found["interop/test_a.py"].owners == ("data", "tables")
    assert found["smoke/import:numpy"].owners == ("core",)
    assert found["interop/test_c.py"].not_run == "the release has no pip"
    nowhere = units_of(PLAN, None, without="no runner for it on this host")
    assert {unit.not_run for unit in nowhere} == {"no runner for it on this host"}
    assert {unit.runner for unit in nowhere} == {"none"}


def test_what_a_runner_refuses_is_not_run() -> None:
    class Refusing(WineRunner):
        def suite_refusal(self, suite: PlannedSuite) -> str | None:
            return f"not {suite.name}"

    found = {unit.name: unit.not_run for unit in units_of(PLAN, Refusing())}
    assert found["interop/test_a.py"] == "not interop"
    assert found["smoke/import:numpy"] == ""


@given(st.lists(st.floats(0, 100)), st.integers(1, 8))
def test_the_time_of_all_is_between_that_of_the_longest_and_the_sum(
    durations: list[float], workers: int
) -> None:
    made = [dataclasses.replace(units()[0], seconds=seconds) for seconds in sorted(durations, reverse=True)]
    together = makespan(made, workers)
    assert together <= sum(durations) + 1e-6
    assert together + 1e-6 >= max([0.0, *durations])
    assert together + 1e-6 >= sum(durations) / workers


@pytest.mark.parametrize(
    ("pattern", "number"),
    [
        ("interop/test_a.py@linux-64/native", 1),
        ("interop/test_a.py", 1),
        ("test_a.py", 1),
        ("test_[ab].py", 2),
        ("interop", 3),
        ("linux-64", 9),
        ("native", 9),
        ("interop@linux-64", 3),
        ("interop@native", 3),
        ("interop@win-64", 0),
        ("@linux-*", 9),
        ("smoke/*", 6),
        ("Interop", 0),
        ("@", 9),
    ],
)
def test_a_pattern_is_about_any_part_of_an_identifier(pattern: str, number: int) -> None:
    assert sum(is_named(unit, pattern) for unit in units()) == number


FACTS = {
    "linux-64": SelectionFacts(
        known_packages=frozenset({"numpy", "pandas", "matplotlib-base"}),
        known_owners=frozenset({"core", "data", "tables"}),
        changed=frozenset({"matplotlib-base"}),
        failed=frozenset({("interop", "test_a.py::test_x[1]"), ("smoke", "import:numpy")}),
    )
}


def chosen(selection: Selection, facts: Mapping[str, SelectionFacts] = FACTS) -> set[str]:
    return {unit.name for unit in select_units(units(), selection, facts)}


def test_what_is_stated_holds_together() -> None:
    assert len(chosen(Selection())) == 9
    assert chosen(Selection(patterns=("test_a.py", "test_b.py"))) == {
        "interop/test_a.py",
        "interop/test_b.py",
    }
    assert chosen(Selection(packages=("pandas",))) == {"interop/test_a.py"}
    assert chosen(Selection(packages=("matplotlib-base",))) == {"interop/test_b.py"}
    assert chosen(Selection(owners=("core", "tables"))) == {"interop/test_a.py", "smoke/import:numpy"}
    assert chosen(Selection(failed=True)) == {"interop/test_a.py", "smoke/import:numpy"}
    assert chosen(Selection(failed=True, patterns=("smoke",))) == {"smoke/import:numpy"}


def test_what_needs_a_changed_package_and_what_says_nothing_is_chosen() -> None:
    assert chosen(Selection(changed=True, patterns=("interop",))) == {"interop/test_b.py"}
    assert "smoke/verify" in chosen(Selection(changed=True)), "the installer has changed, too"


@pytest.mark.parametrize(
    ("selection", "message", "hint"),
    [
        (Selection(patterns=("interopp",)), 'No unit of work is "interopp"', 'Did you mean "interop"?'),
        (Selection(patterns=("test_d.py@linux-64",)), '"test_d.py@linux-64"', "Known are: interop, smoke."),
        (Selection(packages=("panda",)), 'has no package "panda"', 'Did you mean "pandas"?'),
        (Selection(owners=("dta",)), 'has no owner "dta"', 'Did you mean "data"?'),
        (Selection(packages=("numpy",), patterns=("interop",)), "nothing to run: no unit", "--plan"),
    ],
)
def test_what_selects_nothing_is_wrong_usage(selection: Selection, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=r".") as caught:
        chosen(selection)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")
    assert caught.value.exit_code == 2


def test_nothing_failed_and_nothing_changed_have_their_own_words() -> None:
    facts = {"linux-64": SelectionFacts()}
    with pytest.raises(UsageError, match="no test failed in the last recorded run"):
        chosen(Selection(failed=True), facts)
    with pytest.raises(UsageError, match="no test needs a package that has changed since the base"):
        chosen(Selection(changed=True), facts)
    with pytest.raises(UsageError, match="no unit of work is selected by all"):
        chosen(Selection(changed=True, patterns=("interop",)), facts)


def test_units_that_cannot_run_here_are_no_work() -> None:
    nowhere = units_of(PLAN, None, without="no runner for it on this host")
    with pytest.raises(UsageError, match="none of the 9 selected units can run here") as caught:
        demand_work(nowhere)
    assert "linux-64: no runner for it on this host" in caught.value.message
    demand_work(units())


def outcome(suite: str, test: str, state: OutcomeState = OutcomeState.PASS) -> TestOutcome:
    return TestOutcome(suite=suite, test=test, platform="linux-64", state=state)


def test_what_was_not_selected_is_said_and_does_not_pass() -> None:
    choice = UnitChoice(names=frozenset({"interop/test_a.py"}))
    ran = [outcome("smoke", "install"), outcome("interop", "test_a.py::test_x[1]")]
    found = {item.test: (item.state.value, item.reason) for item in not_selected(PLAN, ran, choice)}
    assert found == {
        "verify": ("not-run", "not selected"),
        "check": ("not-run", "not selected"),
        "verify-after": ("not-run", "not selected"),
        "import:numpy": ("not-run", "not selected"),
        "test_b.py::test_x": ("not-run", "not selected"),
        "test_c.py::test_x": ("not-supported", "the release has no pip"),
    }


def test_what_was_not_started_after_a_failure_names_it() -> None:
    ran = [outcome("smoke", "install"), outcome("interop", "test_a.py::test_x", OutcomeState.FAIL)]
    assert not_started(PLAN, ran, UnitChoice()) == ()
    found = not_started(PLAN, ran, UnitChoice(fail_fast=True))
    assert {item.test for item in found} >= {"test_a.py::test_y", "import:numpy"}
    assert "the run was to stop at the first failure: interop/test_a.py::test_x" in {
        item.reason for item in found
    }
