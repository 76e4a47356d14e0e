"""The matrix of packages and platforms, and the rows of changes."""

import dataclasses

import pytest

from changed_release import changed, page_of
from cuvee.graph.diff import ChangeReason, Force, diff
from cuvee.graph.findings import Finding, Verdict
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.lock.model import Lock
from cuvee.release.record import Release
from cuvee.report.html import render
from cuvee.report.package_matrix import Cell, matrix


def cell(data: Release, package: str, platform: str) -> Cell:
    rows = {row.name: row for row in matrix(data, data.findings, {}).rows}
    return next(cell for cell in rows[package].cells if cell.platform == platform)


def with_outcomes(data: Release, *states: OutcomeState, package: str | None = "numpy") -> Release:
    outcomes = tuple(
        TestOutcome(
            suite="smoke", test=str(number), platform="linux-64", state=state,
            package=package, packages=() if package else ("numpy", "scipy"),
        )
        for number, state in enumerate(states)
    )  # fmt: skip
    runs = (PlatformRun(platform="linux-64", runner="native", outcomes=outcomes), *data.runs[1:])
    return changed(data, runs=runs)


@pytest.mark.parametrize(
    ("states", "word", "passed"),
    [
        ((OutcomeState.PASS, OutcomeState.PASS), "ok", 2),
        ((), "untested", 0),
        ((OutcomeState.NOT_RUN,), "untested", 0),
        ((OutcomeState.PASS, OutcomeState.SKIPPED), "ok", 1),
        ((OutcomeState.SKIPPED,), "skipped", 0),
        ((OutcomeState.PASS, OutcomeState.FAIL, OutcomeState.FLAKY), "fail", 1),
        ((OutcomeState.FAIL, OutcomeState.REGRESSION), "regression", 0),
        ((OutcomeState.KNOWN_FAIL, OutcomeState.PASS), "known-fail", 1),
    ],
)
def test_a_cell_shows_the_worst_of_its_tests(
    ready: Release, states: tuple[OutcomeState, ...], word: str, passed: int
) -> None:
    found = cell(with_outcomes(ready, *states), "numpy", "linux-64")
    assert (found.badge.word, found.passed) == (word, passed)
    assert found.identifier == "numpy-2.4.1-cp311_0@linux-64"


def test_a_test_of_several_packages_speaks_of_each(ready: Release) -> None:
    data = with_outcomes(ready, OutcomeState.TIMEOUT, package=None)
    assert cell(data, "scipy", "linux-64").badge.word == "timeout"
    assert cell(data, "pandas", "linux-64").badge.word == "untested"


@pytest.mark.parametrize(
    ("verdict", "states", "word"),
    [
        (Verdict.BLOCKED, (OutcomeState.PASS,), "blocked"),
        (Verdict.BLOCKED, (OutcomeState.FAIL,), "fail"),
        (Verdict.WARNING, (OutcomeState.FAIL,), "fail"),
        (Verdict.WARNING, (OutcomeState.KNOWN_FAIL,), "warning"),
        (Verdict.INFO, (OutcomeState.PASS,), "ok"),
        (Verdict.WAIVED, (OutcomeState.PASS,), "waived"),
    ],
)
def test_a_cell_shows_the_worse_of_finding_and_test(
    ready: Release, verdict: Verdict, states: tuple[OutcomeState, ...], word: str
) -> None:
    by_name = Finding(
        check="c", verdict=verdict, cause="why", packages=("numpy",), platforms=("linux-64", "win-64")
    )
    by_victim = Finding(check="c", verdict=verdict, cause="why", victims=("numpy-2.4.1-cp311_0@linux-64",))
    for finding in (by_name, by_victim):
        data = changed(with_outcomes(ready, *states), findings=(finding,))
        assert cell(data, "numpy", "linux-64").badge.word == word
        assert cell(data, "numpy", "linux-aarch64").badge.word == "ok"


def test_a_package_that_is_not_locked_says_why(ready: Release) -> None:
    assert cell(ready, "pywin32", "linux-64").badge.word == "not wanted"
    assert "win-64" in cell(ready, "pywin32", "linux-64").detail
    assert cell(ready, "llvmlite", "linux-aarch64").badge.word == "not here"
    without = tuple(
        dataclasses.replace(lock, packages=tuple(p for p in lock.packages if p.name != "numpy"))
        for lock in ready.lock.platforms
    )
    assert cell(changed(ready, lock=Lock(platforms=without)), "numpy", "win-64").badge.word == "missing"


def test_a_platform_that_was_not_run_is_not_ok(sample: Release) -> None:
    found = cell(changed(sample, findings=()), "numpy", "win-64")
    assert (found.badge.word, found.tests) == ("not-run", 0)
    assert "no runner for Windows" in found.detail
    unknown = cell(changed(sample, findings=(), runs=()), "numpy", "win-64")
    assert (unknown.badge.word, unknown.detail) == ("not-run", "No run is on record.")


def test_rows_tell_direct_from_closure_and_what_differs(sample: Release) -> None:
    table = page_of(sample).matrix
    assert (len(table.requested), len(table.indirect)) == (44, 78)
    assert [row.name for row in table.rows if row.differs] == ["numba"]
    numpy = next(row for row in table.requested if row.name == "numpy")
    assert (numpy.spec, numpy.owner, numpy.changes) == (">=2.4.1", "numerics", ("upgraded",))
    assert sum(table.counts.values()) == 122 * 3


def test_downgrades_removals_and_majors_come_first(sample: Release) -> None:
    changes = page_of(sample).changes
    assert changes is not None
    assert [(row.package, row.badge.word, row.level) for row in changes.attention] == [
        ("pillow", "downgraded", "major"),
        ("click", "upgraded", "major"),
    ]
    assert [row.package for row in changes.requested] == ["numpy", "pandas", "requests"]
    assert [row.package for row in changes.indirect] == ["anyio"]


def test_a_platform_that_came_or_went_is_one_line(ready: Release) -> None:
    fewer = Lock(platforms=ready.lock.platforms[:2])
    came = page_of(changed(ready, changes=diff(fewer, ready.lock))).changes
    assert came is not None
    assert came.rows == ()
    assert [(p.platform, p.badge.word, p.packages) for p in came.platforms] == [("win-64", "added", 120)]
    went = page_of(changed(ready, lock=fewer, changes=diff(ready.lock, fewer))).changes
    assert went is not None
    assert went.rows == ()
    assert [(p.platform, p.badge.word, p.packages) for p in went.platforms] == [("win-64", "removed", 120)]


def test_a_rebuild_names_its_builds_and_a_metadata_change_its_fields(ready: Release) -> None:
    def edited(**fields: object) -> Lock:
        first, *rest = ready.lock.platforms
        packages = tuple(
            dataclasses.replace(p, **fields) if p.name == "numpy" else p  # type: ignore[arg-type]  # any field
            for p in first.packages
        )
        return Lock(platforms=(dataclasses.replace(first, packages=packages), *rest))

    expected = {
        "build cp310_0 → cp311_0": edited(build="cp310_0"),
        "changed: depends": edited(depends=()),
        "archive 000000000000 → ": edited(sha256="0" * 64),
    }
    for detail, before in expected.items():
        changes = page_of(changed(ready, changes=diff(before, ready.lock))).changes
        assert changes is not None
        (row,) = changes.rows
        assert row.details[0].startswith(detail)
        assert row.platforms == ("linux-64",)


def test_a_change_says_what_forced_it(ready: Release) -> None:
    first, *rest = ready.lock.platforms
    older = tuple(dataclasses.replace(p, version="0.1") if p.name == "numpy" else p for p in first.packages)
    before = Lock(platforms=(dataclasses.replace(first, packages=older), *rest))
    reasons = tuple(ChangeReason(force=Force.MANIFEST, spec=f"numpy >={number}") for number in range(5))
    forced = tuple(dataclasses.replace(c, forced_by=reasons) for c in diff(before, ready.lock))
    page = page_of(changed(ready, changes=forced))
    assert page.changes is not None
    assert page.changes.rows[0].because == tuple(
        f"the manifest requests numpy >={number}" for number in range(3)
    )
    assert "because the manifest requests numpy &gt;=0" in render(page)
