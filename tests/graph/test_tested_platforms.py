"""The check of where tests were run: by default each platform with an installer, or what the policy says."""

from dataclasses import replace
from typing import Any

import pytest

from checked_sets import lock_of, manifest_of, only, package, waiver
from cuvee.graph.checks import ALL_CHECKS, TEST_CHECKS, CheckOutcome, Status, run_checks
from cuvee.graph.findings import Verdict
from cuvee.graph.release_graph import PlatformTests, build_graph
from cuvee.manifest.model import Policy, Support, Track

LINUX = PlatformTests(platform="linux-64", has_installer=True, ran=frozenset({"smoke", "interop"}))
WINDOWS = PlatformTests(platform="win-64", has_installer=True, not_run="this machine runs Linux")
LOCK = lock_of(package("python"), package("python", platform="win-64"))


def found_in(*tests: PlatformTests, **manifest: Any) -> CheckOutcome:
    graph = replace(build_graph(manifest_of(**manifest), LOCK), tests=tests)
    (outcome, *_) = run_checks(graph, TEST_CHECKS)
    return outcome


def track(track: Track) -> Support:
    return Support(track=track)


@pytest.mark.parametrize("support", [None, track(Track.STABLE), track(Track.LTS)])
def test_an_installer_that_was_not_tested_needs_approval(support: Support | None) -> None:
    found = only(found_in(LINUX, WINDOWS, support=support))
    assert (found.verdict, found.platforms) == (Verdict.NEEDS_APPROVAL, ("win-64",))
    assert found.cause == "The installer for win-64 was not tested"
    assert found.evidence == ("this machine runs Linux",)


def test_on_edge_nothing_must_be_tested_unless_the_policy_says_so() -> None:
    edge = track(Track.EDGE)
    assert found_in(LINUX, WINDOWS, support=edge).status is Status.PASS
    policy = Policy(platforms={"win-64": ("smoke",)})
    assert only(found_in(LINUX, WINDOWS, support=edge, policy=policy)).verdict is Verdict.NEEDS_APPROVAL


def test_a_platform_without_an_installer_need_not_be_tested() -> None:
    assert found_in(LINUX, replace(WINDOWS, has_installer=False)).status is Status.PASS
    assert found_in(LINUX, replace(WINDOWS, ran=frozenset({"smoke"}))).status is Status.PASS


def test_a_waiver_names_the_platform() -> None:
    arm = replace(WINDOWS, platform="linux-aarch64")
    outcome = found_in(LINUX, WINDOWS, arm, waivers=(waiver("tested", platform="win-64"),))
    assert {item.platforms: item.verdict for item in outcome.findings} == {
        ("win-64",): Verdict.WAIVED,
        ("linux-aarch64",): Verdict.NEEDS_APPROVAL,
    }


def test_the_policy_says_which_suites_must_be_run_where() -> None:
    policy = Policy(platforms={"linux-64": ("smoke", "upstream", "gpu")})
    linux = replace(LINUX, reasons={"gpu": "no GPU here", "other": "unknown"})
    found = only(found_in(linux, WINDOWS, policy=policy))
    assert found.cause == "No test of upstream and gpu was run on linux-64, where the manifest wants them"
    assert found.evidence == ("gpu: no GPU here",)
    assert found_in(LINUX, WINDOWS, policy=Policy(platforms={})).status is Status.PASS


def test_the_policy_can_block() -> None:
    assert only(found_in(WINDOWS, policy=Policy(checks={"tested": "blocked"}))).verdict is Verdict.BLOCKED
    assert only(found_in(WINDOWS, policy=Policy(checks={"tested": "info"}))).verdict is Verdict.INFO


def test_before_the_tests_there_is_nothing_to_check() -> None:
    (outcome, *_) = run_checks(build_graph(manifest_of(), LOCK), TEST_CHECKS)
    assert outcome.status is Status.SKIPPED
    assert not {check.identifier for check in TEST_CHECKS} & {check.identifier for check in ALL_CHECKS}
