"""What packages were in earlier releases: of the last run of each, and of no later release."""

import datetime as dt
from pathlib import Path

from cuvee.graph.findings import Verdict
from cuvee.history.history_file import HistoryFile
from cuvee.history.model import HistoryPackage, HistoryRun
from cuvee.history.over_releases import packages_before, past_releases
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.manifest.model import ReleaseVersion

LINUX = "linux-64"


def run(version: str, numpy: str, *states: str, hour: int = 0, distribution: str = "tiny") -> HistoryRun:
    outcomes = tuple(
        TestOutcome(
            suite="s", test=str(number) if number else "install", platform=LINUX, state=OutcomeState(state),
            package="numpy", seconds=number + 2.5,
        )
        for number, state in enumerate(states)
    )  # fmt: skip
    return HistoryRun(
        distribution=distribution,
        version=ReleaseVersion.parse(version),
        made_at=dt.datetime(2026, 11, 1, hour, tzinfo=dt.UTC),
        verdict=Verdict.READY,
        released=True,
        runs=(PlatformRun(platform=LINUX, runner="native", outcomes=outcomes),),
        packages=(HistoryPackage(platform=LINUX, name="numpy", version=numpy, build="0", sha256="0" * 64),),
    )


def test_the_last_run_of_each_earlier_release_counts(tmp_path: Path) -> None:
    with HistoryFile.open(tmp_path / "history.sqlite") as history:
        for item in (
            run("2026.10.0", "2.0", "pass", "pass", "fail", hour=3),
            run("2026.10.0", "1.9", "fail", hour=2),
            run("2026.9.0", "1.8"),
            run("2026.11.0", "2.1", "pass"),
            run("2026.12.0", "3.0", "pass"),
            run("2026.8.0", "1.0", distribution="other"),
        ):
            history.add(item)
        found = packages_before(history, "tiny", ReleaseVersion(2026, 11, 0))
    assert [(item.release, item.version, dict(item.states)) for item in found["numpy"]] == [
        ("tiny-2026.9.0", "1.8", {}),
        ("tiny-2026.10.0", "2.0", {OutcomeState.FAIL: 1, OutcomeState.PASS: 2}),
    ]


def test_releases_have_their_facts_of_the_last_run(tmp_path: Path) -> None:
    with HistoryFile.open(tmp_path / "history.sqlite") as history:
        for item in (
            run("2026.10.0", "2.0", "pass", "pass", "fail", "skipped", hour=3),
            run("2026.10.0", "1.9", "fail", hour=2),
            run("2026.9.0", "1.8", "skipped"),
            run("2026.11.0", "2.1", "pass"),
        ):
            history.add(item)
        found = past_releases(history, "tiny", ReleaseVersion(2026, 11, 0))
    assert [
        (item.release, item.packages, str(item.tests), item.install_seconds) for item in found.releases
    ] == [
        ("tiny-2026.9.0", 1, "0 run, 0 passed, 1 not run", None),
        ("tiny-2026.10.0", 1, "3 run, 2 passed, 1 not run", 2.5),
    ]
    assert [item.sha256 for item in found.packages["numpy"]] == ["0" * 64] * 2
