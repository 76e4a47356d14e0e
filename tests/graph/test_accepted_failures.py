"""The check of what accepts failing tests before they are run."""

import datetime as dt
from dataclasses import replace

import pytest

from checked_sets import lock_of, manifest_of, only, package
from cuvee.graph.checks import CheckOutcome, Status, run_checks
from cuvee.graph.checks.accepted_failures import AcceptedFailuresCheck
from cuvee.graph.release_graph import AcceptedFailure, PlatformTests, build_graph

TODAY = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
LINUX = PlatformTests(
    platform="linux-64",
    has_installer=True,
    ran=frozenset({"interop"}),
    tests=frozenset({"interop/plot[a-b]", "interop/frames"}),
)
WINDOWS = PlatformTests(platform="win-64", has_installer=True, not_run="this machine runs Linux")


def accepted(pattern: str, *platforms: str, until: dt.date | None = None) -> AcceptedFailure:
    return AcceptedFailure(
        pattern=pattern, platforms=platforms, what="known failure", source="known-failures.yaml", until=until
    )


def found_in(item: AcceptedFailure, *tests: PlatformTests) -> CheckOutcome:
    graph = build_graph(manifest_of(), lock_of(package("python")), today=TODAY)
    (outcome,) = run_checks(replace(graph, tests=tests, accepted=(item,)), [AcceptedFailuresCheck()])
    return outcome


@pytest.mark.parametrize("pattern", ["interop/plot[a-b]", "interop/*", "inter*/frames"])
def test_what_matches_a_test_is_no_finding(pattern: str) -> None:
    assert found_in(accepted(pattern), LINUX).status is Status.PASS


def test_what_matches_no_test_is_a_warning_with_the_likely_name() -> None:
    found = only(found_in(accepted("interop/frame"), LINUX))
    assert found.cause == "The known failure interop/frame matches no test"
    assert (found.action, found.evidence) == (
        "Did you mean interop/frames?", ("stated at known-failures.yaml",),
    )  # fmt: skip


def test_where_the_suite_was_not_run_nothing_is_judged() -> None:
    assert found_in(accepted("upstream/frame"), LINUX).status is Status.PASS
    assert found_in(accepted("interop/frame"), LINUX, WINDOWS).status is Status.PASS
    assert only(found_in(accepted("interop/frame", "linux-64"), LINUX, WINDOWS)).platforms == ("linux-64",)


def test_one_that_ends_soon_is_shown() -> None:
    assert found_in(accepted("interop/frames", until=dt.date(2026, 12, 7)), LINUX).status is Status.PASS
    found = only(found_in(accepted("interop/frames", until=dt.date(2026, 12, 6)), LINUX))
    assert found.cause == "The known failure interop/frames ends on 2026-12-06"


def test_one_that_is_over_is_shown_until_it_is_removed() -> None:
    found = only(found_in(accepted("interop/frames", until=dt.date(2026, 11, 21)), LINUX))
    assert found.cause == "The known failure interop/frames ended on 2026-11-21; its tests count again"
    assert found.kind == "ended"


def test_a_test_that_is_expected_to_fail_and_passes_everywhere_is_shown() -> None:
    item = replace(accepted("interop/*"), passing_is_news=True)
    passed = replace(LINUX, passed=LINUX.tests)
    found = only(found_in(item, passed))
    assert (found.cause, found.kind) == ("The known failure interop/* passes", "passes")
    assert found_in(item, LINUX).status is Status.PASS
    some = replace(LINUX, passed=frozenset({"interop/frames"}))
    assert found_in(item, some).status is Status.PASS
    assert found_in(item, passed, replace(WINDOWS, tests=frozenset({"interop/frames"}))).status is Status.PASS
    assert found_in(replace(item, passing_is_news=False), passed).status is Status.PASS
