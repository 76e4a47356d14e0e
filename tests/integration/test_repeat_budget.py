"""Failed tests run again within one budget per run, in a fresh process."""

from collections.abc import Callable

import pytest

from cuvee.integration.outcomes import Attempt, OutcomeState, TestOutcome
from cuvee.integration.repeat_budget import RepeatBudget, after_repeat, not_repeated

Make = Callable[..., TestOutcome]


def test_a_test_that_passes_the_second_time_is_flaky(outcome: Make) -> None:
    failed = outcome(state=OutcomeState.FAIL, reason="boom", log="logs/a.log", seconds=1.0)
    flaky = after_repeat(failed, outcome(seconds=2.0))
    assert flaky.state is OutcomeState.FLAKY
    assert flaky.log == "logs/a.log"
    assert "boom" in flaky.reason
    assert not flaky.state.blocks
    assert flaky.flipped
    assert flaky.attempts == (
        Attempt(state=OutcomeState.FAIL, seconds=1.0, reason="boom"),
        Attempt(state=OutcomeState.PASS, seconds=2.0),
    )


@pytest.mark.parametrize("second", [OutcomeState.FAIL, OutcomeState.INFRA_ERROR, OutcomeState.SKIPPED])
def test_what_does_not_pass_the_second_time_stays_a_failure(second: OutcomeState, outcome: Make) -> None:
    failed = outcome(state=OutcomeState.FAIL, reason="boom")
    again = after_repeat(failed, outcome(state=second, reason="other"))
    assert (again.state, again.reason, again.flipped) == (OutcomeState.FAIL, "boom", False)
    assert [attempt.state for attempt in again.attempts] == [OutcomeState.FAIL, second]


def test_only_failures_are_repeated(outcome: Make) -> None:
    every = [outcome(state.value, state=state) for state in OutcomeState]
    assert RepeatBudget().take(every) == {"fail"}


def test_the_budget_is_shared_by_all_suites_of_a_run(outcome: Make) -> None:
    budget = RepeatBudget(tests=3)
    failed = [outcome(name, state=OutcomeState.FAIL) for name in "abcde"]
    assert budget.take(failed[:2]) == {"a", "b"}
    assert budget.take(failed[2:]) == {"c"}
    assert str(budget) == "3 of at most 3 failed tests; 2 more were not repeated"
    assert (
        not_repeated(failed[3]).reason
        == "not repeated, since this run has repeated its share of failed tests"
    )
    assert not_repeated(outcome(reason="boom")).reason.startswith("boom (not repeated, ")


def test_a_slow_test_is_repeated_only_if_there_is_time(outcome: Make) -> None:
    budget = RepeatBudget(seconds=100)
    slow = [outcome(name, state=OutcomeState.FAIL, seconds=60) for name in "ab"]
    quick = outcome("c", state=OutcomeState.FAIL, seconds=40)
    assert budget.take([*slow, quick]) == {"a", "c"}
