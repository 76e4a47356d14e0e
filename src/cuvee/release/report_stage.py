"""The report stage: the pictures, the page with its data, and ``release.json``."""

from pathlib import Path

from cuvee.codec import encode
from cuvee.graph.drawing.graph_formats import FORMATS as GRAPH_FORMATS
from cuvee.history.history_file import HistoryFile
from cuvee.history.over_releases import Past, past_releases
from cuvee.release.pictures import write_release
from cuvee.release.record import Release
from cuvee.release.record_parts import RECORD
from cuvee.release.session import Session
from cuvee.release.stage import Made, Stage
from cuvee.report.badges import Badge
from cuvee.report.page import Page, build_page
from cuvee.report.writer import write_report


def make_report(session: Session, release: Release) -> Release:
    """Run the stage; return the release as ``release.json`` records it.

    A release of which nothing has changed keeps the time at which it was cut.
    """
    workspace = session.workspace
    errata = session.errata_of(release)

    def run() -> Made[Release]:
        graph = session.graph(release.lock, release.absent)
        formats = ("svg", *GRAPH_FORMATS)
        write_release(graph, release.findings, workspace.pictures, formats)
        session.page = build_page(release, workspace.results, errata)
        write_report(session.page, release, graph, workspace.report, past_of(release, session.history_file))
        release.save()
        outputs = (workspace.pictures, workspace.report, workspace.folder / RECORD)
        return Made(result=release, outputs=outputs)

    stage = Stage(
        name="report",
        inputs=[encode(release, without=frozenset({"made_at", "reused"})), encode(errata, texts=(Badge,))],
        run=run,
        load=lambda _: Release.open(workspace.folder),
    )
    return session.make(stage).result


def past_of(release: Release, path: Path) -> Past:
    """Return what the history at ``path`` has of the packages of earlier releases; nothing without a history.

    Raises
    ------
    IntegrityError
        If the history is damaged, or of another version of cuvee.
    """
    if not path.is_file():
        return Past()
    with HistoryFile.open_to_read(path) as history:
        return past_releases(history, release.manifest.distribution, release.manifest.version)


def page_of(session: Session, release: Release) -> Page:
    """Return the page of a release: the one that this run has written, if it has."""
    return session.page or build_page(release, session.workspace.results, session.errata_of(release))
