"""What the runtime writes: results to standard output, warnings to standard error, and the log.

A prefix has its log, `conda-meta/cuvee/log.txt`, and a twin in JSON lines; `--log` names one more. See
``docs/reference/installer-log.md``.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Collection, Mapping, Sequence

from .prefix_state import LOGS, is_ours

_TWIN = ".jsonl"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_more: list[str] = []
_waiting: list[str] = []


def warn(warnings: list[str]) -> None:
    """Write warnings to standard error."""
    for warning in warnings:
        sys.stderr.write(f"Warning: {warning}\n")


def labelled(**details: list[str]) -> list[str]:
    """Return a line for each item, behind the name of its list."""
    return [f"{name.replace('_', ' ')}: {item}" for name, items in details.items() for item in items]


def show(value: object, texts: list[str], options: Collection[str]) -> int:
    """Write a result to standard output, as lines or with ``--json`` as JSON; return exit code 0."""
    if "--json" in options:
        texts = [json.dumps(value, indent=2, ensure_ascii=False)]
    sys.stdout.write("".join(f"{text}\n" for text in texts))
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
    lines = [f"{when} {verb}: {_CONTROL.sub('?', message)} (exit code {code})"]
    for name, items in details.items():
        lines += [f"    {name}: {item}" for item in items] if isinstance(items, list) else []
    texts = ["\n".join(lines), json.dumps(entry, ensure_ascii=False)]
    if is_ours(folder):  # in somebody else's, the log could be a link to anywhere
        _append([f"{folder}/{name}" for name in LOGS], texts)
    if code:  # what the entries describe has not happened after all
        _waiting.clear()
    _waiting.extend(texts)
    if not folder.endswith(".partial"):
        flush()


def _append(paths: list[str], texts: list[str]) -> None:
    # Who may only read a prefix may verify it all the same.
    for path, text in zip(paths, texts, strict=False):
        try:
            with open(path, "a", encoding="utf-8") as stream:
                stream.write(f"{text}\n")
        except OSError as error:
            if path in _more:
                warn([f"the log {path} cannot be written: {error.strerror}"])
