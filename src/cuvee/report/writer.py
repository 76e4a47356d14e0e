"""Writing the report's folder."""

from pathlib import Path

from cuvee.files import write_bytes, write_text
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.release.record import Release
from cuvee.report.csv_tables import tables
from cuvee.report.data_json import page_json
from cuvee.report.html import render
from cuvee.report.page import Page
from cuvee.report.page_pictures import pictures


def write_report(page: Page, release: Release, graph: ReleaseGraph, folder: Path) -> None:
    """Write ``index.html``, ``data.json`` and the tables as CSV into ``folder``.

    Parameters
    ----------
    page
        What the report says of ``release``.
    graph
        The graph of ``release``, for the pictures.
    folder
        The folder ``report`` of a release folder, made if need be. The page links to artefacts and logs
        beside it.

    Raises
    ------
    StorageError
        If it cannot be written. Each file is written whole or not at all, the page last.
    """
    write_bytes(folder / "data.json", page_json(page))
    for name, text in tables(page, release.lock).items():
        write_text(folder / name, text)
    write_text(folder / "index.html", render(page, pictures(release, graph)))
