"""Which tools a plan may ask for: known before a run, so that they can be brought to where it runs."""

from collections.abc import Iterator

from cuvee.integration.carried_tests import ImportsTest, ScriptTest
from cuvee.integration.model import Plan, PlannedSuite, Target
from cuvee.integration.packaged_plan import PackagedTarget
from cuvee.integration.units import UnitChoice


def wanted_tools(plan: Plan, choice: UnitChoice) -> Iterator[frozenset[str]]:
    """Yield the match specs that the chosen units of a plan need together, each as `with_tools` gets them."""
    for suite in plan.suites:
        for target in suite.targets:
            if choice.takes(f"{suite.name}/{target.name}") and target.supported:
                yield from _of_target(suite, target)


def _of_target(suite: PlannedSuite, target: Target) -> Iterator[frozenset[str]]:
    tools = frozenset(suite.tools)
    yield tools
    if isinstance(target, PackagedTarget):
        for part in (target, *target.downstream.values()):
            for carried in part.carried:
                if isinstance(carried, ImportsTest | ScriptTest) and not carried.unsupported:
                    yield tools | frozenset(carried.requires)
