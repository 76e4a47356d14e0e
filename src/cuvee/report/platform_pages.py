"""A page per platform: the machine, the floor, the runner, and what took how long."""

from collections.abc import Iterator
from dataclasses import dataclass

from cuvee.conda.package_record import LockedPackage
from cuvee.release.artefacts import Artefact
from cuvee.release.record import Release
from cuvee.report.outcome_rows import OutcomeRow, SuiteCell
from cuvee.report.page import Page, PlatformRow

SLOWEST = 25
"""How many of the slowest tests, and of the largest packages, a platform's page lists."""

FAILED_SHOWN = 50
"""How many tests that did not pass a platform's page lists; all are on the page of its tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformPage:
    """All that a report has of one platform.

    Attributes
    ----------
    suites
        By suite, its outcomes here.
    largest
        The largest packages here, the largest first; those whose size is not known are left out.
    slowest
        The tests that took longest, the longest first.
    failed
        The outcomes that did not pass.
    files, raw_size
        Files and bytes of the prefix; 0 if there is no image.
    """

    row: PlatformRow
    suites: tuple[tuple[str, SuiteCell], ...]
    largest: tuple[LockedPackage, ...]
    slowest: tuple[OutcomeRow, ...]
    failed: tuple[OutcomeRow, ...]
    artefacts: tuple[Artefact, ...]
    files: int
    raw_size: int


def platform_pages(page: Page, release: Release) -> Iterator[PlatformPage]:
    """Yield the page of each platform that the manifest names."""
    images = {image.platform: image for image in release.images}
    rows = page.results.rows
    for row in page.platforms:
        here = [outcome for outcome in rows if outcome.platform == row.name]
        image = images.get(row.name)
        timed = sorted(here, key=lambda outcome: (-outcome.seconds, outcome.suite, outcome.test))
        yield PlatformPage(
            row=row,
            suites=tuple(
                (suite.name, cell)
                for suite in page.results.suites
                for cell in suite.cells
                if cell.platform == row.name
            ),
            largest=_largest(release, row.name),
            slowest=tuple(outcome for outcome in timed[:SLOWEST] if outcome.seconds),
            failed=tuple(outcome for outcome in here if outcome.badge.word != "pass"),
            artefacts=tuple(item for item in page.artefacts if item.platform == row.name),
            files=image.files if image else 0,
            raw_size=image.raw_size if image else 0,
        )


def _largest(release: Release, platform: str) -> tuple[LockedPackage, ...]:
    lock = release.lock.by_platform.get(platform)
    known = [package for package in lock.packages if package.size] if lock else []
    return tuple(sorted(known, key=lambda package: (-package.size, package.name))[:SLOWEST])
