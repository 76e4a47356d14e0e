"""Plans of tests, and runs of selected units, of a tiny distribution that is cut twice."""

from dataclasses import replace
from pathlib import Path

import pytest

from cuvee.cli.test_plans import plan_json, plan_lines, selected_json
from cuvee.errors import NotLockedError, UsageError
from cuvee.files import sha256_file
from cuvee.graph.findings import Verdict
from cuvee.history.history_file import HISTORY, HistoryFile
from cuvee.history.queries import all_runs
from cuvee.integration.model import VERIFY_AFTER
from cuvee.integration.outcomes import TestOutcome
from cuvee.integration.unit_selection import Selection
from cuvee.integration.units import INSTALLER
from cuvee.release.selected_tests import SelectedRun, TestPlan, plan_tests, run_selected_tests
from cuvee.release.session import Session
from tiny_distribution import Distribution, Recorder

pytestmark = pytest.mark.real

VERSIONS = """\
import importlib.metadata
import pytest


@pytest.mark.packages("tqdm")
def test_the_version_that_others_expect():
    assert importlib.metadata.version("tqdm") == "4.67.1"
"""
OTHERS = """\
import pytest


@pytest.mark.packages("attrs")
def test_attributes():
    import attrs
"""
PATCH = """\
manifest: 1
distribution: tiny
based-on: "2026.11.0"
version: "2026.11.1"
packages:
  tqdm: {version: "==4.70.0"}
"""


class Cut:
    """A distribution with two releases: a package of the second was made worse."""

    def __init__(self, root: Path, text: str, platform: str) -> None:
        self.distribution = Distribution(root, Recorder())
        self.platform = platform
        suite = root / "integration_tests" / "expectations"
        suite.mkdir(parents=True)
        (suite / "suite.yaml").write_text("{title: Expectations, owner: core}", encoding="utf-8")
        (suite / "test_versions.py").write_text(VERSIONS, encoding="utf-8")
        (suite / "test_others.py").write_text(OTHERS, encoding="utf-8")
        text = (
            text.replace("suites: [smoke]", "suites: [smoke, expectations]")
            .replace("4.70.0", "4.67.1")
            .replace("wheels: [tqdm", "wheels: [pytest, tqdm")
            .replace("packages:\n", 'packages:\n  pytest: {version: ">=8", owner: core}\n')
        )
        self.first = self.distribution.write(text)
        self.second = self.distribution.write(PATCH, "2026.11.1")
        self.distribution.cut(self.first, platform)
        self.distribution.cut(self.second, platform, keep_going=True)

    def session(self, manifest: Path, *platforms: str, **selection: object) -> Session:
        session = self.distribution.session(manifest, *(platforms or (self.platform,)), keep_going=True)
        options = replace(session.options, selection=Selection(**selection))  # type: ignore[arg-type]
        return Session(session.manifest, options, self.distribution.recorder)

    def plan(self, manifest: Path, *platforms: str, **selection: object) -> TestPlan:
        return plan_tests(self.session(manifest, *platforms, **selection))

    def run(self, manifest: Path, **selection: object) -> SelectedRun:
        session = self.session(manifest, **selection)
        with session.workspace.locked():
            return run_selected_tests(session)

    def state(self) -> dict[str, str]:
        """Return the hash of each file of the releases, and the number of runs in the history."""
        files = (path for path in self.distribution.dist.rglob("*") if path.is_file())
        found = {str(path): sha256_file(path) for path in files if ".stages" not in path.parts}
        with HistoryFile.open_to_read(self.distribution.root / HISTORY) as history:
            return found | {"runs": str(len(list(all_runs(history))))}


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory, tiny_text: str, host_platform: str) -> Cut:
    return Cut(tmp_path_factory.mktemp("selected"), tiny_text, host_platform)


def _outcomes(run: SelectedRun) -> dict[str, TestOutcome]:
    return {f"{outcome.suite}/{outcome.test}": outcome for part in run.runs for outcome in part.outcomes}


def test_a_plan_names_all_units_in_order_and_writes_nothing(cut: Cut) -> None:
    before = cut.state()
    plan = cut.plan(cut.first)
    assert cut.state() == before
    names = [unit.identifier for unit in plan.to_run]
    assert f"expectations/test_versions.py@{cut.platform}/native" in names
    assert f"smoke/import:tqdm@{cut.platform}/native" in names
    assert not plan.unread
    known = {unit.name: unit.seconds for unit in plan.units}
    assert known["expectations/test_versions.py"], "the duration is on record"
    assert known["smoke/install"]
    later = [unit.seconds or 0 for unit in plan.to_run if unit.suite == "expectations"]
    assert later == sorted(later, reverse=True)
    (estimate,) = plan_json(plan)["estimates"]
    assert estimate["seconds"] > 0
    assert any(
        line.startswith(f"{cut.platform}, native: {len(names)} units, about") for line in plan_lines(plan)
    )


def test_what_is_left_out_of_a_plan_has_its_reason(cut: Cut) -> None:
    plan = cut.plan(cut.first, patterns=("test_versions.py",))
    assert [unit.name for unit in plan.to_run] == [
        "smoke/install",
        "smoke/interpreter",
        "expectations/test_versions.py",
    ]
    assert {reason for _, reason in plan.left_out} == {"not selected"}
    assert len(plan.to_run) + len(plan.left_out) == len(plan.units)
    assert any(line.startswith("not run: not selected (") for line in plan_lines(plan))


def test_what_is_not_locked_has_no_plan(cut: Cut) -> None:
    with pytest.raises(NotLockedError):
        cut.plan(cut.first, "win-64")


def test_what_changed_since_the_base_is_chosen(cut: Cut) -> None:
    chosen = {unit.name for unit in cut.plan(cut.second, changed=True).to_run}
    assert "expectations/test_versions.py" in chosen
    assert "smoke/import:tqdm" in chosen
    assert "expectations/test_others.py" not in chosen
    assert "smoke/import:attrs" not in chosen
    with pytest.raises(UsageError, match="is not based on another release"):
        cut.plan(cut.first, changed=True)


def test_what_changed_since_the_base_is_tested_first(cut: Cut) -> None:
    plan = cut.plan(cut.second)
    affected = [bool(unit.affected) for unit in plan.to_run if unit.target not in {*INSTALLER, VERIFY_AFTER}]
    assert affected == sorted(affected, reverse=True)
    by_name = {unit.name: unit.affected for unit in plan.units}
    assert by_name["expectations/test_versions.py"] == by_name["smoke/import:tqdm"] == ("tqdm",)
    assert by_name["smoke/import:attrs"] == by_name["expectations/test_others.py"] == ()
    (line,) = (line for line in plan_lines(plan) if "expectations/test_versions.py@" in line)
    assert line.endswith("(1 test, core; first, for what has changed: tqdm)")
    (unit,) = (item for item in plan_json(plan)["units"] if item["target"] == "test_versions.py")
    assert unit["affected"] == ["tqdm"]
    assert not any(unit.affected for unit in cut.plan(cut.first).units)


def test_a_selected_run_is_never_the_tests_of_the_release(cut: Cut) -> None:
    before = cut.state()
    result = cut.run(cut.first, patterns=("test_others.py",))
    found = _outcomes(result)
    assert found["expectations/test_others.py::test_attributes"].state.value == "pass"
    assert found["smoke/install"].state.value == "pass"
    left = found["expectations/test_versions.py::test_the_version_that_others_expect"]
    assert (left.state.value, left.reason) == ("not-run", "not selected")
    assert found["smoke/verify"].reason == "not selected"
    assert result.verdict is Verdict.WAITING
    assert result.verdict.exit_code == 1
    assert selected_json(result)["recorded"] is False
    assert cut.state() == before
    assert (result.folder / cut.platform / "outcomes.json").is_file()


def test_what_failed_runs_again(cut: Cut) -> None:
    result = cut.run(cut.second, failed=True)
    ran = {name for name, outcome in _outcomes(result).items() if outcome.state.has_run}
    assert ran == {
        "smoke/install",
        "smoke/interpreter",
        "expectations/test_versions.py::test_the_version_that_others_expect",
    }
    assert result.verdict is Verdict.BLOCKED
    with pytest.raises(UsageError, match="no test failed in the last recorded run"):
        cut.run(cut.first, failed=True)


def test_nothing_starts_after_the_first_failure(cut: Cut) -> None:
    found = _outcomes(cut.run(cut.second, fail_fast=True, owners=("core",)))
    reasons = {outcome.reason for outcome in found.values() if outcome.state.value == "not-run"}
    assert reasons >= {"not selected"}
    stopped = [reason for reason in reasons if reason.startswith("the run was to stop at the first failure")]
    assert len(stopped) <= 1
