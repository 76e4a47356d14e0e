"""Units of work: what of a plan runs by itself, on which platform, with which runner, and for how long."""

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cuvee.integration.model import (
    LEFT_BEHIND,
    SMOKE,
    VERIFY_AFTER,
    Plan,
    PlannedSuite,
    PlannedTest,
    has_package,
)
from cuvee.integration.outcome_rules import judge, not_run
from cuvee.integration.outcomes import TestOutcome
from cuvee.integration.planned_outcomes import wholes
from cuvee.integration.runners.protocol import Runner

NO_RUNNER = "none"
"""What an identifier says where no runner can run the platform."""

NOT_SELECTED = "not selected"
"""The reason of a test that was left out of a run on request."""

FIRST = ((SMOKE, "install"), (SMOKE, "interpreter"))
"""The tests of the smoke suite that all others need: they always run."""

INSTALLER = ("install", "verify", "check", "interpreter")
"""The tests of the smoke suite that run before any program of the packages does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitChoice:
    """Which units of one platform run, by name, and in which order they start.

    ``names`` is `None` for all; those that are not in ``order`` start last. With ``fail_fast``, none is
    started after a failure that blocks.
    """

    names: frozenset[str] | None = None
    order: tuple[str, ...] = ()
    fail_fast: bool = False

    def takes(self, name: str) -> bool:
        """Whether a unit runs."""
        return self.names is None or name in self.names


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One target of a suite on a platform with a runner.

    Attributes
    ----------
    packages
        Those that it is about.
    needs
        Those without which it does not run, and those that it is about.
    owners
        Of its suite and its packages.
    seconds
        How long it took in the last run on record; `None` if it is not on record.
    affected
        Those that it needs and that have changed since the base, or need what has.
    not_run
        Why it does not run here; empty if it does.
    """

    suite: str
    target: str
    platform: str
    runner: str
    tests: tuple[PlannedTest, ...] = field(repr=False)
    packages: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    owners: tuple[str, ...] = ()
    seconds: float | None = None
    affected: tuple[str, ...] = ()
    not_run: str = ""

    @property
    def name(self) -> str:
        """``interop/test_tables.py``: the same on all platforms."""
        return f"{self.suite}/{self.target}"

    @property
    def identifier(self) -> str:
        """``interop/test_tables.py@linux-64/native``."""
        return f"{self.name}@{self.platform}/{self.runner}"


def units_of(
    plan: Plan,
    runner: Runner | None,
    *,
    without: str = "",
    owners: Mapping[str, str] | None = None,
    seconds: Mapping[tuple[str, str], float] | None = None,
    changed: Collection[str] = (),
) -> tuple[Unit, ...]:
    """Return the units of a plan, in the order in which they are started: long ones first.

    The units of the installer come before all others, then those that need what has changed. Of either,
    those of suites without a duration on record come first, since they may be long, and those of the smoke
    suite without one last.

    Parameters
    ----------
    runner
        What runs them; `None` if nothing can, ``without`` saying why.
    owners
        The owner of each package that has one.
    seconds
        The duration of each test on record, by suite and test.
    changed
        Packages that have changed since the base, and all that need them.
    """
    name = runner.name if runner is not None else NO_RUNNER
    durations = _by_unit(plan, seconds or {})
    units = []
    for suite, target, tests in targets_of(plan):
        refusal = without or ("no runner was given" if runner is None else "")
        if not refusal and runner is not None and suite.name != SMOKE:
            refusal = runner.suite_refusal(suite) or ""
        if not refusal and all(test.unsupported or test.absent for test in tests):
            refusal = next((test.unsupported or test.absent for test in tests), "it has no tests")
        about = frozenset(_packages(tests))
        needs = about | {need for test in tests for need in test.needs}
        units.append(
            Unit(
                suite=suite.name,
                target=target,
                platform=plan.platform,
                runner=name,
                tests=tests,
                packages=about,
                needs=needs,
                owners=_owners(suite, about, owners or {}),
                seconds=durations.get((suite.name, target)),
                affected=tuple(sorted(name for name in needs if has_package(name, changed))),
                not_run=refusal,
            )
        )
    return tuple(sorted(units, key=_order))


def not_selected(plan: Plan, outcomes: Iterable[TestOutcome], choice: UnitChoice) -> tuple[TestOutcome, ...]:
    """Return outcomes for the tests of units that were not selected."""
    left = {
        (suite.name, test.test)
        for suite, target, tests in targets_of(plan)
        if not choice.takes(f"{suite.name}/{target}") and (suite.name, target) not in FIRST
        for test in tests
    }
    tests = (test for test in _unreported(plan, outcomes) if (test.suite, test.test) in left)
    return not_run(tests, plan.platform, NOT_SELECTED)


def not_started(plan: Plan, outcomes: Sequence[TestOutcome], choice: UnitChoice) -> tuple[TestOutcome, ...]:
    """Return outcomes for the tests that were not started because of the first failure."""
    first = next((outcome for outcome in judge(outcomes, plan) if outcome.state.blocks), None)
    if not choice.fail_fast or first is None:
        return ()
    reason = f"the run was to stop at the first failure: {first.suite}/{first.test}"
    return not_run(_unreported(plan, outcomes), plan.platform, reason)


def _unreported(plan: Plan, outcomes: Iterable[TestOutcome]) -> Iterator[PlannedTest]:
    """Yield the planned tests of which neither they nor a part has an outcome."""
    seen = {
        (outcome.suite, whole)
        for outcome in outcomes
        if not outcome.test.endswith(f"::{LEFT_BEHIND}")
        for whole in wholes(outcome.test)
    }
    for test in plan.tests():
        if (test.suite, test.test) not in seen:
            yield test


def makespan(units: Iterable[Unit], workers: int) -> float:
    """Return the seconds that units take with so many at once; those without a duration count as none."""
    loads = [0.0] * workers
    for unit in units:
        heapq.heappush(loads, heapq.heappop(loads) + (unit.seconds or 0.0))
    return max(loads)


def _order(unit: Unit) -> tuple[int, bool, float, str]:
    """Return what units are sorted by: those of the installer come first, one after the other, and last."""
    if unit.suite == SMOKE and unit.target in INSTALLER:
        return 0, False, INSTALLER.index(unit.target), ""
    if unit.suite == SMOKE and unit.target == VERIFY_AFTER:
        return 3, False, 0, ""
    is_unknown = unit.seconds is None and unit.suite != SMOKE
    return 1 if unit.affected else 2, not is_unknown, -(unit.seconds or 0.0), unit.name


def targets_of(plan: Plan) -> Iterator[tuple[PlannedSuite, str, tuple[PlannedTest, ...]]]:
    """Yield each target of a plan: a test of the smoke suite, or a target of another suite."""
    smoke = PlannedSuite(name=SMOKE)
    by_suite = {suite.name: suite for suite in plan.suites}
    for test in plan.tests():
        if test.suite == SMOKE and SMOKE not in by_suite:
            yield smoke, test.test, (test,)
    for suite in plan.suites:
        for target in suite.targets:
            yield suite, target.name, target.tests


def _by_unit(plan: Plan, seconds: Mapping[tuple[str, str], float]) -> Mapping[tuple[str, str], float]:
    """Return the seconds of each unit, the sum over its tests and their parts."""
    homes: dict[tuple[str, str], str] = {}
    for suite, target, tests in targets_of(plan):
        homes[suite.name, target] = target
        homes |= {(suite.name, test.test): target for test in tests}
    found: dict[tuple[str, str], float] = {}
    for (suite_name, test_name), duration in seconds.items():
        for whole in sorted(wholes(test_name), key=len, reverse=True):
            if (suite_name, whole) in homes:
                key = (suite_name, homes[suite_name, whole])
                found[key] = found.get(key, 0.0) + duration
                break
    return found


def _packages(tests: Sequence[PlannedTest]) -> Iterator[str]:
    for test in tests:
        yield from test.packages
        if test.package is not None:
            yield test.package


def _owners(suite: PlannedSuite, about: Iterable[str], owners: Mapping[str, str]) -> tuple[str, ...]:
    of_packages = sorted({owners[name] for name in about if name in owners})
    return tuple(dict.fromkeys(filter(None, (suite.owner, *of_packages))))
