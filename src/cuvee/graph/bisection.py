"""Searching for the changes that turn a test red, among changes of which some need others.

The search is Zeller's "isolating failure-inducing changes" with consistent sets only, one change at a time:
https://doi.org/10.1109/32.988498. For one culprit among N changes it takes about log2(N) trials, and about as
many for each further one.
"""

import enum
from collections.abc import Callable
from dataclasses import dataclass

from cuvee.graph.mixtures import ChangedUnit, with_needs


class Trial(enum.Enum):
    """What became of the test with some of the changes."""

    GREEN = "green"
    RED = "red"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """A change without which the test passes.

    Attributes
    ----------
    units
        Its position; several if trials between them were unclear, so that it is one of these.
    needs
        The positions of what cannot be left out if it is taken.
    """

    units: tuple[int, ...]
    needs: frozenset[int] = frozenset()


def find_culprits(
    units: tuple[ChangedUnit, ...], attempt: Callable[[frozenset[int]], Trial]
) -> tuple[Culprit, ...]:
    """Return changes that together turn a test red, none of which can be left out.

    Parameters
    ----------
    units
        As `changed_units` returns them. The test is green without any, and red with all of them.
    attempt
        Runs the test with these units and what they need. Equal sets are tried once.
    """
    known: dict[frozenset[int], Trial] = {}

    def tried(taken: frozenset[int]) -> Trial:
        if taken not in known:
            known[taken] = attempt(taken)
        return known[taken]

    fixed: frozenset[int] = frozenset()
    culprits: list[Culprit] = []
    limit = len(units)  # red with `fixed` and all before it
    while limit and not (culprits and tried(fixed) is Trial.RED):
        low, high = _narrowed(limit, lambda count, base=fixed: tried(base | frozenset(range(count))))  # type: ignore[misc]
        found = tuple(number for number in range(low, high) if number not in fixed)
        needs = with_needs(units, found) - frozenset(found)
        culprits.append(Culprit(units=found, needs=needs))
        fixed |= {*found, *needs}
        limit = low
    return tuple(culprits)


def _narrowed(limit: int, attempt: Callable[[int], Trial]) -> tuple[int, int]:
    """Return the last count that is green and the first after it that is red, given that ``limit`` is red.

    They are one apart, unless all counts between them are unclear.
    """
    low, high = 0, limit
    unclear: set[int] = set()
    while True:
        middle = (low + high) // 2
        open_counts = [count for count in range(low + 1, high) if count not in unclear]
        if not open_counts:
            return low, high
        count = min(open_counts, key=lambda count: (abs(count - middle), count))
        match attempt(count):
            case Trial.GREEN:
                low = count
            case Trial.RED:
                high = count
            case Trial.UNCLEAR:
                unclear.add(count)
