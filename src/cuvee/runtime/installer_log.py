"""What the runtime writes: results to standard output, warnings to standard error, and the log.

A prefix has its log, `conda-meta/cuvee/log.txt`, and a twin in JSON lines; `--log` names one more. See
``docs/reference/installer-log.md``.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
import time
from collections.abc import Collection, Mapping, Sequence

from .prefix_state import LOGS, belongs
from .prefix_tree import PrefixTree

_TWIN = ".jsonl"
# What a terminal obeys, what changes the direction of text, and bytes of a name that are not UTF-8.
_INVISIBLE = r"\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_IN_LINES, _IN_JSON = re.compile(rf"[\x00-\x1f{_INVISIBLE}]"), re.compile(f"[{_INVISIBLE}]")
_more: list[str] = []
_waiting: list[str] = []


def warn(warnings: list[str]) -> None:
    """Write warnings to standard error."""
    for warning in warnings:
        sys.stderr.write(f"Warning: {printable(warning)}\n")


def printable(text: str) -> str:
    """Return a text as one line, with escapes for all that is not visible: files may have any name."""
    return _IN_LINES.sub(_escape, text)


def json_text(value: object, indent: int | None = None) -> str:
    """Return a value as JSON, in which the same is escaped."""
    return _IN_JSON.sub(_escape, json.dumps(value, indent=indent, ensure_ascii=False))


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def labelled(**details: list[str]) -> list[str]:
    """Return a line for each item, behind the name of its list."""
    return [f"{name.replace('_', ' ')}: {item}" for name, items in details.items() for item in items]


def show(value: object, texts: list[str], options: Collection[str]) -> int:
    """Write a result to standard output, as lines or with ``--json`` as JSON; return exit code 0."""
    if "--json" in options:
        sys.stdout.write(json_text(value, indent=2) + "\n")
    else:
        sys.stdout.write("".join(f"{printable(text)}\n" for text in texts))
    return 0


def copy_to(path: str) -> None:
    """Write all entries to another file besides, and to ``<path>.jsonl``."""
    _more[:] = [path, path + _TWIN]


def flush() -> None:
    """Write to the other log what the log of a staged prefix has: that prefix is in its place now."""
    _append(_more * (len(_waiting) // 2), _waiting)
    _waiting.clear()


def note(
    folder: str, verb: str, code: int, message: str, details: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Add an entry: when, which verb, its exit code, what it said, and what it did."""
    details = details or {}
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    entry = {"time": when, "verb": verb, "exit": code, "message": message, **details}
    lines = [f"{when} {verb}: {printable(message)} (exit code {code})"]
    for name, items in details.items():
        lines += [f"    {name}: {printable(item)}" for item in items] if isinstance(items, list) else []
    texts = ["\n".join(lines), json_text(entry)]
    if belongs(folder):
        for name, text in zip(LOGS, texts, strict=True):
            with contextlib.suppress(OSError):  # who may only read a prefix may verify it all the same
                PrefixTree(folder).append(name, f"{text}\n".encode())
    if code:  # what the entries describe has not happened after all
        _waiting.clear()
    _waiting.extend(texts)
    if not folder.endswith(".partial"):
        flush()


def _append(paths: list[str], texts: list[str]) -> None:
    for path, text in zip(paths, texts, strict=False):
        try:
            with open(path, "a", encoding="utf-8") as stream:
                stream.write(f"{text}\n")
        except OSError as error:
            if path in _more:
                warn([f"the log {path} cannot be written: {error.strerror}"])
