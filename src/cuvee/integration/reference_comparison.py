"""Judging a run against a reference run: what newly fails, what has always failed, what is gone."""

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome


class Before(enum.Enum):
    """What the reference run knows of a test."""

    PASSED = "passed in {reference}"
    FLAKY = "was flaky in {reference}"
    FAILED = "failed in {reference} too, which was blocked"
    SHIPPED = "failed in {reference} too, which was released"
    ACCEPTED = "failed in {reference} too, where that was accepted"
    SKIPPED = "was skipped in {reference}"
    NO_RESULT = "had no result in {reference}"
    NEW_TEST = "is not in {reference}"
    NEW_PACKAGE = "is new, since {reference} does not have its package"


_BEFORE = {
    OutcomeState.PASS: Before.PASSED,
    OutcomeState.FLAKY: Before.FLAKY,
    OutcomeState.FAIL: Before.FAILED,
    OutcomeState.REGRESSION: Before.FAILED,
    OutcomeState.TIMEOUT: Before.FAILED,
    OutcomeState.ALWAYS_FAIL: Before.SHIPPED,
    OutcomeState.KNOWN_FAIL: Before.ACCEPTED,
    OutcomeState.WAIVED: Before.ACCEPTED,
    OutcomeState.QUARANTINED: Before.ACCEPTED,
    OutcomeState.SKIPPED: Before.SKIPPED,
    OutcomeState.NOT_SUPPORTED: Before.SKIPPED,
    OutcomeState.NOT_RUN: Before.NO_RESULT,
    OutcomeState.INFRA_ERROR: Before.NO_RESULT,
}

_FAILED = frozenset({OutcomeState.FAIL, OutcomeState.TIMEOUT})
_UNTESTED = frozenset({OutcomeState.SKIPPED, OutcomeState.NOT_SUPPORTED, OutcomeState.NOT_RUN})
_ACCEPTED = frozenset({OutcomeState.KNOWN_FAIL, OutcomeState.QUARANTINED, OutcomeState.WAIVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One row of the truth table.

    Attributes
    ----------
    before
        What the reference run knows of the test.
    now
        The states that the row is about.
    becomes
        The state that they become; `None` leaves the state, and says what was known before.
    """

    before: Before
    now: frozenset[OutcomeState]
    becomes: OutcomeState | None = None


TRUTH_TABLE = (
    Judgement(before=Before.PASSED, now=_FAILED, becomes=OutcomeState.REGRESSION),
    Judgement(
        before=Before.PASSED, now=_UNTESTED | _ACCEPTED | {OutcomeState.FLAKY, OutcomeState.INFRA_ERROR}
    ),
    # It fails in a fresh process, too, which a flaky test is not expected to do.
    Judgement(before=Before.FLAKY, now=_FAILED),
    # A failure that was neither released nor accepted is no smaller the second time.
    Judgement(before=Before.FAILED, now=_FAILED),
    Judgement(before=Before.FAILED, now=frozenset({OutcomeState.PASS})),
    Judgement(before=Before.SHIPPED, now=_FAILED, becomes=OutcomeState.ALWAYS_FAIL),
    Judgement(before=Before.SHIPPED, now=frozenset({OutcomeState.PASS})),
    # Otherwise the last day of a waiver or quarantine, or removing a known failure, would mean nothing.
    Judgement(before=Before.ACCEPTED, now=_FAILED),
    Judgement(before=Before.ACCEPTED, now=frozenset({OutcomeState.PASS})),
    Judgement(before=Before.SKIPPED, now=_FAILED),
    Judgement(before=Before.NO_RESULT, now=_FAILED),
    Judgement(before=Before.NEW_TEST, now=_FAILED),
    Judgement(before=Before.NEW_PACKAGE, now=_FAILED),
)
"""What is judged, and of what it is said what was before. All other pairs are as they were."""

_ROWS = {(row.before, state): row for row in TRUTH_TABLE for state in row.now}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The run that a platform's run is compared with.

    Attributes
    ----------
    release
        Its release, such as ``starter-2026.10.2``.
    released
        Whether that release went out: its verdict did not block it, or it was released all the same.
    packages
        The names of the packages that it has on the platform.
    """

    release: str
    released: bool
    run: PlatformRun
    packages: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneTest:
    """A test of the reference run that is not in this run, with its state then, and why it is gone."""

    suite: str
    test: str
    was: OutcomeState
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierState:
    """The other state that a test had in the reference run; `None` if it was not in it."""

    suite: str
    test: str
    was: OutcomeState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunComparison:
    """What a platform's run was compared with.

    Attributes
    ----------
    reference
        The release; empty if there was none.
    reason
        Why the run was not compared; empty if it was.
    gone
        The tests that the reference run has and this run has not. A renamed test is one of them, and new.
    changed
        The tests whose state in the reference run was another one, and those that it has not.
    """

    platform: str
    reference: str = ""
    reason: str = ""
    gone: tuple[GoneTest, ...] = ()
    changed: tuple[EarlierState, ...] = ()


def compare(
    run: PlatformRun, reference: Reference, packages: frozenset[str]
) -> tuple[PlatformRun, RunComparison]:
    """Return a run as the reference run makes it look, and what it was compared with.

    Parameters
    ----------
    packages
        The names of the packages that this release has on the platform.
    """
    before = {(outcome.suite, outcome.test): outcome for outcome in reference.run.outcomes}
    judged = tuple(
        _judged(outcome, before.get((outcome.suite, outcome.test)), reference) for outcome in run.outcomes
    )
    now = {(outcome.suite, outcome.test) for outcome in run.outcomes}
    gone = tuple(_gone(outcome, packages) for name, outcome in before.items() if name not in now)
    comparison = RunComparison(
        platform=run.platform,
        reference=reference.release,
        gone=gone,
        changed=tuple(_changed(judged, before)),
    )
    return replace(run, outcomes=judged), comparison


def _changed(
    judged: Iterable[TestOutcome], before: Mapping[tuple[str, str], TestOutcome]
) -> Iterator[EarlierState]:
    for outcome in judged:
        earlier = before.get((outcome.suite, outcome.test))
        was = earlier.state if earlier is not None else None
        if was is not outcome.state:
            yield EarlierState(suite=outcome.suite, test=outcome.test, was=was)


def _judged(outcome: TestOutcome, before: TestOutcome | None, reference: Reference) -> TestOutcome:
    known = _known(outcome, before, reference)
    row = _ROWS.get((known, outcome.state))
    if row is None:
        return outcome
    said = known.value.format(reference=reference.release)
    reason = f"it {said}: {outcome.reason}" if outcome.reason else f"it {said}"
    return replace(outcome, state=row.becomes or outcome.state, reason=reason)


def _known(outcome: TestOutcome, before: TestOutcome | None, reference: Reference) -> Before:
    if before is not None:
        known = _BEFORE[before.state]
        return Before.SHIPPED if known is Before.FAILED and reference.released else known
    new = outcome.package is not None and outcome.package not in reference.packages
    return Before.NEW_PACKAGE if new else Before.NEW_TEST


def _gone(outcome: TestOutcome, packages: Iterable[str]) -> GoneTest:
    removed = outcome.package is not None and outcome.package not in packages
    reason = f"{outcome.package} is not in this release" if removed else "the test is not in this release"
    return GoneTest(suite=outcome.suite, test=outcome.test, was=outcome.state, reason=reason)
