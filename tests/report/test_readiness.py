"""The verdict, who must act, and the lines for a terminal."""

import itertools
from pathlib import Path

import pytest

from changed_release import changed, page_of
from cuvee.channel.model import Absent
from cuvee.graph.diff import ChangeKind
from cuvee.graph.findings import Finding, Verdict
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.lock.model import Lock
from cuvee.release.artefacts import Artefact, ArtefactKind, NotMade
from cuvee.release.record import OUTCOME_VERDICTS, Release
from cuvee.report.actors import UNOWNED
from cuvee.report.badges import CHANGES, STATES, VERDICTS
from cuvee.report.readiness import readiness
from cuvee.report.summary import summary_lines

GOLDEN = Path(__file__).parent / "golden"


def run(*states: OutcomeState, platform: str = "linux-64") -> PlatformRun:
    outcomes = tuple(
        TestOutcome(suite="smoke", test=f"{number}", platform=platform, state=state, package="numpy")
        for number, state in enumerate(states)
    )
    return PlatformRun(platform=platform, runner="native", outcomes=outcomes)


def found(result: Verdict, *owners: str, action: str = "") -> Finding:
    return Finding(check="closure", verdict=result, cause="because", owners=owners, action=action)


@pytest.mark.parametrize("state", OutcomeState)
def test_an_outcome_that_blocks_blocks_the_release_and_no_other_does(
    ready: Release, state: OutcomeState
) -> None:
    runs = (*ready.runs[1:], run(OutcomeState.PASS, state))
    assert (changed(ready, runs=runs).verdict is Verdict.BLOCKED) == state.blocks
    assert (OUTCOME_VERDICTS[state].exit_code == 1) == state.blocks


@pytest.mark.parametrize(("one", "two"), list(itertools.combinations(Verdict, 2)))
def test_the_worst_finding_wins(ready: Release, one: Verdict, two: Verdict) -> None:
    assert changed(ready, findings=(found(two), found(one))).verdict is max(one, two)


def test_not_run_is_not_pass(ready: Release) -> None:
    linux, arm, windows = ready.runs
    not_run = PlatformRun(platform="win-64", runner=None, not_run="no wine")
    assert changed(ready, runs=(linux, arm, windows)).verdict is Verdict.READY
    assert changed(ready, runs=(linux, arm, not_run)).verdict is Verdict.WARNING
    assert changed(ready, runs=(linux, arm)).verdict is Verdict.WARNING
    assert changed(ready, runs=(linux, arm, windows, run(OutcomeState.NOT_RUN))).verdict is Verdict.WARNING


def test_every_status_has_a_badge() -> None:
    assert set(VERDICTS) == set(Verdict)
    assert set(STATES) == set(OUTCOME_VERDICTS) == set(OutcomeState)
    assert set(CHANGES) == set(ChangeKind)


def test_a_quiet_release_is_ready_and_nobody_needs_to_act(ready: Release) -> None:
    state = readiness(ready, {})
    assert (state.verdict, state.headline, state.must_act) == (
        Verdict.READY, "Ready", "No action is needed.",
    )  # fmt: skip
    assert (state.blockers, state.actors, state.notes) == (0, (), ())


def test_a_platform_that_silently_has_no_lock_blocks(ready: Release) -> None:
    lacking = changed(ready, lock=Lock(platforms=ready.lock.platforms[:2]))
    state = readiness(lacking, {})
    assert (state.verdict, state.blockers) == (Verdict.BLOCKED, 1)
    assert "win-64" in state.actors[0].tasks[0].text
    declared = changed(lacking, absent=(Absent(platform="win-64", reason="no wheel"),))
    state = readiness(declared, {})
    assert (state.verdict, state.notes) == (Verdict.READY, ("win-64 is absent: no wheel",))


def test_a_base_without_a_lock_is_said(ready: Release) -> None:
    state = readiness(changed(ready, changes=None), {})
    assert state.notes == ("what changed against starter-2026.10.2 is not known: its lock is not at hand",)


@pytest.mark.parametrize(
    ("findings", "headline"),
    [
        ([Verdict.BLOCKED, Verdict.NEEDS_APPROVAL], "Blocked by 1"),
        ([Verdict.NEEDS_APPROVAL], "Waiting for 1 approval"),
        ([Verdict.NEEDS_APPROVAL] * 2, "Waiting for 2 approvals"),
        ([Verdict.WAITING], "Waiting for 1 thing to finish"),
        ([Verdict.WARNING], "Ready, with warnings"),
        ([Verdict.WAIVED, Verdict.INFO], "Ready"),
    ],
)
def test_the_headline_counts_what_stands_in_the_way(
    ready: Release, findings: list[Verdict], headline: str
) -> None:
    data = changed(ready, findings=tuple(found(result) for result in findings))
    assert readiness(data, {}).headline == headline


def test_owners_act_on_what_is_theirs_and_the_release_manager_on_the_rest(ready: Release) -> None:
    failing = TestOutcome(
        suite="interop", test="pixels", platform="linux-64", state=OutcomeState.FAIL, package="numpy"
    )
    data = changed(
        ready,
        findings=(
            found(Verdict.BLOCKED, "web", action="Pin it."),
            found(Verdict.BLOCKED),
            found(Verdict.WARNING, "desktop"),
        ),
        runs=(*ready.runs[1:], PlatformRun(platform="linux-64", runner="native", outcomes=(failing,))),
    )
    state = readiness(data, {failing: "outcome-1"})
    tasks = {actor.name: [(task.text, task.anchor) for task in actor.tasks] for actor in state.actors}
    assert tasks == {
        "numerics": [("Look at the test interop: pixels on linux-64.", "outcome-1")],
        "web": [("closure: Pin it.", "finding-1")],
        UNOWNED: [("because", "finding-2")],
    }
    assert [actor.contact for actor in state.actors] == [
        "numerics@example.org", "https://example.org/teams/web", "",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["sample", "ready"])
def test_the_summary_for_a_terminal(name: str, request: pytest.FixtureRequest) -> None:
    lines = summary_lines(page_of(request.getfixturevalue(name)))
    assert "\n".join(lines) + "\n" == (GOLDEN / f"summary-{name}.txt").read_text(encoding="utf-8")


def test_what_no_host_can_make_is_told_apart(ready: Release) -> None:
    names = {"a.msi": 1, "b.exe": 3, "c.msi": 2}
    artefacts = tuple(
        Artefact(
            path=name,
            kind=ArtefactKind.INSTALLER,
            not_made=NotMade(reason="because", exit_code=code),
        )
        for name, code in names.items()
    )
    notes = readiness(changed(ready, artefacts=artefacts), {}).notes
    assert "1 of 3 artefacts could not be made here: b.exe" in notes
    assert "2 of 3 artefacts cannot be made on any host: a.msi, c.msi" in notes


def test_equal_tasks_are_one_that_names_its_packages_and_links_to_them(ready: Release) -> None:
    findings = tuple(
        Finding(
            check="licenses",
            verdict=Verdict.NEEDS_APPROVAL,
            cause=f"{name} has no licence",
            packages=(name, "another"),
            platforms=("linux-64", "win-64") if name == "b" else ("linux-64",),
            owners=owners,
            action="Take another package, allow the licence, or record a waiver.",
        )
        for name, owners in [("a", ("web",)), ("b", ("web",)), ("c", ("web",)), ("d", ("web",)), ("e", ())]
    )
    state = readiness(changed(ready, findings=findings), {})
    tasks = {actor.name: actor.tasks for actor in state.actors}
    action = findings[0].action
    assert [task.text for task in tasks["web"]] == [
        f"a, b, c and 1 more on linux-64, win-64: {action} (4 findings)"
    ]
    assert (tasks["web"][0].anchor, tasks["web"][0].query) == (
        "findings", "status=needs-approval&check=licenses&owner=web",
    )  # fmt: skip
    assert [(task.text, task.anchor) for task in tasks[UNOWNED]] == [
        (f"e, another on linux-64: {action}", "finding-5")
    ]


def test_failed_tests_are_named_and_linked_by_owner_and_platform(ready: Release) -> None:
    failed = run(*[OutcomeState.FAIL] * 4, OutcomeState.TIMEOUT, OutcomeState.FLAKY, OutcomeState.PASS)
    (actor,) = readiness(changed(ready, runs=(*ready.runs[1:], failed)), {}).actors
    (task,) = actor.tasks
    assert task.text == (
        "Look at 5 tests on linux-64 (4 fail, 1 timeout): smoke: 0, smoke: 1, smoke: 2 and 2 more."
    )
    assert (task.anchor, task.query) == ("tests", "status=fail%7Ctimeout&platform=linux-64&owner=numerics")


def test_what_the_machine_broke_is_the_release_managers_and_runs_again(ready: Release) -> None:
    broken = run(OutcomeState.INFRA_ERROR)
    state = readiness(changed(ready, runs=(*ready.runs[1:], broken)), {})
    (actor,) = state.actors
    assert (state.headline, actor.name) == ("Blocked by 1", UNOWNED)
    assert state.must_act == "1 test must run again, since the machine failed, before it goes out."
    assert [t.text for t in actor.tasks] == [
        "Repair the machine, and run again the test smoke: 0 on linux-64."
    ]
    both = run(OutcomeState.INFRA_ERROR, OutcomeState.FAIL, OutcomeState.INFRA_ERROR)
    state = readiness(changed(ready, runs=(*ready.runs[1:], both)), {})
    assert state.headline == "Blocked by 3"
    assert state.must_act == (
        "1 test must be fixed, or waived with a reason and a date, and 2 tests must run again, "
        "since the machine failed, before it goes out."
    )
    assert [actor.name for actor in state.actors] == ["numerics", UNOWNED]
    (task,) = state.actors[1].tasks
    assert task.query == "status=infra-error&platform=linux-64&owner=release+manager"


def test_an_owner_whose_tests_fail_on_several_platforms_has_one_task(ready: Release) -> None:
    failing = [
        TestOutcome(suite="smoke", test=f"numpy{number}", platform=platform, package="numpy", state=state)
        for platform, states in (
            ("win-64", (OutcomeState.FAIL, OutcomeState.FAIL)), ("linux-64", (OutcomeState.TIMEOUT,)),
        )
        for number, state in enumerate(states)
    ]  # fmt: skip
    runs = tuple(
        PlatformRun(platform=name, runner="native", outcomes=tuple(o for o in failing if o.platform == name))
        for name in ("win-64", "linux-64")
    )
    (actor,) = readiness(changed(ready, runs=(*ready.runs[1:2], *runs)), {}).actors
    (task,) = actor.tasks
    assert task.text == (
        "Look at 3 outcomes on linux-64, win-64 (2 fail, 1 timeout): smoke: numpy0, smoke: numpy1."
    )
    assert task.query == "status=fail%7Ctimeout&owner=numerics"


def test_a_task_about_several_states_leads_to_all_of_them(ready: Release) -> None:
    warned = run(OutcomeState.FLAKY, OutcomeState.ALWAYS_FAIL)
    (actor,) = readiness(changed(ready, runs=(*ready.runs[1:], warned)), {}).actors
    assert actor.tasks[0].query == "status=flaky%7Calways-fail&platform=linux-64&owner=numerics"


def test_with_warnings_only_their_owners_are_named(ready: Release) -> None:
    warned = changed(
        ready,
        findings=(found(Verdict.WARNING, "web", action="Pin it."), found(Verdict.INFO, "desktop")),
        runs=(*ready.runs[1:], run(OutcomeState.FLAKY, OutcomeState.FLAKY)),
    )
    state = readiness(warned, {})
    tasks = {actor.name: [task.text for task in actor.tasks] for actor in state.actors}
    assert tasks == {
        "numerics": ["Look at 2 tests on linux-64 (2 flaky): smoke: 0, smoke: 1."],
        "web": ["closure: Pin it."],
    }
    assert "web should look (https://example.org/teams/web):" in summary_lines(page_of(warned))


def test_what_was_not_checked_is_not_ready(ready: Release) -> None:
    unchecked = changed(ready, checked=None)
    assert unchecked.verdict is Verdict.NEEDS_APPROVAL
    state = readiness(unchecked, {})
    assert state.headline == "Not checked"
    assert "no check was run" in state.notes
