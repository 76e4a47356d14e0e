"""A release is judged against the one that it is based on."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cuvee.graph.findings import Verdict
from cuvee.history.history_file import HISTORY, HistoryFile
from cuvee.history.queries import all_runs, points
from cuvee.release.record import Release
from cuvee.release.signing import sign_release, was_signed_anyway
from cuvee.trust.keys import SigningKey
from tiny_distribution import Distribution, Recorder, write_key

pytestmark = pytest.mark.real

SUITE = """\
import importlib.metadata


def test_the_version_that_others_expect():
    assert importlib.metadata.version("tqdm") == "4.67.1"
"""

PATCH = """\
manifest: 1
distribution: tiny
based-on: "2026.11.0"
version: "2026.11.1"
packages:
  tqdm: {version: "==4.70.0"}
"""


@pytest.fixture(scope="module")
def cut_twice(
    tmp_path_factory: pytest.TempPathFactory, tiny_text: str, host_platform: str
) -> tuple[Distribution, Release, Release]:
    """A release that passes, and one with a package that was made worse."""
    distribution = Distribution(tmp_path_factory.mktemp("regressions"), Recorder())
    suite = distribution.root / "integration_tests" / "expectations"
    suite.mkdir(parents=True)
    (suite / "test_versions.py").write_text(SUITE, encoding="utf-8")
    text = (
        tiny_text.replace("suites: [smoke]", "suites: [smoke, expectations]")
        .replace("4.70.0", "4.67.1")
        .replace("wheels: [tqdm", "wheels: [pytest, tqdm")
        .replace("packages:\n", 'packages:\n  pytest: {version: ">=8", owner: core}\n')
    )
    first = distribution.cut(distribution.write(text), host_platform)
    return (
        distribution,
        first,
        distribution.cut(distribution.write(PATCH, "2026.11.1"), host_platform, keep_going=True),
    )


def test_what_passed_before_is_a_regression(
    cut_twice: tuple[Distribution, Release, Release], host_platform: str
) -> None:
    _, first, second = cut_twice
    (nothing,) = first.compared
    assert nothing.reason == f"no earlier version that was released on {host_platform} (native) is on record"
    (compared,) = second.compared
    assert compared.reference == "tiny-2026.11.0"
    bad = {outcome.test: outcome for outcome in second.outcomes if outcome.state.blocks}
    (found,) = bad.values()
    assert found.state.value == "regression"
    assert found.reason.startswith("it passed in tiny-2026.11.0: ")
    assert second.verdict is Verdict.BLOCKED


def test_a_base_that_is_known_is_not_added_again(cut_twice: tuple[Distribution, Release, Release]) -> None:
    with HistoryFile.open_to_read(cut_twice[0].root / HISTORY) as history:
        assert [run.release for run in all_runs(history)] == ["tiny-2026.11.0", "tiny-2026.11.1"]


def test_the_record_keeps_what_was_compared(cut_twice: tuple[Distribution, Release, Release]) -> None:
    _, _, second = cut_twice
    assert Release.open(second.folder).compared == second.compared
    data = json.loads((second.folder / "report" / "data.json").read_text(encoding="utf-8"))
    assert any("was compared with tiny-2026.11.0" in note for note in data["readiness"]["notes"])


def test_the_command_shows_the_strip_and_where_it_began(
    cut_twice: tuple[Distribution, Release, Release],
) -> None:
    distribution, _, _ = cut_twice
    command = [sys.executable, "-m", "cuvee", "history", "expectations/test_versions.py::x"]
    with HistoryFile.open_to_read(distribution.root / HISTORY) as history:
        name = next(
            f"{point.suite}/{point.test}" for point in points(history, "tqdm") or points(history, "attrs")
        )
    completed = subprocess.run(
        [*command[:-1], name], cwd=distribution.root, capture_output=True, text=True, check=True
    )
    assert "tiny-2026.11.0 to tiny-2026.11.1" in completed.stdout
    missing = subprocess.run(command, cwd=distribution.root, capture_output=True, text=True, check=False)
    assert missing.returncode == 2
    assert "and no test that involves a package" in missing.stderr


def test_what_was_released_with_a_failure_does_not_block_the_next(
    cut_twice: tuple[Distribution, Release, Release], tmp_path: Path, host_platform: str
) -> None:
    distribution, _, _ = cut_twice
    copy = Distribution(tmp_path / "copy", Recorder())
    shutil.copytree(distribution.root, copy.root, symlinks=True)
    base = copy.dist / "tiny-2026.11.1"
    sign_release(base, SigningKey.read(write_key(tmp_path)), reason="agreed")
    assert was_signed_anyway(base)
    path = copy.write(PATCH.replace("2026.11.1", "2026.11.2").replace("2026.11.0", "2026.11.1"), "2026.11.2")
    third = copy.cut(path, host_platform, keep_going=True)
    (found,) = [outcome for outcome in third.outcomes if outcome.suite == "expectations"]
    assert found.state.value == "always-fail"
    assert found.reason.startswith("it failed in tiny-2026.11.1 too, which was released: ")
    # Cut again, the base is blocked and not signed any more.
    copy.cut(copy.root / "manifests" / "tiny" / "2026.11.1.yaml", host_platform, keep_going=True)
    assert not was_signed_anyway(base)


def test_without_a_history_the_base_is_read_from_its_record(
    cut_twice: tuple[Distribution, Release, Release], tmp_path: Path, host_platform: str
) -> None:
    distribution, _, second = cut_twice
    copy = Distribution(tmp_path / "copy", Recorder())
    shutil.copytree(distribution.root, copy.root, symlinks=True, ignore=shutil.ignore_patterns(HISTORY))
    again = copy.cut(copy.root / "manifests" / "tiny" / "2026.11.1.yaml", host_platform, keep_going=True)
    assert again.compared == second.compared
    # What blocks is tested again, so the times differ.
    assert [replace(outcome, seconds=0.0, attempts=()) for outcome in again.outcomes] == [
        replace(outcome, seconds=0.0, attempts=()) for outcome in second.outcomes
    ]
