"""The outcomes of units whose tests have left files behind in the release, or changed its own."""

from collections.abc import Iterable, Iterator, Sequence

from cuvee.integration.installation_tests import verify_after
from cuvee.integration.model import LEFT_BEHIND, SMOKE, VERIFY_AFTER, PlannedTest
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.prefix_watch import LeftBehind, PrefixWatch
from cuvee.integration.test_session import Job, TestSession
from cuvee.integration.units import UnitChoice, targets_of


def left_behind_outcomes(session: TestSession, found: Iterable[LeftBehind]) -> Iterator[TestOutcome]:
    """Yield a failure for each unit that has changed the prefix, which all others have used, too."""
    by_unit: dict[str, list[LeftBehind]] = {}
    for item in found:
        by_unit.setdefault(item.unit, []).append(item)
    targets = {
        f"{suite.name}/{target}": (suite.name, target, tests)
        for suite, target, tests in targets_of(session.plan)
    }
    for unit, items in by_unit.items():
        suite, target, tests = targets[unit]
        packages = {test.package for test in tests}
        test = PlannedTest(
            suite=suite,
            test=f"{target}::{LEFT_BEHIND}",
            package=packages.pop() if len(packages) == 1 else None,
            packages=tuple(dict.fromkeys(name for test in tests for name in test.packages)),
        )
        reason = "; ".join(item.reason for item in items)
        log = "".join(item.log for item in items)
        yield session.outcome(test, OutcomeState.FAIL, 0, reason=reason, log=log)


def after_units(
    session: TestSession, watch: PrefixWatch, jobs: Sequence[Job], choice: UnitChoice
) -> Iterator[TestOutcome]:
    """Yield what is found in the prefix once all units have ended."""
    left = list(watch.left_behind(jobs))
    yield from left_behind_outcomes(session, left)
    plan = session.plan
    if plan.smoke and plan.administered and choice.takes(f"{SMOKE}/{VERIFY_AFTER}"):
        yield verify_after(session, frozenset(change.path for item in left for change in item.changes))
