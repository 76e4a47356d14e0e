"""Earlier releases, as the history has them: their facts, and a page with what differs from each."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from changed_release import page_of
from cuvee.history.over_releases import PackageInRelease, Past, ReleaseBefore
from cuvee.integration.outcomes import Counts
from cuvee.release.record import Release
from cuvee.report.earlier_releases import OverReleases, over_releases
from cuvee.report.writer import write_report

OLD, OLDER, LOST = "starter-2026.10.2", "starter-2026.10.1", "starter-2026.9.0"


def facts(release: str, passed: int, install: float | None) -> ReleaseBefore:
    tests = Counts(run=100, passed=passed, not_run=3)
    return ReleaseBefore(release=release, packages=110, tests=tests, install_seconds=install)


@pytest.fixture(scope="module")
def past(sample: Release) -> Past:
    """Two releases: one with another numpy and without click, one that is older, and one without packages."""
    packages: dict[str, list[PackageInRelease]] = {}
    for release in (OLDER, OLD):
        for lock in sample.lock.platforms:
            for item in lock.packages:
                if item.name == "click" and release == OLD:
                    continue
                changed = item.name == "numpy" and release == OLD
                packages.setdefault(item.name, []).append(
                    PackageInRelease(
                        release=release,
                        platform=lock.platform,
                        version="2.9.0" if changed else item.version,
                        build=item.build,
                        sha256="f" * 64 if item.name == "six" and release == OLDER else item.sha256,
                    )
                )
    return Past(
        packages={name: tuple(found) for name, found in packages.items()},
        releases=(facts(LOST, 50, None), facts(OLDER, 90, 8.0), facts(OLD, 100, 4.0)),
    )


@pytest.fixture(scope="module")
def over(sample: Release, past: Past) -> OverReleases:
    return over_releases(page_of(sample), sample, past)


def test_what_differs_from_each_release_is_told_by_the_history_alone(over: OverReleases) -> None:
    found = {
        item.facts.release: [
            (row.package, row.badge.word, row.before, row.after) for row in item.changes.rows
        ]
        for item in over.earlier
        if item.changes
    }
    assert found == {
        OLD: [("numpy", "downgraded", "2.9.0", "2.4.1"), ("click", "added", "", "1.5.0")],
        OLDER: [("six", "rebuilt", "1.3.0", "1.3.0")],
    }
    (lost,) = (item for item in over.earlier if item.facts.release == LOST)
    assert (lost.changes, lost.problem) == (None, "The history has no packages of it.")


def test_a_version_that_cannot_be_read_leaves_the_other_releases(sample: Release, past: Past) -> None:
    numpy = tuple(
        replace(item, version="not a version !") if item.release == OLD else item
        for item in past.packages["numpy"]
    )
    broken = replace(past, packages={**past.packages, "numpy": numpy})
    first, second, _ = over_releases(page_of(sample), sample, broken).earlier
    assert first.changes is None
    assert first.problem.startswith("numpy: ")
    assert second.changes is not None


def test_charts_go_over_all_releases_and_leave_out_what_is_not_known(over: OverReleases) -> None:
    assert [bar.text for bar in over.charts["Tests passed"]][:3] == ["50.0 %", "90.0 %", "100.0 %"]
    assert [(bar.release, bar.height) for bar in over.charts["Installation"]] == [(OLDER, 1.0), (OLD, 0.5)]
    assert len(over.charts["Packages"]) == 4


def test_the_page_has_a_row_and_a_page_for_each(sample: Release, past: Past, tmp_path: Path) -> None:
    (tmp_path / "changes").mkdir()
    (tmp_path / "changes" / "starter-2026.8.0.html").write_text("of another report")
    write_report(page_of(sample), sample, sample.graph, tmp_path, past)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    rows = re.findall(r'<tr id="release-\d+">.*?</tr>', text, re.DOTALL)
    assert [re.search(r'href="(changes/[^"]+)"', row) is not None for row in rows] == [True, True, False]
    assert "1 downgraded, 1 added" in " ".join(rows[0].split())
    assert '<span class="chip">base</span>' in rows[0]
    assert sorted(path.name for path in (tmp_path / "changes").iterdir()) == [
        f"{OLDER}.html",
        f"{OLD}.html",
        f"{LOST}.html",
    ]
    page = (tmp_path / "changes" / f"{OLD}.html").read_text(encoding="utf-8")
    assert '<a href="../packages/numpy.html">numpy</a>' in page


def test_without_a_history_there_is_no_such_part(sample: Release) -> None:
    found = over_releases(page_of(sample), sample, Past())
    assert found.earlier == ()
    assert found.charts == {}
