"""Rules that turn a test's result into its outcome: known, quarantined and waived failures."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cuvee.integration.model import KnownFailure, Plan, PlannedTest, QuarantinedTest
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.manifest.model import Waiver

_FAILURES = frozenset({OutcomeState.FAIL, OutcomeState.TIMEOUT})
_UNRELIABLE = _FAILURES | {OutcomeState.FLAKY}


def not_run(tests: Iterable[PlannedTest], platform: str, reason: str) -> tuple[TestOutcome, ...]:
    """Return the outcomes of tests that did not run; those that lack something of their own say so."""
    return tuple(
        TestOutcome(
            suite=test.suite,
            test=test.test,
            platform=platform,
            state=OutcomeState.NOT_SUPPORTED if test.unsupported else OutcomeState.NOT_RUN,
            package=test.package,
            packages=test.packages,
            reason=test.unsupported or test.absent or reason,
        )
        for test in tests
    )


def judge(outcomes: Sequence[TestOutcome], plan: Plan) -> tuple[TestOutcome, ...]:
    """Return the outcomes with the plan's known failures applied, then its quarantine, then its waivers."""

    def judged(outcome: TestOutcome) -> TestOutcome:
        known = _known(outcome, [item for item in plan.known_failures if item.is_of(plan.runner)])
        return _waived(_quarantined(known, plan.quarantine), plan.waivers)

    return tuple(map(judged, outcomes))


def _known(outcome: TestOutcome, known: Iterable[KnownFailure]) -> TestOutcome:
    for failure in known:
        if failure.covers(outcome.suite, outcome.test, outcome.platform):
            link = f" ({failure.link})" if failure.link else ""
            if outcome.state in _FAILURES:
                state = OutcomeState.NOT_SUPPORTED if failure.runners else OutcomeState.KNOWN_FAIL
                return replace(outcome, state=state, reason=f"{failure.reason}{link}: {outcome.reason}")
            if outcome.state is OutcomeState.PASS:
                state = OutcomeState.FAIL if failure.strict else outcome.state
                reason = f"this known failure passes now: {failure.reason}{link}"
                return replace(outcome, state=state, reason=reason)
    return outcome


def _quarantined(outcome: TestOutcome, quarantine: Iterable[QuarantinedTest]) -> TestOutcome:
    if outcome.state not in _UNRELIABLE:
        return outcome
    for item in quarantine:
        if item.covers(outcome.suite, outcome.test, outcome.platform):
            link = f" ({item.link})" if item.link else ""
            why = f"{item.reason}{link} (in quarantine until {item.until}, {item.owner})"
            return replace(outcome, state=OutcomeState.QUARANTINED, reason=f"{why}: {outcome.reason}")
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
