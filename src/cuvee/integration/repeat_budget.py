"""Repeating tests that failed: which ones, within one budget per run, and what the repetition means."""

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from cuvee.integration.outcomes import Attempt, OutcomeState, TestOutcome

MOST_TESTS = 100
"""How many tests of a run on one platform are repeated. If more fail, it is not by chance."""

MOST_SECONDS = 600.0
"""How many seconds the repeated tests of a run may have taken in their first attempts, together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatUse:
    """What one machine has used of the budget of a run."""

    repeated: int = 0
    refused: int = 0
    seconds: float = 0.0

    def __add__(self, other: "RepeatUse") -> "RepeatUse":
        return RepeatUse(
            repeated=self.repeated + other.repeated,
            refused=self.refused + other.refused,
            seconds=self.seconds + other.seconds,
        )


@dataclass(slots=True, kw_only=True)
class RepeatBudget:
    """How many failed tests one run may repeat; its threads share it.

    A test costs the seconds that its first attempt took: so the budget does not depend on a clock. ``spent``
    are those of all that were repeated.
    """

    tests: int = MOST_TESTS
    seconds: float = MOST_SECONDS
    repeated: int = 0
    refused: int = 0
    spent: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def take(self, outcomes: Iterable[TestOutcome]) -> frozenset[str]:
        """Return the names of the tests that are to run again, in a fresh process; they count as repeated.

        Only tests that failed are repeated: one that did not end would cost its whole time again.
        """
        chosen: set[str] = set()
        with self._lock:
            for outcome in outcomes:
                if outcome.state is not OutcomeState.FAIL:
                    continue
                if self.repeated < self.tests and outcome.seconds <= self.seconds - self.spent:
                    self.repeated += 1
                    self.spent += outcome.seconds
                    chosen.add(outcome.test)
                else:
                    self.refused += 1
        return frozenset(chosen)

    @property
    def use(self) -> "RepeatUse":
        """What of it is used."""
        with self._lock:
            return RepeatUse(repeated=self.repeated, refused=self.refused, seconds=self.spent)

    def leave_for(self, others: "RepeatUse") -> None:
        """Take into account what other machines have used of the budget of the same run."""
        with self._lock:
            self.tests = max(0, MOST_TESTS - others.repeated)
            self.seconds = max(0.0, MOST_SECONDS - others.seconds)

    def __str__(self) -> str:
        text = f"{self.repeated} of at most {self.tests} failed tests"
        return f"{text}; {self.refused} more were not repeated" if self.refused else text


def after_repeat(first: TestOutcome, second: TestOutcome) -> TestOutcome:
    """Return the outcome of a failed test that ran again in a fresh process: flaky if it passed then."""
    attempts = tuple(
        Attempt(state=outcome.state, seconds=outcome.seconds, reason=outcome.reason)
        for outcome in (first, second)
    )
    if second.state is not OutcomeState.PASS:
        return replace(first, attempts=attempts)
    reason = f"failed, then passed in a fresh process: {first.reason}"
    return replace(first, state=OutcomeState.FLAKY, reason=reason, attempts=attempts)


def repeat_failed(
    budget: RepeatBudget, attempt: Callable[[], Sequence[TestOutcome]]
) -> Sequence[TestOutcome]:
    """Return the outcomes of an attempt; if tests of it failed, of two, as far as the budget allows that."""
    first = attempt()
    chosen = budget.take(first)
    again = {outcome.test: outcome for outcome in attempt()} if chosen else {}
    found = []
    for outcome in first:
        if outcome.test in chosen and outcome.test in again:
            found.append(after_repeat(outcome, again[outcome.test]))
        elif outcome.state is OutcomeState.FAIL and outcome.test not in chosen:
            found.append(not_repeated(outcome))
        else:
            found.append(outcome)
    return found


def not_repeated(outcome: TestOutcome) -> TestOutcome:
    """Return a failure that the budget did not allow to repeat, which says so."""
    note = "not repeated, since this run has repeated its share of failed tests"
    return replace(outcome, reason=f"{outcome.reason} ({note})" if outcome.reason else note)
