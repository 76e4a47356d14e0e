"""A minimal unsatisfiable subset (MUS) of an unsatisfiable core."""

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

T = TypeVar("T")


def minimal_subset(core: Sequence[T], unsat_core: Callable[[Sequence[T]], Collection[T] | None]) -> list[T]:
    """Return the members of ``core`` without any one of which the others are satisfiable, in their order.

    Deletion-based, like https://pysathq.github.io/docs/html/api/examples/musx.html: each member in turn is
    left out if the rest is still unsatisfiable. The order decides which of several subsets is found.

    Parameters
    ----------
    unsat_core
        Returns `None` for a satisfiable set; for another one an unsatisfiable part of it, or all of it.
    """
    left = list(core)
    for member in core:
        if member in left:
            smaller = unsat_core([other for other in left if other != member])
            if smaller is not None:
                left = [other for other in left if other in smaller]
    return left
