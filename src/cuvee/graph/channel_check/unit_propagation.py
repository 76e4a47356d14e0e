"""Unit propagation: removes what cannot be installed because nothing is left that meets a dependency."""

from collections import defaultdict, deque
from collections.abc import Iterable
from itertools import pairwise

from cuvee.graph.channel_check.class_table import ClassTable, positions


class UnitPropagation:
    """Keeps the classes that remain, and removes those that depended on the last of something.

    Attributes
    ----------
    remaining
        By name number, the positions that remain.
    reason
        By class that was removed because of another, the clause that nothing meets any more.
    """

    def __init__(self, table: ClassTable) -> None:
        self._table = table
        self.remaining = [(1 << (end - start)) - 1 for start, end in pairwise(table.first)]
        users: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for item, needs in enumerate(table.depends):
            users[needs].append(item)
        self._users = list(users.values())
        self._lists: dict[int, list[int]] = defaultdict(list)
        for index, needs in enumerate(users):
            for clause in needs:
                self._lists[clause].append(index)
        self._clauses: dict[int, list[int]] = defaultdict(list)
        for clause in self._lists:
            self._clauses[table.clause_name[clause]].append(clause)
        self._lost: set[int] = set()
        self.reason: dict[int, int] = {}

    def start(self) -> list[int]:
        """Remove and return what depends on what the channel does not have, and all that follows."""
        empty = [clause for clause in sorted(self._lists) if not self._table.clause_mask[clause]]
        return self._follow(empty)

    def remove(self, items: Iterable[int]) -> list[int]:
        """Remove ``items`` and all that follows; return them in the order of removal."""
        gone = [item for item in items if self._take(item)]
        return gone + self._follow(self._emptied(gone))

    def _take(self, item: int) -> bool:
        name = self._table.name_of[item]
        bit = 1 << (item - self._table.first[name])
        if not self.remaining[name] & bit:
            return False
        self.remaining[name] ^= bit
        return True

    def _emptied(self, items: list[int]) -> list[int]:
        """Return the clauses that nothing meets any more."""
        table = self._table
        return [
            clause
            for name in dict.fromkeys(table.name_of[item] for item in items)
            for clause in self._clauses.get(name, ())
            if clause not in self._lost and not self.remaining[name] & table.clause_mask[clause]
        ]

    def _follow(self, clauses: list[int]) -> list[int]:
        gone: list[int] = []
        queue = deque(clauses)
        self._lost.update(clauses)
        while queue:
            clause = queue.popleft()
            taken = [item for index in self._lists[clause] for item in self._users[index] if self._take(item)]
            self.reason.update(dict.fromkeys(taken, clause))
            gone += taken
            more = self._emptied(taken)
            self._lost.update(more)
            queue += more
        return gone


def remains(table: ClassTable, remaining: list[int], item: int) -> bool:
    """Whether a class is among those that remain."""
    name = table.name_of[item]
    return bool(remaining[name] >> (item - table.first[name]) & 1)


def remaining_classes(table: ClassTable, remaining: list[int], clause: int) -> list[int]:
    """Return the remaining classes that meet a clause, the best first."""
    name = table.clause_name[clause]
    first = table.first[name]
    return [first + position for position in positions(remaining[name] & table.clause_mask[clause])]
