"""Running one test of a plan in a prefix, and nothing else but what it needs."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from cuvee.errors import UsageError
from cuvee.integration.model import SMOKE, VERIFY_AFTER, PackagePlan, Plan, PlannedSuite
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.manifest.documents.suggestions import did_you_mean

_WORST = (OutcomeState.FAIL, OutcomeState.TIMEOUT, OutcomeState.INFRA_ERROR)
_PARTS = ("[", "::")
_WHOLE_RELEASE = frozenset({"install", "verify", "check", VERIFY_AFTER})


def only_test(plan: Plan, suite: str, test: str) -> Plan:
    """Return a plan with one test, or with what it is a part of.

    Raises
    ------
    UsageError
        If the plan does not have it, or it needs an installer.
    """
    if suite == SMOKE:
        if test in _WHOLE_RELEASE:
            raise UsageError(
                f"smoke/{test} is about an installer, not about packages",
                hint="Name a test that runs in the installed release.",
            )
        packages = tuple(_narrowed(package, test) for package in plan.packages)
        narrow = replace(plan, packages=packages, suites=(), smoke=True, administered="")
    else:
        narrow = replace(plan, packages=(), suites=tuple(_narrowed_suites(plan, suite, test)), smoke=False)
    if not any(is_part(test, planned.test) for planned in narrow.tests() if planned.suite == suite):
        names = [f"{planned.suite}/{planned.test}" for planned in plan.tests()]
        raise UsageError(
            f"There is no test {suite}/{test} on {plan.platform}",
            hint=did_you_mean(f"{suite}/{test}", names).capitalize()
            or "Tests are named as in the report: <suite>/<test>.",
        )
    return narrow


def is_part(test: str, whole: str) -> bool:
    """Whether a test is another one, or one of its cases, or in it as in a file."""
    return test == whole or test.startswith(tuple(whole + mark for mark in _PARTS))


def result_of(
    outcomes: Sequence[TestOutcome], suite: str, test: str, containers: Collection[str]
) -> TestOutcome:
    """Return what became of one test: of its cases the worst, or the failure of what it is in.

    Parameters
    ----------
    containers
        Names of what it is in besides its file, such as the package that ships it.
    """
    about = [
        outcome
        for outcome in outcomes
        if outcome.suite == suite
        and (is_part(outcome.test, test) or is_part(test, outcome.test) or outcome.test in containers)
    ]
    for state in _WORST:
        for outcome in about:
            if outcome.state is state:
                return replace(outcome, test=test)
    own = [outcome for outcome in about if is_part(outcome.test, test)]
    unclear = [outcome for outcome in own if outcome.state is not OutcomeState.PASS]
    if own:
        return replace((unclear or own)[0], test=test)
    platform = outcomes[0].platform if outcomes else ""
    reason = "; ".join(f"{item.test}: {item.reason}" for item in outcomes if item.state.blocks)
    reason = reason or "it did not run"
    return TestOutcome(
        suite=suite,
        test=test,
        platform=platform,
        state=OutcomeState.NOT_RUN,
        reason=reason,
    )


def _narrowed(package: PackagePlan, test: str) -> PackagePlan:
    kind, _, name = test.partition(":")
    return replace(
        package,
        imports=package.imports if (kind, name) == ("import", package.name) else (),
        distributions=package.distributions if (kind, name) == ("metadata", package.name) else (),
        commands=(name,) if kind == "command" and name in package.commands else (),
    )


def _narrowed_suites(plan: Plan, suite: str, test: str) -> Iterator[PlannedSuite]:
    for item in plan.suites:
        targets = tuple(
            target for target in item.targets if any(is_part(test, planned.test) for planned in target.tests)
        )
        if item.name == suite and targets:
            yield replace(item, targets=targets)
