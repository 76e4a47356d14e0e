"""Lists in messages, no longer than anybody reads."""

from collections.abc import Iterable, Sequence

_MOST_LINES = 20


def shorten_list(items: Sequence[str], most: int) -> str:
    """Give ``a, b and 3 more``."""
    rest = len(items) - most
    return ", ".join(items[:most]) + (f" and {rest} more" if rest > 0 else "")


def shorten_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """Give lines once each, as many as anybody reads, and how many more there are."""
    unique = tuple(dict.fromkeys(lines))
    rest = len(unique) - _MOST_LINES
    return (*unique[:_MOST_LINES], f"and {rest} more") if rest > 0 else unique
