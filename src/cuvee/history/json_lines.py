"""A history as JSON Lines, one run per line: for archives, for other tools, and to join histories."""

import json
from collections.abc import Iterable, Iterator

from cuvee.codec import Document, encode_object
from cuvee.history.model import HistoryRun

_DOCUMENT = Document(name="history-run", kind=HistoryRun)


def to_lines(runs: Iterable[HistoryRun]) -> Iterator[str]:
    """Yield a line for each run, with its line end; the same run gives the same line."""
    for run in runs:
        members = {_DOCUMENT.name: _DOCUMENT.version} | encode_object(run)
        yield json.dumps(members, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"


def from_lines(lines: Iterable[bytes], *, source: str) -> Iterator[HistoryRun]:
    """Yield the runs that `to_lines` wrote; empty lines are skipped.

    Raises
    ------
    IntegrityError
        If a line is not such a run; the message names ``source`` and the line's number.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _DOCUMENT.from_bytes(line, source=f"{source}, line {number},")
