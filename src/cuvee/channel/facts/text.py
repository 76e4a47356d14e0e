"""Text from archives, made fit to be shown."""

from typing import Any


def printable(text: str) -> str:
    r"""Escape what can not be printed, such as control characters and broken UTF-8: ``\x1b``, ``\udcff``."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


def text_or_none(value: Any) -> str | None:
    """Give a JSON value as text to show; `None` for none and for what is not text."""
    return printable(value) if isinstance(value, str) else None
