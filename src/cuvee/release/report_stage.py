"""The report stage: the pictures, the page with its data, and ``release.json``.

What makes them is imported when it is made: a run without any change only needs what was kept.
"""

import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path

from cuvee.codec import Json, decode, encode
from cuvee.history.history_file import HistoryFile
from cuvee.history.over_releases import Past, past_releases
from cuvee.release.record import Release
from cuvee.release.record_parts import RECORD
from cuvee.release.session import Session
from cuvee.release.stage import Made, Stage
from cuvee.report.badges import Badge


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What the record has that is not among the inputs of the stage, and the report in a few lines."""

    made_at: dt.datetime
    reused: tuple[str, ...]
    summary: tuple[str, ...]


def make_report(session: Session, release: Release) -> Release:
    """Run the stage; return the release as ``release.json`` records it.

    A release of which nothing has changed keeps the time at which it was cut.
    """
    workspace = session.workspace
    errata = session.errata_of(release)

    def run() -> Made[Release]:
        from cuvee.graph.drawing.graph_formats import FORMATS as GRAPH_FORMATS
        from cuvee.release.pictures import write_release
        from cuvee.report.page import build_page
        from cuvee.report.summary import summary_lines
        from cuvee.report.writer import write_report

        graph = session.graph(release.lock, release.absent)
        formats = ("svg", *GRAPH_FORMATS)
        write_release(graph, release.findings, workspace.pictures, formats)
        page = build_page(release, workspace.results, errata)
        write_report(page, release, graph, workspace.report, past_of(release, session.history_file))
        release.save()
        outputs = (workspace.pictures, workspace.report, workspace.folder / RECORD)
        session.summary = tuple(summary_lines(page))
        reused = frozenset(item.stage for item in release.stages if item.reused)
        kept = _Kept(made_at=release.made_at, reused=tuple(sorted(reused)), summary=session.summary)
        return Made(result=release, outputs=outputs, kept=encode(kept))

    def load(kept: Json) -> Release:
        known = decode(_Kept, kept)
        session.summary = known.summary
        return replace(release, made_at=known.made_at).with_reused(known.reused)

    stage = Stage(
        name="report",
        inputs=[encode(release, without=frozenset({"made_at", "reused"})), encode(errata, texts=(Badge,))],
        run=run,
        load=load,
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


def summary_of(session: Session, release: Release) -> tuple[str, ...]:
    """Return the report in a few lines, as the run that wrote it has kept them.

    Approvals come after the report, so that a release that needs some is summed up as it is now.
    """
    if session.summary and not release.quorums:
        return session.summary
    from cuvee.report.page import build_page
    from cuvee.report.summary import summary_lines

    page = build_page(release, session.workspace.results, session.errata_of(release))
    return tuple(summary_lines(page))
