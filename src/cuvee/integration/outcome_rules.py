"""Rules that turn a test's result into its outcome: known and waived failures."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cuvee.integration.model import KnownFailure, Plan, PlannedTest
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.manifest.model import Waiver

_FAILURES = frozenset({OutcomeState.FAIL, OutcomeState.TIMEOUT})


def not_run(tests: Iterable[PlannedTest], platform: str, reason: str) -> tuple[TestOutcome, ...]:
    """Return the outcomes of tests that did not run; those that this release does not support say so."""
    return tuple(
        TestOutcome(
            suite=test.suite,
            test=test.test,
            platform=platform,
            state=OutcomeState.NOT_SUPPORTED if test.unsupported else OutcomeState.NOT_RUN,
            package=test.package,
            packages=test.packages,
            reason=test.unsupported or reason,
        )
        for test in tests
    )


def judge(outcomes: Sequence[TestOutcome], plan: Plan) -> tuple[TestOutcome, ...]:
    """Return the outcomes with the plan's known failures, then its waivers, applied."""
    return tuple(_waived(_known(outcome, plan.known_failures), plan.waivers) for outcome in outcomes)


def _known(outcome: TestOutcome, known: Iterable[KnownFailure]) -> TestOutcome:
    for failure in known:
        if failure.covers(outcome.suite, outcome.test, outcome.platform):
            link = f" ({failure.link})" if failure.link else ""
            if outcome.state in _FAILURES:
                return replace(
                    outcome, state=OutcomeState.KNOWN_FAIL, reason=f"{failure.reason}{link}: {outcome.reason}"
                )
            if outcome.state is OutcomeState.PASS:
                return replace(outcome, reason=f"this known failure passes now: {failure.reason}{link}")
    return outcome


def _waived(outcome: TestOutcome, waivers: Iterable[Waiver]) -> TestOutcome:
    if not outcome.state.blocks:
        return outcome
    name, packages = f"{outcome.suite}/{outcome.test}", {outcome.package or "", *outcome.packages}
    for waiver in waivers:
        if waiver.covers(name, packages=packages, platforms={outcome.platform}):
            reason = f"{waiver.reason} (waived by {waiver.author} until {waiver.expires}): {outcome.reason}"
            return replace(outcome, state=OutcomeState.WAIVED, reason=reason)
    return outcome
