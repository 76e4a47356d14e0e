"""Accounting for a plan: every planned test has an outcome, and every result is reported, exactly once."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cuvee.integration.model import LEFT_BEHIND, Plan, PlannedTest
from cuvee.integration.outcome_rules import not_run
from cuvee.integration.outcomes import OutcomeState, TestOutcome

_WORST_FIRST = (
    OutcomeState.INFRA_ERROR,
    OutcomeState.TIMEOUT,
    OutcomeState.FAIL,
    OutcomeState.FLAKY,
    OutcomeState.NOT_RUN,
    OutcomeState.SKIPPED,
    OutcomeState.NOT_SUPPORTED,
    OutcomeState.KNOWN_FAIL,
)
"""Which of several results of one test counts; all other states come after these."""

_PARTS = ("[", "::")
"""What follows the name of a planned test in the names of its parts: pytest's cases, tests of a module."""


def account(
    plan: Plan, outcomes: Iterable[TestOutcome], problems: Sequence[str] = ()
) -> tuple[TestOutcome, ...]:
    """Return one outcome for each name: what runners reported, and what they did not report.

    - A planned test of which neither the test nor a part was reported is an infra-error.
    - A name that was reported more than once has the worst outcome, which says so.
    - A result that the plan does not know is kept, and says so.
    - A result for another platform is an infra-error, whatever it says.

    Parameters
    ----------
    problems
        What stopped a part of the run, as reasons for what is missing.
    """
    tests = {(test.suite, test.test): test for test in plan.tests()}
    groups: dict[tuple[str, str], list[TestOutcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.suite, outcome.test), []).append(_of_platform(outcome, plan.platform))
    covered = {
        (suite, whole)
        for suite, test in groups
        if not test.endswith(f"::{LEFT_BEHIND}")  # not a result of the tests
        for whole in wholes(test)
    }
    containers = {
        *((test.suite, whole) for test in tests.values() for whole in wholes(test.test)),
        *((suite.name, target.name) for suite in plan.suites for target in suite.targets),
    }

    def is_known(suite: str, test: str) -> bool:
        test = test.removesuffix(f"::{LEFT_BEHIND}")
        return (suite, test) in containers or any((suite, whole) in tests for whole in wholes(test))

    found = [
        _noted(worst_of(group), group, is_known=is_known(suite, test))
        for (suite, test), group in groups.items()
    ]
    missing = [test for name, test in tests.items() if name not in covered]
    return (*found, *_unreported(missing, plan.platform, problems))


def wholes(test: str) -> set[str]:
    """Return a test's own name, and those of everything that it is a part of."""
    ends = {
        position
        for mark in _PARTS
        for position in range(len(test))
        if position and test.startswith(mark, position)
    }
    return {test, *(test[:end] for end in ends)}


def _of_platform(outcome: TestOutcome, platform: str) -> TestOutcome:
    if outcome.platform == platform:
        return outcome
    reason = f"a result for {outcome.platform} was reported ({outcome.state.value})"
    return replace(outcome, platform=platform, state=OutcomeState.INFRA_ERROR, reason=reason)


def worst_of(group: Sequence[TestOutcome]) -> TestOutcome:
    """Return which of several outcomes of one test counts."""
    order = {state: number for number, state in enumerate(_WORST_FIRST)}
    last = len(order)
    return min(group, key=lambda outcome: (not outcome.state.blocks, order.get(outcome.state, last)))


def _noted(outcome: TestOutcome, group: Sequence[TestOutcome], *, is_known: bool) -> TestOutcome:
    notes = [] if is_known else ["the plan does not have this test"]
    if len(group) > 1:
        states = ", ".join(item.state.value for item in group)
        notes.append(f"it was reported {len(group)} times ({states})")
    return replace(outcome, reason=": ".join(filter(None, (*notes, outcome.reason)))) if notes else outcome


def _unreported(
    missing: Sequence[PlannedTest], platform: str, problems: Sequence[str]
) -> tuple[TestOutcome, ...]:
    reason = ": ".join(("no result was reported", *problems[:1]))
    return tuple(
        replace(outcome, state=OutcomeState.INFRA_ERROR) if outcome.state is OutcomeState.NOT_RUN else outcome
        for outcome in not_run(missing, platform, reason)
    )
