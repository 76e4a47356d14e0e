"""The log of a prefix, `conda-meta/cuvee/log.txt`, and its twin in JSON lines."""

# Stage 0 has no pathlib.
# ruff: noqa: PTH123

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

from .state import LOGS


def note(folder: str, verb: str, code: int, message: str, **details: Any) -> None:
    """Add an entry: when, which verb, its exit code, what it said, and what it did."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    entry = {"time": when, "verb": verb, "exit": code, "message": message, **details}
    lines = [f"{when} {verb}: {message} (exit code {code})"]
    lines += [
        f"    {name}: {item}" for name, items in details.items() if isinstance(items, list) for item in items
    ]
    texts = ("\n".join(lines), json.dumps(entry, ensure_ascii=False))
    # Who may only read a prefix may verify it all the same.
    for path, text in zip(LOGS, texts, strict=True):
        with contextlib.suppress(OSError), open(f"{folder}/{path}", "a", encoding="utf-8") as stream:
            stream.write(f"{text}\n")
