"""The report's tables as CSV, for spreadsheets."""

from collections.abc import Iterable

from cuvee.files import csv_text
from cuvee.lock.model import Lock
from cuvee.report.logs import clean
from cuvee.report.page import Page

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def tables(page: Page, lock: Lock) -> dict[str, str]:
    """Return each table's file name and its text, in UTF-8 with a heading line.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    return {
        "packages.csv": _table(
            "identifier package version build platform requested owner status detail license size sha256 url",
            _packages(page, lock),
        ),
        "findings.csv": _table(
            "check verdict cause packages platforms owners action waived_because victims evidence",
            (
                (
                    row.check, row.badge.word, row.cause, " ".join(row.packages), " ".join(row.platforms),
                    " ".join(row.contacts), row.action, row.waived_because,
                    " ".join(row.victims), "\n".join(row.evidence),
                )
                for row in page.findings
            ),
        ),
        "suites.csv": _table(
            "suite platform run passed not_run seconds reason",
            (
                (
                    suite.name, cell.platform, cell.tests.run, cell.tests.passed, cell.tests.not_run,
                    cell.seconds, cell.not_run,
                )
                for suite in page.results.suites
                for cell in suite.cells
            ),
        ),
        "outcomes.csv": _table(
            "suite test platform state triage before seconds packages owners reason log page",
            (
                (
                    row.suite, row.test, row.platform, row.badge.word, row.triage.slug, row.before,
                    row.seconds, " ".join(row.packages),
                    " ".join(row.owners), row.reason, row.log.path if row.log else "", row.place,
                )
                for row in page.results.rows
            ),
        ),
        "gone.csv": _table(
            "suite test platform was reason page",
            (
                (row.suite, row.test, row.platform, row.badge.word, row.reason, row.place)
                for row in page.results.gone
            ),
        ),
        "changes.csv": _table(
            "package change before after level requested platforms details because",
            (
                (
                    row.package, row.badge.word, row.before, row.after, row.level,
                    "yes" if row.requested else "no",
                    " ".join(row.platforms), "; ".join(row.details), "; ".join(row.because),
                )
                for row in (page.changes.rows if page.changes else ())
            ),
        ),
        "errata.csv": _table(
            "number release_is severity title date platforms packages cves fixed_in workaround url",
            (
                (
                    row.number, row.badge.word, row.severity, row.title, row.date.isoformat(),
                    " ".join(row.platforms), "; ".join(row.packages), " ".join(row.cves),
                    " ".join(row.fixed_in), row.workaround, row.url,
                )
                for row in page.errata or ()
            ),
        ),
    }  # fmt: skip


def _packages(page: Page, lock: Lock) -> Iterable[tuple[object, ...]]:
    requested = {row.name for row in page.matrix.requested}
    records = {package.identifier: package for entry in lock.platforms for package in entry.packages}
    for row in page.matrix.rows:
        for cell in row.cells:
            package = records.get(cell.identifier)
            yield (
                cell.identifier, row.name, cell.version, cell.build, cell.platform,
                "yes" if row.name in requested else "no", row.owner, cell.badge.word, cell.detail,
                package.license if package else "", package.size if package else "",
                package.sha256 if package else "", package.url if package else "",
            )  # fmt: skip


def _table(heading: str, rows: Iterable[tuple[object, ...]]) -> str:
    return csv_text(heading.split(), ([_cell(value) for value in row] for row in rows))


def _cell(value: object) -> str:
    text = clean(str(value or "" if not isinstance(value, int | float) else value))
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
