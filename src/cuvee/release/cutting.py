"""Cutting a release: a run hashes files and asks the index while Python imports what does the work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cuvee.release.record import Release
    from cuvee.release.session import Session

REPORTED = ("report", "sums")
"""The stages whose files a run puts aside at its beginning."""


def cut(session: Session) -> Release:
    """Run the whole pipeline, as `cuvee.release.pipeline.run_all` does, which is imported meanwhile."""
    with working_ahead(session):
        from cuvee.release.pipeline import run_all

        return run_all(session)


@contextmanager
def working_ahead(session: Session) -> Iterator[None]:
    """Ask the index what the last run has asked, and hash what it has left, while the block runs."""
    session.index.ask_ahead(session.workspace.index_questions)
    with session.make.look_ahead(without=REPORTED):
        yield
