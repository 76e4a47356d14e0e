"""Findings with their waivers, logs that several outcomes share, and what a platform says of itself."""

import dataclasses
import datetime as dt

import pytest

from changed_release import changed, page_of
from cuvee.graph.findings import Verdict
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.release.record import Release


def test_findings_come_worst_first_and_then_by_victims(sample: Release) -> None:
    page = page_of(changed(sample, findings=tuple(reversed(sample.findings))))
    assert [row.badge.word for row in page.findings] == [
        "blocked", "needs approval", "waiting", "warning", "waived", "info",
    ]  # fmt: skip
    assert page == page_of(sample)


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"check": "another"}, False),
        ({"package": "numpy"}, False),
        ({"package": None}, True),
        ({"platform": "linux-64"}, False),
        ({"platform": "win-64"}, True),
    ],
)
def test_a_waived_finding_shows_the_waivers_that_fit(
    sample: Release, change: dict[str, str | None], fits: bool
) -> None:
    (waiver,) = sample.manifest.waivers
    another = dataclasses.replace(waiver, **change)  # type: ignore[arg-type]  # any of its fields
    manifest = dataclasses.replace(sample.manifest, waivers=(another,))
    page = page_of(changed(sample, manifest=manifest))
    shown = {row.badge.word: [found.link for found in row.waivers] for row in page.findings}
    assert shown.pop("waived") == (["https://example.org/decisions/17"] if fits else [])
    assert not any(shown.values())


def test_a_finding_that_is_not_waived_shows_no_waiver(sample: Release) -> None:
    findings = tuple(
        dataclasses.replace(finding, verdict=Verdict.BLOCKED, waived_because=None)
        for finding in sample.findings
        if finding.check == "licence"
    )
    (row,) = page_of(changed(sample, findings=findings)).findings
    assert row.waivers == ()


def test_waivers_say_how_long_they_last(sample: Release) -> None:
    (row,) = page_of(sample).waivers
    assert (row.scope, row.days) == (
        "pywin32 on any platform",
        (dt.date(2027, 3, 1) - dt.date(2026, 11, 22)).days,
    )


def test_a_log_that_several_outcomes_share_is_shown_once(sample: Release) -> None:
    log = "logs/plot-to-pixels.log"
    outcomes = tuple(
        TestOutcome(suite="smoke", test=name, platform="linux-64", state=OutcomeState.FAIL, log=log)
        for name in "abc"
    )
    run = PlatformRun(platform="linux-64", runner="native", outcomes=outcomes)
    rows = page_of(changed(sample, runs=(run,))).results.others
    assert [row.log is not None for row in rows] == [True, False, False]
    assert {row.log_anchor for row in rows} == {"outcome-1"}


def test_platforms_say_what_they_hold_and_why_they_are_missing(sample: Release) -> None:
    rows = {row.name: row for row in page_of(sample).platforms}
    linux = rows["linux-64"]
    assert (linux.packages, linux.runner, linux.tests.total) == (121, "native", len(sample.runs[0].outcomes))
    assert linux.size == sum(package.size for package in sample.lock.by_platform["linux-64"].packages)
    assert linux.floor == {"glibc": "2.28", "linux": "4.18"}
    assert [badge.word for badge in rows["win-64"].badges] == ["needs approval", "not-run"]
    assert [badge.word for badge in rows["osx-arm64"].badges] == ["absent"]
    assert rows["osx-arm64"].note == "no channel here carries an interpreter for it"
    assert [badge.word for badge in rows["osx-64"].badges] == ["not made"]
    assert rows["osx-64"].hint == "Name a channel that carries python for osx-64."
