"""How results leave: on standard output, as lines or as JSON."""

from __future__ import annotations

import json
import sys


def warn(warnings: list[str]) -> None:
    """Write warnings to standard error."""
    for warning in warnings:
        sys.stderr.write(f"Warning: {warning}\n")


def show(value: object, texts: list[str], *, as_json: bool) -> int:
    """Write a result to standard output: as JSON, or as lines."""
    sys.stdout.write(
        json.dumps(value, indent=2, ensure_ascii=False) + "\n"
        if as_json
        else "".join(f"{t}\n" for t in texts)
    )
    return 0
