"""Lists in messages, cut to a length that can be read."""

from collections.abc import Iterable, Sequence

_MOST_LINES = 20


def shorten_list(items: Sequence[str], most: int) -> str:
    """Return ``a, b and 3 more``."""
    rest = len(items) - most
    return ", ".join(items[:most]) + (f" and {rest} more" if rest > 0 else "")


def shorten_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """Return each line once, at most 20, and then how many more there are."""
    unique = tuple(dict.fromkeys(lines))
    rest = len(unique) - _MOST_LINES
    return (*unique[:_MOST_LINES], f"and {rest} more") if rest > 0 else unique
