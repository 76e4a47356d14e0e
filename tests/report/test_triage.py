"""Triage: each outcome is in one group, and nothing is cut in silence."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from changed_release import changed, page_of
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.integration.reference_comparison import Reference, RunComparison, compare
from cuvee.release.record import Release
from cuvee.report.csv_tables import tables
from cuvee.report.outcome_rows import DETAILED, LISTED
from cuvee.report.triage import Earlier, Triage, earlier

BASE = "starter-2026.10.2"


def outcome(state: str, test: str = "t") -> TestOutcome:
    return TestOutcome(suite="s", test=test, platform="linux-64", state=OutcomeState(state))


def compared(
    before: dict[str, str], now: dict[str, str], *, released: bool = True
) -> tuple[PlatformRun, RunComparison]:
    def run(states: dict[str, str]) -> PlatformRun:
        outcomes = tuple(outcome(state, test) for test, state in states.items())
        return PlatformRun(platform="linux-64", runner="native", outcomes=outcomes)

    return compare(run(now), Reference(release=BASE, released=released, run=run(before)), frozenset())


ROWS = [
    ("pass", "fail", "newly-failing"), ("pass", "timeout", "newly-failing"),
    ("skipped", "fail", "newly-failing"),
    ("infra-error", "fail", "newly-failing"), ("flaky", "fail", "newly-failing"),
    (None, "fail", "newly-failing"),
    ("fail", "fail", "still-failing"), ("waived", "fail", "still-failing"),
    ("always-fail", "timeout", "still-failing"),
    ("pass", "flaky", "flaky"), ("flaky", "flaky", "flaky"), (None, "flaky", "flaky"),
    ("pass", "waived", "waived-or-known"), ("known-fail", "known-fail", "waived-or-known"),
    ("fail", "pass", "newly-passing"), ("always-fail", "pass", "newly-passing"),
    ("waived", "pass", "newly-passing"),
    ("timeout", "pass", "newly-passing"), (None, "pass", "new"), ("pass", "pass", "passing"),
    ("flaky", "pass", "passing"), ("not-run", "pass", "passing"), ("pass", "not-run", "not-run"),
    (None, "skipped", "not-run"), ("pass", "infra-error", "infra-errors"),
    (None, "infra-error", "infra-errors"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "now", "group"), ROWS)
@pytest.mark.parametrize("released", [True, False])
def test_the_group_of_each_pair_of_states(before: str | None, now: str, group: str, released: bool) -> None:
    run, comparison = compared({"t": before} if before else {}, {"t": now}, released=released)
    assert earlier([comparison]).triage(run.outcomes[0]).slug == group


@pytest.mark.parametrize("state", OutcomeState)
def test_without_a_reference_run_nothing_is_news(state: OutcomeState) -> None:
    group = Earlier().triage(outcome(state.value))
    assert group not in {Triage.NEW, Triage.NEWLY_PASSING, Triage.GONE}
    if state in {OutcomeState.FAIL, OutcomeState.TIMEOUT}:
        assert group is Triage.FAILING


def with_reference(sample: Release) -> Release:
    """Return the sample, compared with a run whose tests were a little different."""
    run = sample.runs[0]
    before = {(item.suite, item.test): item for item in run.outcomes}
    before["interop", "model trained and pickled"] = replace(
        before["interop", "model trained and pickled"], state=OutcomeState.FAIL
    )
    before["interop", "plot to pixels"] = replace(
        before["interop", "plot to pixels"], state=OutcomeState.WAIVED
    )
    before["interop", "frame through SQL and back"] = replace(
        before["interop", "frame through SQL and back"], state=OutcomeState.PASS
    )
    before["interop", "dropped"] = outcome("pass", "dropped")
    del before["smoke", "import:rich"]
    reference = PlatformRun(platform=run.platform, runner="native", outcomes=tuple(before.values()))
    judged, comparison = compare(
        run, Reference(release=BASE, released=True, run=reference), frozenset({"rich"})
    )
    return replace(changed(sample, runs=(judged, *sample.runs[1:])), compared=(comparison,))


def test_the_groups_of_a_page_have_each_outcome_once(sample: Release) -> None:
    results = page_of(with_reference(sample)).results
    rows = [row for group in results.groups.values() for row in group]
    assert len(rows) == results.tests.total == len({(row.suite, row.test, row.platform) for row in rows})
    assert sum(results.sizes.values()) == results.tests.total + len(results.gone)
    found = {group.slug: size for group, size in results.sizes.items() if size < 20}
    assert found == {
        "newly-failing": 1, "infra-errors": 1, "still-failing": 2, "flaky": 1, "waived-or-known": 2,
        "newly-passing": 1, "new": 1, "gone": 1, "not-run": 6,
    }  # fmt: skip


def test_page_and_tables_have_all_groups(sample: Release, read_page: Callable[[Release], Any]) -> None:
    release = with_reference(sample)
    html, page = read_page(release), page_of(release)
    for group, size in page.results.sizes.items():
        assert html.values("data-triage").count(group.slug) == min(size, LISTED)
        assert f"triage-{group.slug}" in html.values("id")
        assert f"#triage-{group.slug}" in html.values("href")
    written = tables(page, release.lock)
    rows = list(csv.DictReader(io.StringIO(written["outcomes.csv"])))
    assert {row["triage"] for row in rows} == {g.slug for g, rows in page.results.groups.items() if rows}
    (gone,) = csv.DictReader(io.StringIO(written["gone.csv"]))
    assert (gone["test"], gone["was"]) == ("dropped", "pass")


def test_a_loud_group_that_is_long_goes_on_as_a_table(
    sample: Release, read_page: Callable[[Release], Any]
) -> None:
    outcomes = tuple(outcome("fail", f"t{number}") for number in range(300))
    html = read_page(
        changed(sample, runs=(PlatformRun(platform="linux-64", runner="native", outcomes=outcomes),))
    )
    assert html.values("data-triage").count("failing") == 300
    assert sum(tag == "article" and "data-outcome" in a for tag, a in html.elements) == 100


def test_no_link_leads_to_an_outcome_that_the_page_only_counts(
    sample: Release, read_page: Callable[[Release], Any]
) -> None:
    outcomes = tuple(
        replace(outcome("fail", f"t{number}"), package="numpy" if number > LISTED + DETAILED else None)
        for number in range(LISTED + DETAILED + 50)
    )
    run = PlatformRun(platform="linux-64", runner="native", outcomes=outcomes)
    html = read_page(changed(sample, runs=(run,)))
    places = set(html.values("id"))
    assert [link for link in html.values("href") if link.startswith("#") and link[1:] not in places] == []
    assert html.values("data-triage").count("failing") == LISTED + DETAILED
    assert f"The first {LISTED} of {LISTED + 50}; all are on the pages of linux-64" in html.text
