"""What was not run is said, is not counted as failed, and keeps a supported release from going out."""

import csv
import datetime as dt
import io
import json
from dataclasses import replace

import pytest

from changed_release import changed, page_of
from cuvee.cli.render import print_runs, result_json
from cuvee.graph.findings import Verdict
from cuvee.integration.model import CommandRule, KnownFailure, QuarantinedTest
from cuvee.integration.outcomes import Counts, OutcomeState, PlatformRun, TestOutcome, count
from cuvee.integration.suite_files import SuiteFiles
from cuvee.manifest.model import Support, Track, Waiver
from cuvee.release.artefacts import Artefact, ArtefactKind
from cuvee.release.record import Release, judge
from cuvee.release.test_stage import check_tests
from cuvee.report.csv_tables import tables
from cuvee.report.data_json import page_json
from cuvee.report.html import render
from cuvee.report.page_pictures import pictures
from cuvee.report.readiness import readiness
from cuvee.report.summary import summary_lines

WHY = "no runner for Windows on this host"
EXE = Artefact(
    path="installers/Starter.exe", kind=ArtefactKind.INSTALLER, platform="win-64", format="exe", size=1
)


def outcome(test: str, state: OutcomeState, reason: str = "") -> TestOutcome:
    return TestOutcome(suite="smoke", test=test, platform="win-64", state=state, reason=reason)


def untested(ready: Release, *, why: str = WHY) -> Release:
    """The ready release with an installer for Windows, where nothing was run."""
    planned = tuple(outcome(name, OutcomeState.NOT_RUN, why) for name in ("install", "import:numpy"))
    windows = PlatformRun(platform="win-64", runner=None, not_run=why, outcomes=planned)
    release = changed(ready, runs=(*ready.runs[:2], windows), artefacts=(*ready.handed_out, EXE))
    return checked(release)


def checked(release: Release) -> Release:
    release = replace(release, tested=check_tests(release.graph, release))
    return replace(release, verdict=judge(release))


def test_a_stable_release_with_an_untested_installer_is_not_ready(ready: Release) -> None:
    release = untested(ready)
    assert (release.verdict, release.verdict.exit_code) == (Verdict.NEEDS_APPROVAL, 1)
    state = readiness(release, {})
    assert state.headline == "Waiting for 1 approval"
    (task,) = state.actors[0].tasks
    assert task.text.startswith("win-64: Test it with `cuvee test`")
    assert f"win-64 was not tested: {WHY}" in state.notes
    assert not any("can go out" in line for line in summary_lines(page_of(release)))


def test_an_edge_release_may_go_out_with_a_warning(ready: Release) -> None:
    edge = replace(ready, manifest=replace(ready.manifest, support=Support(track=Track.EDGE)))
    assert untested(edge).verdict is Verdict.WARNING


def test_a_waiver_names_the_platform_that_was_not_tested(ready: Release) -> None:
    waiver = Waiver(
        check="tested", platform="win-64", reason="tested by hand", author="ada",
        expires=ready.made_at.date(), position=ready.manifest.packages[0].position,
    )  # fmt: skip
    waived = replace(ready, manifest=replace(ready.manifest, waivers=(waiver,)))
    release = untested(waived)
    assert release.verdict is Verdict.WARNING
    assert "waived for now: 1 finding, 0 tests" in readiness(release, {}).notes


def test_a_platform_whose_every_test_was_left_out_was_not_tested(ready: Release) -> None:
    skipped = (outcome("a", OutcomeState.SKIPPED), outcome("b", OutcomeState.NOT_SUPPORTED))
    windows = PlatformRun(platform="win-64", runner="wine", outcomes=skipped)
    release = changed(ready, runs=(*ready.runs[:2], windows), artefacts=(*ready.handed_out, EXE))
    assert checked(release).verdict is Verdict.NEEDS_APPROVAL


def test_an_untested_release_is_read_back_with_its_findings(ready: Release) -> None:
    release = untested(ready)
    again = replace(release, tested=())
    assert [item.check for item in release.findings] == ["tested"]
    assert judge(again) is Verdict.WARNING


@pytest.mark.parametrize("state", OutcomeState)
def test_a_test_passed_or_failed_or_was_not_run(state: OutcomeState) -> None:
    counts = count([outcome("a", state)])
    left_out = {
        OutcomeState.NOT_RUN, OutcomeState.SKIPPED, OutcomeState.NOT_SUPPORTED, OutcomeState.INFRA_ERROR,
    }  # fmt: skip
    assert (counts.run, counts.not_run) == ((0, 1) if state in left_out else (1, 0))
    assert counts.passed == (state is OutcomeState.PASS)


def test_counts_say_run_passed_and_not_run_everywhere(
    ready: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    release = untested(ready)
    page = page_of(release)
    passed = page.results.tests.passed
    assert page.results.tests == Counts(run=passed, passed=passed, not_run=2)
    text = render(page, pictures(release, release.graph))
    assert f"{passed} run, {passed} passed, 2 not run" in "\n".join(summary_lines(page))
    assert f"<b>{passed}</b> of {passed} that were run; 2 not run" in text
    assert "<dt>Tests</dt><dd>0 run, 0 passed, 2 not run</dd>" in text
    rows = list(csv.DictReader(io.StringIO(tables(page, release.lock)["suites.csv"])))
    (windows,) = [row for row in rows if (row["suite"], row["platform"]) == ("smoke", "win-64")]
    assert [windows[name] for name in ("run", "passed", "not_run")] == ["0", "0", "2"]
    data = json.loads(page_json(page))
    assert data["results"]["tests"] == {"run": passed, "passed": passed, "not_run": 2}
    assert result_json(release)["tests"]["win-64"] == {"run": 0, "passed": 0, "not_run": 2}
    print_runs(release.runs)
    assert f"win-64: 0 run, 0 passed, 2 not run: {WHY}" in capsys.readouterr().out


def test_known_failures_are_compared_with_the_release_s_own_tests(ready: Release) -> None:
    run = PlatformRun(
        platform="linux-64",
        runner="native",
        outcomes=(TestOutcome(suite="interop", test="plot", platform="linux-64", state=OutcomeState.PASS),),
    )
    known = tuple(
        KnownFailure(suite="interop", test=name, platforms=("linux-64",), reason="known")
        for name in ("plot", "plott")
    )
    unreliable = QuarantinedTest(
        suite="interop",
        test="plotts",
        platforms=("linux-64",),
        owner="core",
        reason="its clock",
        until=dt.date(2030, 1, 1),
    )
    files = SuiteFiles(known_failures=known, quarantine=(unreliable, replace(unreliable, test="plot")))
    outcomes = check_tests(ready.graph, changed(ready, runs=(run,)), files)
    found = next(item for item in outcomes if item.identifier == "accepted-failures").findings
    assert [finding.cause for finding in found] == [
        "The known failure interop/plot passes",
        "The known failure interop/plott matches no test",
        "The quarantine of interop/plotts matches no test",
    ]


def test_rules_for_commands_are_compared_with_the_commands(ready: Release) -> None:
    tests = ("command:jlpm", "import:numpy")
    runs = tuple(
        PlatformRun(
            platform=platform,
            runner="native",
            outcomes=tuple(
                TestOutcome(suite="smoke", test=test, platform=platform, state=OutcomeState.PASS)
                for test in tests
            ),
        )
        for platform in ready.lock.by_platform
    )
    rules = tuple(CommandRule(command=name) for name in ("jlpm", "jlp", "jl*"))
    checked = check_tests(ready.graph, changed(ready, runs=runs), SuiteFiles(command_rules=rules))
    found = next(item for item in checked if item.identifier == "accepted-failures").findings
    assert [(finding.cause, finding.action) for finding in found] == [
        ("The rule for the command smoke/command:jlp matches no test", "Did you mean smoke/command:jlpm?"),
    ]
