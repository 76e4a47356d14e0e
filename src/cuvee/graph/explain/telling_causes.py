"""Which of many conflicts to show: those that are easy to read, and something of each that must be fixed."""

from collections.abc import Sequence
from dataclasses import replace

from cuvee.graph.explain.model import Conflict, ConflictNode, Mus

MOST_CAUSES = 5


def telling(conflicts: Sequence[Conflict], most: int = MOST_CAUSES) -> list[Conflict]:
    """Return the conflicts with the ``most`` subsets that say most, in their order.

    Of each conflict, since it must be fixed, the subset with the fewest lines is first. Conflicts of which
    nothing is left are left out.
    """
    ranked = [
        (turn, _lines(mus), place, mus)
        for place, conflict in enumerate(conflicts)
        for turn, mus in enumerate(sorted(conflict.subsets, key=_lines))
    ]
    ranked.sort(key=lambda item: item[:3])
    kept = {id(mus) for *_, mus in ranked[:most]}
    parts = (tuple(mus for mus in conflict.subsets if id(mus) in kept) for conflict in conflicts)
    shown = zip(conflicts, parts, strict=True)
    return [replace(conflict, subsets=subsets) for conflict, subsets in shown if subsets]


def _lines(mus: Mus) -> tuple[int, int]:
    """Return how many lines of the manifest and of the tree a subset has."""
    return len(mus.members), sum(map(_size, mus.tree))


def _size(node: ConflictNode) -> int:
    return 1 + sum(map(_size, node.children))
