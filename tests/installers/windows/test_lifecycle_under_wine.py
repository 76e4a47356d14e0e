"""A suite of the kind ``lifecycle`` with the installers of two tiny releases for Windows, under Wine."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from cuvee.files import sha256_file
from cuvee.integration.lifecycle_plan import EarlierRelease, UpgradeSteps, lifecycle_target, with_lifecycle
from cuvee.integration.model import Plan, PlannedSuite, SuiteKind
from cuvee.integration.platform_run import run_platform
from cuvee.integration.runners.wine import WineRunner
from cuvee.progress import SILENT
from needed_programs import needs
from wine_desktop import running_below

pytestmark = pytest.mark.real


@needs("wine")
def test_it_runs_under_wine(
    win_exe: Path, win_newer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    suite = PlannedSuite(name="desktop", kind=SuiteKind.LIFECYCLE, targets=(lifecycle_target("desktop"),))
    old = EarlierRelease(version="2026.11.0", installer=win_exe, sha256=sha256_file(win_exe))
    suite = with_lifecycle(suite, [old], administered=True)
    suite = replace(suite, targets=suite.targets[1:])  # the other steps are tested with Wine in this folder
    plan = Plan(platform="win-64", packages=(), administered="tiny", smoke=False, suites=(suite,))
    run = run_platform(
        plan, installer=win_newer, runner=WineRunner(), results=tmp_path / "results", reporter=SILENT
    )
    assert [(outcome.test, outcome.reason) for outcome in run.outcomes if outcome.state.value != "pass"] == []
    assert [outcome.test for outcome in run.outcomes] == ["install", *UpgradeSteps.of("2026.11.0").names]
    assert not running_below(tmp_path)
