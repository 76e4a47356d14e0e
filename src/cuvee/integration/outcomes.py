"""Outcomes: one test's result on one platform in one run."""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


class OutcomeState(enum.Enum):
    """The result of a test. Infra-error is not fail; not-run is not pass."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    REGRESSION = "regression"
    ALWAYS_FAIL = "always-fail"
    KNOWN_FAIL = "known-fail"
    FLAKY = "flaky"
    QUARANTINED = "quarantined"
    TIMEOUT = "timeout"
    INFRA_ERROR = "infra-error"
    SKIPPED = "skipped"
    NOT_SUPPORTED = "not-supported"
    NOT_RUN = "not-run"
    WAIVED = "waived"

    @property
    def blocks(self) -> bool:
        """Whether it keeps the release from being published."""
        return self in {
            OutcomeState.FAIL,
            OutcomeState.REGRESSION,
            OutcomeState.TIMEOUT,
            OutcomeState.INFRA_ERROR,
        }

    @property
    def has_run(self) -> bool:
        """Whether the test was run to a result of its own, good or bad."""
        return self not in {
            OutcomeState.INFRA_ERROR,
            OutcomeState.SKIPPED,
            OutcomeState.NOT_SUPPORTED,
            OutcomeState.NOT_RUN,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One of several times that a test ran in one run; ``reason`` is the first line of a failure."""

    state: OutcomeState
    seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestOutcome:
    """One test's result on one platform.

    Attributes
    ----------
    suite, test
        ``smoke`` and ``import:numpy``; together they name the test.
    package, packages
        The package that it is about, or `None` when it is about several; all involved, when known.
    reason
        Why it was skipped, not run, waived or could not run; the first line of a failure.
    log
        The log's path relative to ``results/<platform>/``, or `None`.
    attempts
        If it ran more than once, each time, in order; else empty.
    """

    __test__ = False

    suite: str
    test: str
    platform: str
    state: OutcomeState
    seconds: float = 0.0
    package: str | None = None
    packages: tuple[str, ...] = ()
    reason: str = ""
    log: str | None = None
    attempts: tuple[Attempt, ...] = ()

    @property
    def flipped(self) -> bool:
        """Whether it failed and passed in the same run; that a machine was lost is neither."""
        states = {attempt.state for attempt in self.attempts} - {OutcomeState.INFRA_ERROR}
        return self.state is OutcomeState.FLAKY or (OutcomeState.PASS in states and len(states) > 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformRun:
    """All outcomes on one platform.

    ``runner`` says what ran them, such as ``native``; `None` when nothing could, with ``not_run`` as the
    reason. ``environment`` is what a reader needs to judge the run, such as the host and the installer.
    """

    platform: str
    runner: str | None
    not_run: str | None = None
    outcomes: tuple[TestOutcome, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many tests were run, how many of those passed, and how many were not run, for whatever reason."""

    run: int = 0
    passed: int = 0
    not_run: int = 0

    def __str__(self) -> str:
        return f"{self.run:,} run, {self.passed:,} passed, {self.not_run:,} not run"

    @property
    def total(self) -> int:
        """How many there are."""
        return self.run + self.not_run


def count(outcomes: Iterable[TestOutcome]) -> Counts:
    """Count outcomes; a test that was not run did not fail."""
    states = [outcome.state for outcome in outcomes]
    run = sum(state.has_run for state in states)
    return Counts(run=run, passed=states.count(OutcomeState.PASS), not_run=len(states) - run)


def blocking(runs: Iterable[PlatformRun]) -> tuple[TestOutcome, ...]:
    """Return the outcomes that keep a release from being published."""
    return tuple(outcome for run in runs for outcome in run.outcomes if outcome.state.blocks)
