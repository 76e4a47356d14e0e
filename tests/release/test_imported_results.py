"""Results of tests that ran on other machines: only of this release, and never better than they are."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cuvee.cli.main import run
from cuvee.errors import IntegrityError, SourceUnreachableError, UsageError
from cuvee.graph.findings import Verdict
from cuvee.integration.imported_results import ImportedResults, StatedResults, merged, read_results
from cuvee.integration.model import KnownFailure, PackagePlan, Plan
from cuvee.integration.outcome_rules import not_run
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.integration.results_folder import write_run
from cuvee.release.record import Release
from tiny_distribution import Distribution, write_key

SHA = "a" * 64
JUNIT = """<testsuites><testsuite name="gui">
<testcase classname="windows" name="opens" time="1.5"/>
<testcase classname="windows" name="closes"><failure message="it hangs">Traceback</failure></testcase>
<testcase classname="windows" name="prints"><skipped message="no printer"/></testcase>
</testsuite></testsuites>"""
STATED = StatedResults(platform="win-64", machine="lab 3", installer_sha256=SHA, suite="gui")


def outcome(test: str, state: OutcomeState, reason: str = "") -> TestOutcome:
    return TestOutcome(suite="smoke", test=test, platform="win-64", state=state, reason=reason)


def elsewhere(*outcomes: TestOutcome) -> PlatformRun:
    environment = {"host": "Windows 11", "installer_sha256": SHA}
    return PlatformRun(platform="win-64", runner="native", outcomes=outcomes, environment=environment)


def imported(root: Path, *outcomes: TestOutcome) -> ImportedResults:
    write_run(root, elsewhere(*outcomes))
    return read_results(root / "outcomes.json", StatedResults())


@pytest.fixture
def plan() -> Plan:
    known = KnownFailure(suite="smoke", test="import:b", reason="known")
    return Plan(
        platform="win-64",
        packages=tuple(PackagePlan(name=name, version="1", imports=(name,)) for name in "abc"),
        known_failures=(known,),
    )


def idle(plan: Plan) -> PlatformRun:
    outcomes = not_run(plan.tests(), plan.platform, "no runner")
    return PlatformRun(platform=plan.platform, runner=None, not_run="no runner", outcomes=outcomes)


def states(run: PlatformRun) -> dict[str, str]:
    return {item.test: item.state.value for item in run.outcomes}


def test_junit_of_any_program(tmp_path: Path) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(JUNIT)
    found = read_results(path, STATED)
    assert (found.platform, found.machine, found.installer_sha256) == ("win-64", "lab 3", SHA)
    assert [(item.suite, item.test, item.state.value, item.seconds) for item in found.outcomes] == [
        ("gui", "windows.opens", "pass", 1.5),
        ("gui", "windows.closes", "fail", 0.0),
        ("gui", "windows.prints", "skipped", 0.0),
    ]
    assert found.outcomes[1].reason == "it hangs (on lab 3)"


@pytest.mark.parametrize("missing", ["platform", "machine", "installer_sha256", "suite"])
def test_what_junit_does_not_say_must_be_said(tmp_path: Path, missing: str) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(JUNIT)
    with pytest.raises(UsageError, match=r"does not say") as caught:
        read_results(path, replace(STATED, **{missing: ""}))
    assert caught.value.hint
    assert caught.value.hint.startswith("Add --")


@pytest.mark.parametrize(
    "text",
    ["", "nothing", "<html/>", "<testsuite/>", '<!DOCTYPE a [<!ENTITY b "c">]><testsuite/>', "<testsuite>"],
)
def test_what_is_not_junit(tmp_path: Path, text: str) -> None:
    path = tmp_path / "junit.xml"
    path.write_text(text)
    with pytest.raises(SourceUnreachableError) as caught:
        read_results(path, STATED)
    assert str(path) in caught.value.message
    assert "Nothing was imported" in (caught.value.hint or "")


@pytest.mark.parametrize("text", ["{}", "{", '{"platform-run": 2}', '{"platform-run": 1}'])
def test_what_is_not_a_run(tmp_path: Path, text: str) -> None:
    path = tmp_path / "outcomes.json"
    path.write_text(text)
    with pytest.raises(IntegrityError):
        read_results(path, StatedResults())


def test_a_run_that_is_not_what_was_said(tmp_path: Path) -> None:
    write_run(tmp_path, elsewhere(outcome("install", OutcomeState.PASS)))
    for stated in (
        StatedResults(platform="linux-64"),
        StatedResults(installer_sha256="b" * 64),
        StatedResults(suite="gui"),
    ):
        with pytest.raises(UsageError):
            read_results(tmp_path / "outcomes.json", stated)
    write_run(tmp_path, PlatformRun(platform="win-64", runner=None, not_run="no runner"))
    with pytest.raises(UsageError, match="nothing was tested there"):
        read_results(tmp_path / "outcomes.json", StatedResults())


def test_nothing_that_was_accepted_elsewhere_is_accepted_here(tmp_path: Path, plan: Plan) -> None:
    found = imported(
        tmp_path,
        outcome("import:a", OutcomeState.WAIVED, "never mind"),
        outcome("import:b", OutcomeState.KNOWN_FAIL, "x"),
        outcome("import:c", OutcomeState.ALWAYS_FAIL, "y"),
        outcome("verify", OutcomeState.QUARANTINED, "z"),
    )
    made = states(merged(idle(plan), [found], plan))
    assert (made["import:a"], made["import:b"], made["import:c"]) == ("fail", "known-fail", "fail")
    assert made["verify"] == "fail"


def test_what_no_file_has_stays_not_run(tmp_path: Path, plan: Plan) -> None:
    found = imported(tmp_path, outcome("install", OutcomeState.PASS), outcome("import:a", OutcomeState.PASS))
    run = merged(idle(plan), [found], plan)
    assert run.runner == "import"
    assert run.not_run is None
    assert "Windows 11" in run.environment["imported"]
    by_test = {item.test: item for item in run.outcomes}
    assert states(run)["import:a"] == "pass"
    assert by_test["import:c"].state is OutcomeState.NOT_RUN
    assert by_test["import:c"].reason == "no imported file has it"
    assert {item.test for item in run.outcomes} == {test.test for test in plan.tests()}


@pytest.mark.parametrize(
    ("here", "there", "counts"),
    [
        ("pass", "fail", "fail"),
        ("fail", "pass", "fail"),
        ("not-supported", "pass", "pass"),
        ("pass", "skipped", "pass"),
    ],
)
def test_the_worse_of_two_results_counts(
    tmp_path: Path, plan: Plan, here: str, there: str, counts: str
) -> None:
    local = PlatformRun(
        platform="win-64", runner="wine", outcomes=(outcome("import:a", OutcomeState(here), "here"),)
    )
    found = imported(tmp_path, outcome("import:a", OutcomeState(there), "there"))
    run = merged(local, [found], plan)
    assert (states(run), run.runner) == ({"import:a": counts}, "wine")
    assert merged(local, [], plan) is local


@pytest.mark.real
def test_a_release_takes_results_of_another_machine_into_account(
    copied: Callable[[], Distribution],
    tiny_text: str,
    host_platform: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    distribution = copied()
    path = distribution.write(tiny_text)
    before = distribution.cut(path)
    (installer,) = (item for item in before.handed_out if item.platform == host_platform)
    junit = tmp_path / "junit.xml"
    junit.write_text(JUNIT)
    options = ["--suite", "gui", "--platform", host_platform, "--machine", "lab 3", "--installer"]
    folder = str(before.folder)
    assert run(["import-results", folder, str(junit), *options, "b" * 64]) == 5
    assert "Test one of these" in capsys.readouterr().err
    assert not (before.folder / "imports").exists()
    assert (
        run(["import-results", folder, str(junit), *options, str(before.folder / installer.path), "--json"])
        == 0
    )
    (said,) = json.loads(capsys.readouterr().out)
    assert (said["results"], said["installer_sha256"]) == (3, installer.sha256)
    assert run(["report", folder]) == 1, "it may be blocked by what was added"
    assert run(["sign", folder, "--sign-key", str(write_key(tmp_path))]) in {1, 5}
    assert not (before.folder / "SHA256SUMS.sig").exists()
    after = distribution.cut(path)
    assert after.verdict is Verdict.BLOCKED
    assert after.failure is None
    assert run(["import-results", folder, str(junit), *options, installer.sha256]) == 0
    assert Release.open(after.folder).failure is None, "the same results again change nothing"
    run_here = next(item for item in after.runs if item.platform == host_platform)
    assert states(run_here)["windows.closes"] == "fail"
    assert states(run_here)["install"] == "pass"
    assert {stage.stage for stage in after.stages if not stage.reused} == {f"test-{host_platform}"}
    page = (after.folder / "report" / "index.html").read_text(encoding="utf-8")
    assert "it hangs (on lab 3)" in page
    capsys.readouterr()
    corrected = [*options[:-2], "lab 4", "--installer", installer.sha256]
    assert run(["import-results", folder, str(junit), *corrected]) == 0
    assert "in place of what was imported from the same file before" in capsys.readouterr().out
    assert Release.open(after.folder).failure is not None, "these are others"
    distribution.cut(path)
    page = (after.folder / "report" / "index.html").read_text(encoding="utf-8")
    assert "it hangs (on lab 4)" in page
    assert "lab 3" not in page
