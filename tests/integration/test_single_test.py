"""A plan for one test, and what became of it."""

from collections.abc import Callable

import pytest

from cuvee.errors import UsageError
from cuvee.integration.model import PackagePlan, Plan, PlannedSuite, PlannedTest, PytestTarget
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.single_test import only_test, result_of

Make = Callable[..., TestOutcome]


def _target(name: str, *tests: str) -> PytestTarget:
    return PytestTarget(name=name, tests=tuple(PlannedTest(suite="interop", test=test) for test in tests))


PLAN = Plan(
    platform="linux-64",
    packages=(
        PackagePlan(
            name="numpy", version="2", imports=("numpy",), commands=("f2py",), distributions=("numpy",)
        ),
        PackagePlan(name="six", version="1", imports=("six",)),
    ),
    administered="tiny",
    suites=(
        PlannedSuite(
            name="interop",
            targets=(
                _target("a", "test_a.py::test_x", "test_a.py::test_y"),
                _target("b", "test_b.py::test_x"),
                _target("networkx", "networkx/tests/test_graph.py"),
            ),
        ),
    ),
)


@pytest.mark.parametrize(
    ("test", "left"),
    [
        ("import:six", {"import:six"}),
        ("metadata:numpy", {"metadata:numpy"}),
        ("command:f2py", {"command:f2py"}),
        ("interpreter", set()),
    ],
)
def test_of_the_smoke_suite_one_test_is_left(test: str, left: set[str]) -> None:
    narrow = only_test(PLAN, "smoke", test)
    assert {planned.test for planned in narrow.tests()} == {"install", "interpreter"} | left


@pytest.mark.parametrize(
    ("test", "target"),
    [
        ("test_a.py::test_x", "a"),
        ("test_a.py::test_y[1-2]", "a"),
        ("networkx/tests/test_graph.py::TestGraph::test_add", "networkx"),
        ("networkx/tests/test_graph.py", "networkx"),
    ],
)
def test_of_other_suites_the_target_is_left(test: str, target: str) -> None:
    (suite,) = only_test(PLAN, "interop", test).suites
    assert [item.name for item in suite.targets] == [target]


@pytest.mark.parametrize(
    ("suite", "test", "message"),
    [
        ("interop", "test_c.py::test_x", "There is no test interop/test_c.py::test_x on linux-64"),
        ("interp", "test_a.py::test_x", "There is no test interp/"),
        ("smoke", "command:gone", "There is no test smoke/command:gone"),
        ("smoke", "verify", "about an installer"),
    ],
)
def test_what_is_not_in_the_plan_is_refused(suite: str, test: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        only_test(PLAN, suite, test)


def test_the_worst_case_of_a_test_counts(outcome: Make) -> None:
    outcomes = [
        outcome("t.py::test[1]"),
        outcome("t.py::test[2]", state=OutcomeState.FAIL, reason="boom"),
        outcome("t.py::test_other", state=OutcomeState.TIMEOUT),
    ]
    found = result_of(outcomes, "interop", "t.py::test", ())
    assert (found.test, found.state, found.reason) == ("t.py::test", OutcomeState.FAIL, "boom")
    assert result_of(outcomes[:1], "interop", "t.py::test", ()).state is OutcomeState.PASS


def test_a_file_that_cannot_be_collected_fails_the_tests_in_it(outcome: Make) -> None:
    outcomes = [
        outcome("t.py", state=OutcomeState.FAIL, reason="cannot be collected"),
        outcome("t.py::test", state=OutcomeState.NOT_RUN),
    ]
    assert result_of(outcomes, "interop", "t.py::test", ()).state is OutcomeState.FAIL
    crashed = [outcome("networkx", state=OutcomeState.FAIL), outcome("n.py", state=OutcomeState.NOT_RUN)]
    assert result_of(crashed, "interop", "n.py", {"networkx"}).state is OutcomeState.FAIL
    assert result_of(crashed, "interop", "n.py", ()).state is OutcomeState.NOT_RUN


def test_a_test_without_any_outcome_did_not_run(outcome: Make) -> None:
    broken = outcome("interpreter", suite="smoke", state=OutcomeState.FAIL, reason="no libpython")
    found = result_of([broken], "interop", "t", ())
    assert (found.state, found.reason) == (OutcomeState.NOT_RUN, "interpreter: no libpython")
