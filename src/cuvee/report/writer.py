"""Writing the report's folder."""

from pathlib import Path

from cuvee.files import storage_errors, write_bytes, write_text
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.history.over_releases import Past
from cuvee.release.record import Release
from cuvee.report.csv_tables import tables
from cuvee.report.data_json import page_json
from cuvee.report.earlier_releases import over_releases
from cuvee.report.html import render
from cuvee.report.index_writer import badge_svg
from cuvee.report.markdown_summary import markdown_summary
from cuvee.report.page import Page
from cuvee.report.page_pictures import pictures
from cuvee.report.site import FOLDERS, site_pages


def write_report(
    page: Page, release: Release, graph: ReleaseGraph, folder: Path, past: Past | None = None
) -> None:
    """Write ``index.html``, the other pages, ``data.json``, the tables, ``summary.md`` and ``badge.svg``.

    Parameters
    ----------
    page
        What the report says of ``release``.
    graph
        The graph of ``release``, for the pictures.
    folder
        The folder ``report`` of a release folder, made if need be. The page links to artefacts and logs
        beside it. Pages of packages and platforms that an earlier release left in it are removed.
    past
        What the history has of earlier releases; `None` if that is not known.

    Raises
    ------
    StorageError
        If it cannot be written. Each file is written whole or not at all, the page last.
    """
    write_bytes(folder / "data.json", page_json(page))
    for name, text in tables(page, release.lock).items():
        write_text(folder / name, text)
    write_text(folder / "summary.md", markdown_summary(page))
    write_text(folder / "badge.svg", badge_svg(page.release, page.readiness.headline, page.readiness.badge))
    past = past or Past()
    over, written = over_releases(page, release, past), set()
    for name, text in site_pages(page, release, graph, past, over):
        write_text(folder / name, text)
        written.add(folder / name)
    _remove_others(folder, written)
    write_text(folder / "index.html", render(page, pictures(release, graph), over))


def _remove_others(folder: Path, written: set[Path]) -> None:
    """Remove the pages of packages and platforms that this report does not have."""
    for name in FOLDERS:
        with storage_errors(folder / name):
            for path in sorted((folder / name).glob("*.html")):
                if path not in written:
                    path.unlink()
