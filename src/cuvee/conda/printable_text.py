"""Text from archives, made fit to be shown."""


def printable(text: str) -> str:
    r"""Escape what cannot be printed, such as control characters and broken UTF-8: ``\x1b``, ``\udcff``."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


def text_or_none(value: object) -> str | None:
    """Return a JSON value as text to show; `None` if it is not text."""
    return printable(value) if isinstance(value, str) else None
