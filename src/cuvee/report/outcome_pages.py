"""Pages with every outcome of a platform: those that the report's page only counts have a place here."""

from collections.abc import Iterator
from dataclasses import dataclass

from cuvee.report.outcome_rows import GoneRow, OutcomeRow
from cuvee.report.page import Page
from cuvee.report.page_names import outcomes_page


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomePage:
    """One page of outcomes.

    Attributes
    ----------
    path
        In the report's folder.
    number, paths
        The number of the page, and all pages of the platform; pages count from 1.
    elsewhere
        How many rows the other pages of the platform have.
    """

    path: str
    platform: str
    number: int
    paths: tuple[str, ...]
    elsewhere: int
    rows: tuple[OutcomeRow, ...]
    gone: tuple[GoneRow, ...]


def outcome_pages(page: Page) -> Iterator[OutcomePage]:
    """Yield the pages of all platforms that have outcomes; each outcome is on one, in the order of triage."""
    rows: dict[str, list[OutcomeRow]] = {}
    gone: dict[str, list[GoneRow]] = {}
    for row in page.results.rows:
        rows.setdefault(row.place.partition("#")[0], []).append(row)
    for left in page.results.gone:
        gone.setdefault(left.place.partition("#")[0], []).append(left)
    named = [row.platform for row in page.results.rows] + [row.platform for row in page.results.gone]
    for platform in dict.fromkeys(named):
        paths = tuple(_paths(platform, rows.keys() | gone.keys()))
        sizes = {path: len(rows.get(path, ())) + len(gone.get(path, ())) for path in paths}
        for number, path in enumerate(paths, 1):
            yield OutcomePage(
                path=path,
                platform=platform,
                number=number,
                paths=paths,
                elsewhere=sum(sizes.values()) - sizes[path],
                rows=tuple(rows.get(path, ())),
                gone=tuple(gone.get(path, ())),
            )


def _paths(platform: str, known: set[str]) -> Iterator[str]:
    """Yield those of the ``known`` paths that are pages of a platform, the first one first."""
    number = 1
    while (path := outcomes_page(platform, number)) in known:
        yield path
        number += 1
