"""Whether classes can be installed together, by a search that keeps the domains of names arc-consistent.

Each name has a domain: the positions of the classes that may still be chosen, and a bit for "not installed".
A dependency or a constraint then relates two names, and whole domains are compared as bit masks. Only the
names that an answer depends on are looked at, so that it costs as much in a large channel as in a small one.

- Mackworth, "Consistency in networks of relations", 1977, https://doi.org/10.1016/0004-3702(77)90007-8
- Sabin and Freuder, "Contradicting conventional wisdom in constraint satisfaction", 1994, keep the domains
  consistent during the search: https://doi.org/10.1007/3-540-58601-6_86
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from cuvee.graph.channel_check.class_table import ClassTable
from cuvee.graph.channel_check.name_relations import NameRelation, NameRelations
from cuvee.graph.solving.encoding import Assumptions

_MOST_FAILURES = 200


class UndecidedError(Exception):
    """The search was given up; a solver that learns from its failures has to decide."""


class _EmptyDomainError(Exception):
    """Nothing is left to choose for a name."""


class DomainSearch:
    """Finds solutions among the classes that remain."""

    def __init__(self, table: ClassTable, remaining: list[int]) -> None:
        self._table = table
        self._relations = NameRelations(table, remaining)

    def solve(self, assumptions: Assumptions, hollow: int = -1) -> tuple[int, ...] | None:
        """Return the classes of a solution in ascending order, or `None` if there is none.

        ``hollow`` is a class whose dependencies and constrains do not count.

        Raises
        ------
        UndecidedError
            If the search failed too often.
        """
        table = self._table
        left = _Domains(self._relations, hollow)
        try:
            left.assume(assumptions)
        except _EmptyDomainError:
            return None
        chosen = _search(left, table)
        if chosen is None:
            return None
        return tuple(sorted({*table.always, *(table.first[name] + chosen[name] for name in chosen)}))

    def core(self, parts: Sequence[Assumptions], hollow: int) -> list[int]:
        """Return the indices of parts that cannot hold together; of all if it takes a search to see that.

        The part with which those before it cannot hold is one. It then comes first, for the next one to be
        found, until those that were found are enough.
        """
        found: list[int] = []
        while True:
            left, index = _Domains(self._relations, hollow), -1
            try:
                for index in (*found, *range(len(parts))):
                    left.assume(parts[index])
            except _EmptyDomainError:
                if index in found:
                    return found
                found.append(index)
            else:
                return list(range(len(parts)))


class _Domains:
    """The domains in one search.

    Attributes
    ----------
    domain
        By name number; those without an entry have all of their values.
    required
        The names of which a class has to be chosen, in the order in which that was found.
    """

    def __init__(self, relations: NameRelations, hollow: int) -> None:
        self._relations = relations
        self._hollow_name = -1 if hollow < 0 else relations.table.name_of[hollow]
        self._hollowed = {} if hollow < 0 else relations.hollowed(hollow)
        self.domain: dict[int, int] = {}
        self.required: dict[int, Mapping[int, NameRelation]] = {}
        # By name number, the required names that say something about it.
        self._watchers: dict[int, list[int]] = defaultdict(list)
        self._changed: dict[int, None] = {}
        self._trail: list[tuple[int, int | None]] = []

    def restrict(self, name: int, allowed: int) -> None:
        """Leave only the ``allowed`` values of a name."""
        known = self.domain.get(name)
        before = self._relations.full[name] if known is None else known
        after = before & allowed
        if after != before:
            self._trail.append((name, known))
            self.domain[name] = after
            if not after:
                raise _EmptyDomainError
            self._changed[name] = None

    def assume(self, assumptions: Assumptions) -> None:
        """Restrict the domains to what is assumed, and to what follows from that."""
        table, absent = self._relations.table, self._relations.absent
        for item in assumptions.items:
            name = table.name_of[item]
            self.restrict(name, 1 << (item - table.first[name]))
        for clause in assumptions.needs:
            self.restrict(table.clause_name[clause], table.clause_mask[clause])
        for clause in assumptions.allows:
            name = table.clause_name[clause]
            self.restrict(name, table.clause_mask[clause] | absent[name])
        self.propagate()

    def propagate(self) -> None:
        """Remove values until each one that is left of a required name fits to one of each other name."""
        domain, absent = self.domain, self._relations.absent
        while self._changed:
            name = next(iter(self._changed))
            del self._changed[name]
            if not domain[name] & absent[name]:
                if name not in self.required:
                    self._require(name)
                for other, relation in self.required[name].items():
                    here = domain[name]
                    if not here & relation.free:
                        allowed = 0
                        for mask, who in relation.groups:
                            if who & here:
                                allowed |= mask
                        self.restrict(other, allowed)
            for watcher in self._watchers[name]:
                self._support(watcher, name)

    def _require(self, name: int) -> None:
        relations = self._hollowed if name == self._hollow_name else self._relations.of(name)
        self.required[name] = relations
        for other in relations:
            self._watchers[other].append(name)
        for other in relations:
            if other in self.domain:
                self._support(name, other)

    def _support(self, name: int, other: int) -> None:
        """Remove the values of ``name`` that no value of ``other`` fits to."""
        here, there, gone = self.domain[name], self.domain[other], 0
        if not here & (here - 1):
            return  # what its last value says is said by `propagate`
        for mask, who in self.required[name][other].groups:
            if not mask & there:
                gone |= who
        if gone & here:
            self.restrict(name, ~gone)

    def state(self) -> tuple[int, int]:
        """Return what `restore` needs."""
        return len(self._trail), len(self.required)

    def restore(self, state: tuple[int, int]) -> None:
        """Undo everything since a state."""
        changes, required = state
        while len(self._trail) > changes:
            name, before = self._trail.pop()
            if before is None:
                del self.domain[name]
            else:
                self.domain[name] = before
        while len(self.required) > required:
            _, relations = self.required.popitem()
            for other in relations:
                self._watchers[other].pop()
        self._changed.clear()


def _search(left: _Domains, table: ClassTable) -> dict[int, int] | None:
    """Return the position that is chosen for each required name, or `None` if there is no solution.

    Dependents choose first, the best class first.
    """
    failures = 0
    tried: list[tuple[tuple[int, int], int, int]] = []
    while True:
        open_names = (name for name in left.required if left.domain[name] & (left.domain[name] - 1))
        name = max(open_names, key=table.rank.__getitem__, default=None)
        if name is None:
            return {name: left.domain[name].bit_length() - 1 for name in left.required}
        bit = left.domain[name] & -left.domain[name]
        tried.append((left.state(), name, bit))
        allowed = bit
        while True:
            try:
                left.restrict(name, allowed)
                left.propagate()
            except _EmptyDomainError:
                failures += 1
                if failures > _MOST_FAILURES:
                    raise UndecidedError from None
                if not tried:
                    return None
                state, name, bit = tried.pop()
                left.restore(state)
                allowed = ~bit
            else:
                break
