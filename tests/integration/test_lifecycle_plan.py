"""What suites of the kind ``lifecycle`` plan, and what becomes of steps after one that failed."""

from pathlib import Path

import pytest

from cuvee.errors import DocumentError
from cuvee.integration.inside.desktop_files import (
    contents,
    damage,
    lost_user_files,
    remove_user_files,
    write_user_files,
)
from cuvee.integration.left_files import differences, listed
from cuvee.integration.lifecycle_plan import EarlierRelease, LifecycleTarget, UpgradeSteps, with_lifecycle
from cuvee.integration.lifecycle_steps import StepFailedError, Steps
from cuvee.integration.model import Plan, PlannedSuite, PlannedTest, SuiteKind
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.runners.native import NativeRunner
from cuvee.integration.runners.protocol import Sandbox
from cuvee.integration.suite_files import read_suite
from cuvee.integration.test_session import TestSession
from cuvee.integration.units import units_of
from cuvee.report.stage_matrix import StageOfUse, stage_of

OLD = EarlierRelease(version="2026.10.0", installer=Path("Old.sh"), sha256="0" * 64)
GONE = EarlierRelease(version="2026.9.0", absent="it is not here: copy it")
FOREIGN = EarlierRelease(version="2026.8.0", unsupported="constructor made it")


def suite(suites_folder: Path, text: str = "kind: lifecycle") -> PlannedSuite:
    (suites_folder / "desktop").mkdir(exist_ok=True)
    (suites_folder / "desktop" / "suite.yaml").write_text(text)
    return read_suite(suites_folder, "desktop")


def test_each_starting_point_is_a_unit_with_stable_names(suites_folder: Path) -> None:
    planned = with_lifecycle(suite(suites_folder), [OLD, GONE], administered=True)
    assert planned.kind is SuiteKind.LIFECYCLE
    units = {
        unit.name: unit
        for unit in units_of(
            Plan(platform="linux-64", packages=(), suites=(planned,)), NativeRunner(), without=""
        )
    }
    fresh = units["desktop/this release"]
    assert [test.test for test in fresh.tests] == ["install", "verify", "repair", "uninstall"]
    names = [test.test for test in units["desktop/from 2026.10.0"].tests]
    assert names[:2] == ["install 2026.10.0", "upgrade from 2026.10.0"]
    assert names[-1] == "uninstall after the upgrade from 2026.10.0"
    assert units["desktop/from 2026.10.0"].not_run == ""
    assert units["desktop/from 2026.9.0"].not_run == "it is not here: copy it"


def test_the_stages_of_the_matrix_are_its_tests(suites_folder: Path) -> None:
    planned = with_lifecycle(suite(suites_folder, "{kind: lifecycle, needs: [qt]}"), [OLD], administered=True)
    found: dict[StageOfUse, list[str]] = {}
    for test in (test for target in planned.targets for test in target.tests):
        outcome = TestOutcome(
            suite=test.suite, test=test.test, platform="linux-64", state=OutcomeState.PASS,
            package=test.package, packages=test.packages,
        )  # fmt: skip
        found.setdefault(stage_of(outcome), []).append(test.test)
    assert found == {
        StageOfUse.INSTALL: ["install", "verify", "repair", "install 2026.10.0"],
        StageOfUse.UNINSTALL: ["uninstall", "uninstall after the upgrade from 2026.10.0"],
        StageOfUse.UPGRADE: list(UpgradeSteps.of("2026.10.0").names[1:-1]),
    }


def test_what_a_suite_needs_holds_for_all_its_starting_points(suites_folder: Path) -> None:
    planned = with_lifecycle(
        suite(suites_folder, "{kind: lifecycle, needs: [qt]}"), [OLD], administered=True
    ).for_packages({"python"})
    reasons = {test.unsupported for target in planned.targets for test in target.tests}
    assert reasons == {"the release has no qt"}


def test_what_constructor_makes_is_not_supported(suites_folder: Path) -> None:
    planned = with_lifecycle(suite(suites_folder), [OLD], administered=False).for_packages(())
    assert all("constructor" in test.unsupported for target in planned.targets for test in target.tests)
    planned = with_lifecycle(suite(suites_folder), [FOREIGN], administered=True).for_packages(())
    fresh, foreign = planned.targets
    assert isinstance(foreign, LifecycleTarget)
    assert {test.unsupported for test in foreign.tests} == {"constructor made it"}
    assert fresh.supported


def test_it_has_no_keys_of_other_kinds(suites_folder: Path) -> None:
    with pytest.raises(DocumentError, match="is a key of the kind notebook"):
        suite(suites_folder, "{kind: lifecycle, compare: true}")


def test_steps_that_need_a_failed_one_do_not_run(tmp_path: Path) -> None:
    names = UpgradeSteps.of("2026.10.0").names
    tests = [PlannedTest(suite="desktop", test=name) for name in names]
    sandbox = Sandbox(platform="linux-64", prefix=tmp_path / "p", home=tmp_path / "h", temp=tmp_path / "t")
    session = TestSession(
        plan=Plan(platform="linux-64", packages=()),
        runner=NativeRunner(),
        sandbox=sandbox,
        logs=tmp_path / "logs",
        work=tmp_path / "work",
        timeout=1,
    )
    steps = Steps(session=session, tests=tests, seconds=1)

    def fail() -> None:
        raise StepFailedError(f"exit code 7 in {sandbox.prefix}", log="why")

    def never() -> None:
        pytest.fail("it ran")

    steps.step(names[0], lambda: None)
    steps.step(names[1], fail, after=[names[0]])
    steps.step(names[2], never, after=[names[1]])
    steps.step(names[3], never, after=[names[0], names[2]])
    steps.step(names[4], lambda: None, after=[names[0]])
    cause = "upgrade from 2026.10.0: exit code 7 in <prefix>"
    assert [(outcome.state, outcome.reason) for outcome in steps.outcomes] == [
        (OutcomeState.PASS, ""),
        (OutcomeState.FAIL, "exit code 7 in <prefix>"),
        (OutcomeState.NOT_RUN, cause),
        (OutcomeState.NOT_RUN, cause),
        (OutcomeState.PASS, ""),
    ]
    assert (tmp_path / "logs" / str(steps.outcomes[1].log)).read_text() == "why"


def test_differences_of_folders(tmp_path: Path) -> None:
    (tmp_path / "same").write_text("1")
    (tmp_path / "changed").write_text("1")
    (tmp_path / "gone").symlink_to("same")
    (tmp_path / "mode").write_text("1")
    (tmp_path / "mode").chmod(0o600)
    before = contents(tmp_path)
    (tmp_path / "changed").write_text("2")
    (tmp_path / "gone").unlink()
    (tmp_path / "mode").chmod(0o644)
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "Käse 1").write_text("")
    found = differences(before, contents(tmp_path))
    assert found == ("new: a/Käse 1", "new: a/b", "changed: changed", "mode: mode", "gone: gone")
    assert listed([str(number) for number in range(12)]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
    assert differences(before, before) == ()


def test_files_of_a_user_are_missed(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    write_user_files(tmp_path)
    assert lost_user_files(tmp_path) == ()
    (tmp_path / "lib" / "of the user.txt").write_text("other")
    assert lost_user_files(tmp_path) == ("of the user.txt",)
    remove_user_files(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lib"]
    assert len(lost_user_files(tmp_path)) == 2


def test_damage_does_not_reach_files_that_are_linked_elsewhere(tmp_path: Path) -> None:
    assert damage(tmp_path) == ()
    site = tmp_path / "prefix" / "lib" / "site-packages"
    for name in ("a", "b"):
        (site / f"{name}-1.dist-info").mkdir(parents=True)
        (site / f"{name}-1.dist-info" / "METADATA").write_text("Name: x")
    (tmp_path / "elsewhere").hardlink_to(site / "a-1.dist-info" / "METADATA")
    assert damage(tmp_path / "prefix") == (
        "lib/site-packages/a-1.dist-info/METADATA",
        "lib/site-packages/b-1.dist-info/METADATA",
    )
    assert (tmp_path / "elsewhere").read_text() == "Name: x"
    assert not (site / "b-1.dist-info" / "METADATA").exists()
