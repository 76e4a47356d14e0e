"""Plans of tests, and runs of selected units, for people and as JSON."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cuvee.executors.executor_choice import ExecutorKind
from cuvee.graph.truncation import shorten_list

if TYPE_CHECKING:
    from cuvee.integration.units import Unit
    from cuvee.release.selected_tests import SelectedRun, TestPlan

_MOST_NAMES = 8


def plan_lines(plan: "TestPlan", *, verbose: bool = False) -> Iterator[str]:
    """Yield what would run on each platform, in order, and what would not, by reason.

    Without ``verbose``, of many units that do not run for one reason some are named, and the rest is counted.
    """
    where = f", on {plan.executor}" if plan.executor.is_remote else ""
    if plan.executor.kind is ExecutorKind.PROCESSES:
        where = ", in processes"
    for (platform, runner), units in _by_runner(plan.to_run).items():
        yield f"{platform}, {runner}{where}: {_together(units, plan.slots.get(platform))}"
        for number, unit in enumerate(units, 1):
            seconds = "?" if unit.seconds is None else f"{unit.seconds:.1f} s"
            about = ", ".join((_counted(len(unit.tests), "test"), *unit.owners))
            if unit.affected:
                about += f"; first, for what has changed: {shorten_list(unit.affected, _MOST_NAMES)}"
            yield f"{number:>5} {seconds:>9}  {unit.identifier}  ({about})"
        yield ""
    for reason, units in _by_reason(plan).items():
        names = [unit.identifier for unit in units]
        shown = names if verbose else [shorten_list(names, _MOST_NAMES)]
        yield f"not run: {reason} ({_counted(len(names), 'unit')})"
        yield from (f"    {name}" for name in shown)
    for item in plan.absent:
        yield f"absent: {item.platform}: {item.reason}"
    for platform, unread in plan.unread.items():
        what = f"{_counted(len(unread), 'archive')} not here, so that the smoke suite has more units"
        yield f"{platform}: {what}: {shorten_list(unread, _MOST_NAMES)}"


def plan_json(plan: "TestPlan") -> dict[str, Any]:
    """Return a plan as JSON values: every unit, in order, and why one does not run."""
    from cuvee.codec import encode

    reasons = {unit.identifier: reason for unit, reason in plan.left_out}
    return {
        "release": plan.release,
        "executor": str(plan.executor),
        "estimates": [
            {
                "platform": platform,
                "runner": runner,
                "units": len(units),
                "seconds": round(_makespan(units, plan.slots.get(platform)), 3),
                "without_duration": sum(unit.seconds is None for unit in units),
            }
            for (platform, runner), units in _by_runner(plan.to_run).items()
        ],
        "units": [
            {
                "identifier": unit.identifier,
                "suite": unit.suite,
                "target": unit.target,
                "platform": unit.platform,
                "runner": unit.runner,
                "tests": [test.test for test in unit.tests],
                "packages": sorted(unit.packages),
                "owners": list(unit.owners),
                "seconds": unit.seconds,
                "affected": list(unit.affected),
                "not_run": reasons.get(unit.identifier),
            }
            for unit in plan.units
        ],
        "absent": encode(plan.absent),
        "archives_not_here": {platform: list(names) for platform, names in plan.unread.items()},
    }


def selected_json(result: "SelectedRun") -> dict[str, Any]:
    """Return a run of selected units as JSON values."""
    from cuvee.codec import encode
    from cuvee.integration.outcomes import count

    return {
        "release": result.plan.release,
        "recorded": False,
        "verdict": result.verdict.value,
        "selected": [unit.identifier for unit in result.plan.to_run],
        "not_run": {unit.identifier: reason for unit, reason in result.plan.left_out},
        "tests": {run.platform: encode(count(run.outcomes)) for run in result.runs},
        "outcomes": {run.platform: encode(run.outcomes) for run in result.runs},
        "results": str(result.folder),
    }


def _by_runner(units: "Iterable[Unit]") -> "dict[tuple[str, str], list[Unit]]":
    found: dict[tuple[str, str], list[Unit]] = defaultdict(list)
    for unit in units:
        found[unit.platform, unit.runner].append(unit)
    return found


def _by_reason(plan: "TestPlan") -> "dict[str, list[Unit]]":
    found: dict[str, list[Unit]] = defaultdict(list)
    for unit, reason in plan.left_out:
        found[reason].append(unit)
    return found


def _together(units: "list[Unit]", slots: int | None) -> str:
    """Return how many units there are, and how long they take as far as that is on record."""
    unknown = sum(unit.seconds is None for unit in units)
    if unknown == len(units):
        return f"{_counted(unknown, 'unit')}, of which no duration is on record"
    more = f", and {unknown} without a duration on record" if unknown else ""
    return f"{_counted(len(units), 'unit')}, about {_makespan(units, slots):.0f} s{more}"


def _makespan(units: "list[Unit]", slots: int | None) -> float:
    from cuvee.integration.platform_run import parallel_tests
    from cuvee.integration.units import makespan

    return makespan(units, slots or parallel_tests())


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
