"""Collecting what units report, wherever they run, as they end."""

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future, as_completed
from typing import TypeVar

from cuvee.errors import CuveeError
from cuvee.integration.model import Plan
from cuvee.integration.outcome_rules import judge
from cuvee.integration.outcomes import TestOutcome
from cuvee.progress import Reporter

Result = TypeVar("Result")


def collect_outcomes(
    plan: Plan,
    futures: Sequence[Future[Result]],
    read: Callable[[Future[Result]], Sequence[TestOutcome]],
    reporter: Reporter,
    problems: list[str],
    *,
    fail_fast: bool = False,
) -> list[TestOutcome]:
    """Return the outcomes of units. Why a unit did not end is added to ``problems``.

    With ``fail_fast``, no unit is started after one with an outcome that blocks; those that run end. After an
    error, the caller ends what still runs.

    Parameters
    ----------
    read
        Returns the outcomes of a future that has ended, or raises why there are none.
    """
    task = f"Test {plan.platform}"
    reporter.start(task, total=len(futures))
    outcomes: list[TestOutcome] = []
    for future in as_completed(futures):
        if fail_fast and future.cancelled():
            continue
        try:
            found = read(future)
        except (CuveeError, OSError, CancelledError):  # a full disk, or an interruption
            raise
        except Exception as error:  # noqa: BLE001 - output of packages that this code does not expect
            problems.append(f"{type(error).__name__}: {error}")
            continue
        outcomes += found
        if fail_fast and any(outcome.state.blocks for outcome in judge(found, plan)):
            for other in futures:
                other.cancel()
        reporter.advance(task, note=found[0].test if found else "")
    reporter.finish(task, note=f"{len(outcomes)} tests")
    return outcomes
