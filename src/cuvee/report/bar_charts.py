"""Charts of bars over releases: each value is also there as text."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar of a chart: its release, its value from 0 to 1 of the largest one, and the value in words."""

    release: str
    height: float
    text: str


def bars(values: Sequence[tuple[str, float, str]], *, top: float = 0.0) -> tuple[Bar, ...]:
    """Return the bars of releases with their values, in numbers and in words.

    ``top`` is the value of the highest bar that there can be; by default the largest value is.
    """
    highest = top or max((value for _, value, _ in values), default=0.0) or 1.0
    return tuple(
        Bar(release=name, height=round(value / highest, 4), text=text) for name, value, text in values
    )
