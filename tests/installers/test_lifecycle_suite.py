"""Suites of the kind ``lifecycle`` with the installers of two tiny releases, run for real."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cuvee import platforms
from cuvee.files import sha256_file
from cuvee.integration.lifecycle_plan import EarlierRelease, lifecycle_target, with_lifecycle
from cuvee.integration.model import Plan, PlannedSuite, SuiteKind
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.platform_run import run_platform
from cuvee.integration.runners.native import NativeRunner
from cuvee.progress import SILENT
from tiny_release import Release

pytestmark = pytest.mark.real

OLD = "2026.11.0"
SUITE = PlannedSuite(name="desktop", kind=SuiteKind.LIFECYCLE, targets=(lifecycle_target("desktop"),))


def lifecycle(installer: Path, results: Path, *earlier: EarlierRelease) -> Mapping[str, TestOutcome]:
    """The outcomes of the suite with an installer, by test; those of the smoke suite are left out."""
    host = platforms.host()
    assert host is not None
    plan = Plan(
        platform=host.name,
        packages=(),
        administered="tiny",
        smoke=False,
        suites=(with_lifecycle(SUITE, earlier, administered=True),),
    )
    run = run_platform(plan, installer=installer, runner=NativeRunner(), results=results, reporter=SILENT)
    return {outcome.test: outcome for outcome in run.outcomes if outcome.suite == "desktop"}


def states(outcomes: Mapping[str, TestOutcome]) -> dict[str, str]:
    return {name: outcome.state.value for name, outcome in outcomes.items()}


def earlier(installer: Path) -> EarlierRelease:
    return EarlierRelease(version=OLD, installer=installer, sha256=sha256_file(installer))


def test_a_release_lives_from_its_installation_to_its_removal(
    release: Release, newer: Release, tmp_path: Path
) -> None:
    outcomes = lifecycle(newer.installer, tmp_path, earlier(release.installer))
    assert {outcome.state for outcome in outcomes.values()} == {OutcomeState.PASS}, [
        (outcome.test, outcome.reason) for outcome in outcomes.values()
    ]
    assert list(outcomes) == [
        "install",
        "verify",
        "repair",
        "uninstall",
        f"install {OLD}",
        f"upgrade from {OLD}",
        f"upgrade from {OLD}: as if newly installed",
        f"upgrade from {OLD}: files of the user",
        f"roll back to {OLD}",
        f"roll forth from {OLD}",
        f"uninstall after the upgrade from {OLD}",
    ]
