"""UnitPropagation: what can not be installed because something that it needs is not there at all."""

from collections import defaultdict, deque
from collections.abc import Iterable

from cuvee.graph.channel_check.class_table import ClassTable, positions


def everything(table: ClassTable) -> list[int]:
    """Give, by name number, a mask of all its positions."""
    return [(1 << (end - start)) - 1 for start, end in zip(table.first, table.first[1:], strict=False)]


class UnitPropagation:
    """Keeps what is left, and follows each loss to whoever needed the last of something.

    Attributes
    ----------
    alive
        By name number, the positions that are left.
    reason
        By class that was lost through another, the clause that nothing meets any more.
    """

    def __init__(self, table: ClassTable) -> None:
        self._compiled = table
        self.alive = everything(table)
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
        """Remove what needs what nobody has, and all that follows."""
        empty = [clause for clause in sorted(self._lists) if not self._compiled.clause_mask[clause]]
        return self._follow(empty)

    def remove(self, items: Iterable[int]) -> list[int]:
        """Remove ``items``; give them and all that follows, in the order of their loss."""
        gone = [item for item in items if self._take(item)]
        return gone + self._follow(self._emptied(gone))

    def _take(self, item: int) -> bool:
        name = self._compiled.name_of[item]
        bit = 1 << (item - self._compiled.first[name])
        if not self.alive[name] & bit:
            return False
        self.alive[name] ^= bit
        return True

    def _emptied(self, items: list[int]) -> list[int]:
        """Give the clauses that nothing meets any more."""
        table = self._compiled
        return [
            clause
            for name in dict.fromkeys(table.name_of[item] for item in items)
            for clause in self._clauses.get(name, ())
            if clause not in self._lost and not self.alive[name] & table.clause_mask[clause]
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


def is_alive(table: ClassTable, alive: list[int], item: int) -> bool:
    """Whether a class is among what is left."""
    name = table.name_of[item]
    return bool(alive[name] >> (item - table.first[name]) & 1)


def classes_alive(table: ClassTable, alive: list[int], clause: int) -> list[int]:
    """Give the classes that meet a clause and are left, the best first."""
    name = table.clause_name[clause]
    first = table.first[name]
    return [first + position for position in positions(alive[name] & table.clause_mask[clause])]
