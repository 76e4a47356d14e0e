"""What a run reports: an outcome for every planned test, whatever ran and whatever did not."""

from collections.abc import Iterable, Sequence

from cuvee.integration.model import SMOKE, Plan
from cuvee.integration.outcome_rules import judge, not_run
from cuvee.integration.outcomes import TestOutcome
from cuvee.integration.planned_outcomes import account
from cuvee.integration.units import UnitChoice, not_selected, not_started


def complete_outcomes(
    plan: Plan, outcomes: Iterable[TestOutcome], problems: Sequence[str], choice: UnitChoice
) -> tuple[TestOutcome, ...]:
    """Return the judged outcome of every planned test, in the plan's order.

    Parameters
    ----------
    outcomes
        Of what has run.
    problems
        What stopped a part of the run.
    """
    found = list(outcomes)
    found += not_selected(plan, found, choice)
    found += missing_outcomes(plan, found)
    found += not_started(plan, found, choice)
    return judge(_ordered(plan, account(plan, found, problems)), plan)


def missing_outcomes(plan: Plan, outcomes: Iterable[TestOutcome]) -> tuple[TestOutcome, ...]:
    """Return outcomes for the planned tests that could not run because the release does not start."""
    outcomes = list(outcomes)
    needed = (outcome for outcome in outcomes if outcome.test in {"install", "interpreter"})
    broken = next((outcome for outcome in needed if outcome.suite == SMOKE and outcome.state.blocks), None)
    if broken is None:
        return ()
    seen = {(outcome.suite, outcome.test) for outcome in outcomes}
    remaining = (test for test in plan.tests() if (test.suite, test.test) not in seen)
    return not_run(remaining, plan.platform, f"{broken.test}: {broken.reason}")


def _ordered(plan: Plan, outcomes: Iterable[TestOutcome]) -> list[TestOutcome]:
    """Sort by the plan's order; tests that the plan did not know come last, by name."""
    order = {(test.suite, test.test): number for number, test in enumerate(plan.tests())}
    suites = {suite: number for number, suite in enumerate((SMOKE, *(suite.name for suite in plan.suites)))}
    last = len(order)
    return sorted(
        outcomes,
        key=lambda outcome: (
            suites.get(outcome.suite, len(suites)),
            order.get((outcome.suite, outcome.test), last),
            outcome.test,
        ),
    )
