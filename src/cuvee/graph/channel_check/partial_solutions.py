"""Partial solutions: found greedily, they are witnesses for all classes that fit into them."""

from collections.abc import Iterable
from dataclasses import dataclass
from heapq import heappop, heappush

from cuvee.graph.channel_check.class_table import ClassTable, positions
from cuvee.graph.channel_check.unit_propagation import remaining_classes

_ATTEMPTS = 2
_MOST_CLASSES = 400
_FAR = 1 << 40  # further than any rank


@dataclass(eq=False, slots=True)
class PartialSolution:
    """A set of classes that fit together, with all their dependencies.

    Attributes
    ----------
    chosen
        By name number, the position of its class.
    domain
        By name number, the positions that all chosen classes allow; names without an entry are free.
    """

    chosen: dict[int, int]
    domain: dict[int, int]


class GreedySolver:
    """Finds solutions among the classes that remain.

    Attributes
    ----------
    remaining
        By name number, the positions that may be installable; the caller may clear bits.
    """

    def __init__(self, table: ClassTable, remaining: list[int]) -> None:
        self.table = table
        self.remaining = remaining
        self._base = PartialSolution({}, {})
        self._is_farsighted = False
        self._urgent: dict[int, int] = {}
        self._waiting: list[tuple[int, int]] = []
        self._implied: dict[int, list[tuple[int, int]]] = {}
        for item in table.always:
            name = table.name_of[item]
            self._base.chosen[name] = item - table.first[name]

    def fits(self, solution: PartialSolution, item: int) -> bool:
        """Whether the solution is a witness for ``item``, in the place of the class that has its name."""
        table, chosen = self.table, solution.chosen
        name = table.name_of[item]
        position = item - table.first[name]
        if not solution.domain.get(name, -1) >> position & 1:
            return False
        clause_name, clause_mask = table.clause_name, table.clause_mask
        for clause in table.depends[item]:
            other = clause_name[clause]
            there = position if other == name else chosen.get(other)
            if there is None or not clause_mask[clause] >> there & 1:
                return False
        for clause in table.constrains[item]:
            other = clause_name[clause]
            there = position if other == name else chosen.get(other)
            if there is not None and not clause_mask[clause] >> there & 1:
                return False
        return True

    def partial_solution(self, items: Iterable[int]) -> PartialSolution:
        """Return the solution that a solver found as a partial solution."""
        table, remaining = self.table, self.remaining
        solution = PartialSolution({}, {})
        for item in items:
            solution.chosen[table.name_of[item]] = item - table.first[table.name_of[item]]
            for clause in (*table.depends[item], *table.constrains[item]):
                name = table.clause_name[clause]
                solution.domain[name] = solution.domain.get(name, remaining[name]) & table.clause_mask[clause]
        return solution

    def build(self, item: int, urgent: list[int]) -> PartialSolution | None:
        """Return a solution with ``item``, the best of each name first; `None` if that gets stuck.

        Dependents choose before their dependencies, so that all specs are known when a common dependency is
        chosen. That fails if the best of a dependent needs what others exclude. The name at which it got
        stuck then chooses earlier: it joins ``urgent``, which the caller keeps for the next item.
        """
        for attempt in range(_ATTEMPTS):
            # Looking further ahead costs more than it saves until the first attempt got stuck.
            self._is_farsighted = attempt > 0
            self._urgent = {name: -index for index, name in enumerate(urgent)}
            made = self._attempt(item)
            if isinstance(made, PartialSolution):
                return made
            if made in urgent:
                urgent.remove(made)
            urgent.append(made)
        return None

    def _attempt(self, item: int) -> PartialSolution | int:
        """Return a solution, or the name at which it got stuck."""
        table = self.table
        name = table.name_of[item]
        solution = PartialSolution(dict(self._base.chosen), {})
        if name in solution.chosen:
            return name
        self._waiting = []
        failed = self._install(solution, item)
        while failed is None and self._waiting:
            _, other = heappop(self._waiting)
            if other not in solution.chosen:
                failed = self._choose(solution, other)
        return solution if failed is None else failed

    def _choose(self, solution: PartialSolution, name: int) -> int | None:
        """Install the best possible class of a name; return the name at which that is stuck, or `None`."""
        first = self.table.first[name]
        for position in positions(solution.domain[name]):
            if self._is_possible(solution, first + position):
                return self._install(solution, first + position)
        return name

    def _is_possible(self, solution: PartialSolution, item: int) -> bool:
        """Look one step ahead: whether the dependencies of the item can still be met."""
        table, chosen, domain, remaining = self.table, solution.chosen, solution.domain, self.remaining
        clause_name, clause_mask = table.clause_name, table.clause_mask
        for clause in table.depends[item]:
            other = clause_name[clause]
            there = chosen.get(other)
            if there is None:
                if not domain.get(other, remaining[other]) & clause_mask[clause]:
                    return False
            elif not clause_mask[clause] >> there & 1:
                return False
            if self._is_farsighted and not self._is_open(solution, clause):
                return False
        for clause in table.constrains[item]:
            there = chosen.get(clause_name[clause])
            if there is not None and not clause_mask[clause] >> there & 1:
                return False
        return True

    def _is_open(self, solution: PartialSolution, clause: int) -> bool:
        """Whether the common dependencies of what meets the clause can still be met."""
        for name, mask in self.implied_by(clause):
            there = solution.chosen.get(name)
            left = solution.domain.get(name, self.remaining[name]) if there is None else 1 << there
            if not left & mask:
                return False
        return True

    def implied_by(self, clause: int) -> list[tuple[int, int]]:
        """Return the names that all classes which meet the clause depend on, with the positions for one."""
        known = self._implied.get(clause)
        if known is None:
            table = self.table
            classes = remaining_classes(table, self.remaining, clause)
            common: dict[int, int] = {}
            for index, item in enumerate(classes[:_MOST_CLASSES]):
                wanted: dict[int, int] = {}
                for need in table.depends[item]:
                    name = table.clause_name[need]
                    if index == 0 or name in common:
                        wanted[name] = wanted.get(name, -1) & table.clause_mask[need]
                common = {name: common.get(name, 0) | mask for name, mask in wanted.items()}
            known = [] if len(classes) > _MOST_CLASSES else list(common.items())
            self._implied[clause] = known
        return known

    def _install(self, solution: PartialSolution, item: int) -> int | None:
        """Install a class, and restrict the domains; return the name at which that fails, or `None`."""
        table, chosen, domain, remaining = self.table, solution.chosen, solution.domain, self.remaining
        name = table.name_of[item]
        chosen[name] = item - table.first[name]
        for clause in table.constrains[item]:
            other = table.clause_name[clause]
            left = domain.get(other, remaining[other]) & table.clause_mask[clause]
            there = chosen.get(other)
            if there is not None and not table.clause_mask[clause] >> there & 1:
                return other
            domain[other] = left
        for clause in table.depends[item]:
            other = table.clause_name[clause]
            left = domain.get(other, remaining[other]) & table.clause_mask[clause]
            there = chosen.get(other)
            if there is None:
                if not left:
                    return other
                early = self._urgent.get(other)
                heappush(self._waiting, (-table.rank[other] if early is None else early - _FAR, other))
            elif not table.clause_mask[clause] >> there & 1:
                return other
            domain[other] = left
            if self._is_farsighted:
                for name, mask in self.implied_by(clause):
                    domain[name] = domain.get(name, remaining[name]) & mask
        return None
