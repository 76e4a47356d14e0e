"""Writing the report's folder."""

from pathlib import Path

from cuvee.files import write_json, write_text
from cuvee.report.model import ReportInput
from cuvee.report.page import build_page
from cuvee.report.pictures import pictures
from cuvee.report.render import render
from cuvee.report.tables import tables
from cuvee.report.twin import twin


def write_report(data: ReportInput, folder: Path) -> None:
    """Write ``index.html``, ``data.json`` and the tables as CSV into ``folder``.

    Parameters
    ----------
    data
        What to report.
    folder
        The folder ``report`` of a release folder, made if need be. The page links to artefacts and logs
        beside it.

    Raises
    ------
    StorageError
        If it can not be written. Each file is written whole or not at all, the page last.
    """
    page = build_page(data)
    write_json(folder / "data.json", twin(page))
    for name, text in tables(page, data.lock).items():
        write_text(folder / name, text)
    write_text(folder / "index.html", render(page, pictures(data)))
