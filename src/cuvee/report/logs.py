"""Excerpts of logs, safe to embed in a page."""

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cuvee.report.human_units import plural

HEAD, TAIL = 30, 90
"""How many lines of a long log's beginning and end the page carries."""

LINE = 600
"""How many characters of a line the page carries."""

_BYTES = 4_000_000
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL = re.compile(r"[\ud800-\udfff\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """What the page shows of a log.

    Attributes
    ----------
    path
        The whole log, relative to the release folder, with ``/``.
    text
        The excerpt; empty when ``note`` says why.
    note
        What is left out, in words; empty when nothing is.
    """

    path: str
    text: str
    note: str


def excerpt(results: Path, platform: str, log: str, *, top: str = "results") -> Excerpt:
    """Read an excerpt of the log ``results/<platform>/<log>``.

    A log outside of its platform's folder is not read, whatever name or link leads there. Terminal
    escapes and control characters are dropped.

    Parameters
    ----------
    top
        What ``results`` is called in the release folder.
    """
    shown = str(PurePosixPath(top) / platform / log)
    try:
        base = (results / platform).resolve()
        path = (base / log).resolve()
        if base.parent != results.resolve() or not path.is_relative_to(base):
            return Excerpt(path="", text="", note="The log is outside the results folder, and is not shown.")
        data = _read(path)
    except (OSError, ValueError):
        return Excerpt(path="", text="", note=f"The log {clean(shown)} cannot be read.")
    whole = len(data) <= _BYTES
    text, note = shorten(clean(data[:_BYTES].decode("utf-8", errors="replace")))
    if not whole:
        note = f"{note or 'Cut'} (of the log's first {_BYTES // 1_000_000} MB)"
    return Excerpt(path=shown, text=text, note=note)


def _read(path: Path) -> bytes:
    if not path.is_file():  # a pipe would never end
        raise FileNotFoundError(path)
    with path.open("rb") as stream:
        return stream.read(_BYTES + 1)


def clean(text: str) -> str:
    """Drop terminal escapes, and control characters but tabs and ends of lines."""
    lines = _ESCAPE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", lines)


def shorten(text: str) -> tuple[str, str]:
    """Return the lines that a page carries, and a note that says which ones those are."""
    lines = text.rstrip("\n").split("\n")
    total, notes = len(lines), []
    if total > HEAD + TAIL:
        gap = f"… {plural(total - HEAD - TAIL, 'line')} left out …"
        lines = [*lines[:HEAD], gap, *lines[-TAIL:]]
        notes.append(f"first {HEAD} and last {TAIL} of {total:,} lines")
    if any(len(line) > LINE for line in lines):
        lines = [line if len(line) <= LINE else f"{line[:LINE]} …" for line in lines]
        notes.append(f"long lines cut at {LINE} characters")
    return "\n".join(lines), "; ".join(notes)
