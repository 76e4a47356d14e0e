"""Solutions of classes: by the search over domains, or by a SAT solver where the search gives up."""

from collections.abc import Iterable, Sequence

from cuvee.graph.channel_check.class_table import ClassTable
from cuvee.graph.channel_check.domain_search import DomainSearch, UndecidedError
from cuvee.graph.channel_check.unit_propagation import remaining_classes
from cuvee.graph.solving.encoding import Assumptions, Encoding

_SOLVES_PER_ENCODING = 40  # its clauses become more with each, and each model decides on all variables


class ClassSolver:
    """Finds solutions among the classes that remain."""

    def __init__(self, table: ClassTable, remaining: list[int]) -> None:
        self.table = table
        self._remaining = remaining
        self._search = DomainSearch(table, remaining)
        self._encoding: Encoding | None = None
        self._hollow = -1
        self._solves = 0

    def solution(self, assumptions: Assumptions, hollow: int = -1) -> tuple[int, ...] | None:
        """Return the classes of a solution in ascending order, or `None` if there is none.

        ``hollow`` is a class whose dependencies and constrains do not count.
        """
        try:
            return self._search.solve(assumptions, hollow)
        except UndecidedError:
            return self._by_sat(assumptions, hollow)

    def core(self, parts: Sequence[Assumptions], hollow: int) -> list[int]:
        """Return the indices of parts that cannot hold together: of few where that is quickly seen."""
        return self._search.core(parts, hollow)

    def _by_sat(self, assumptions: Assumptions, hollow: int) -> tuple[int, ...] | None:
        if self._encoding is None or self._hollow != hollow or self._solves >= _SOLVES_PER_ENCODING:
            if self._encoding is not None:
                self._encoding.close()
            provider = _ClassProvider(self.table, self._remaining, hollow)
            self._encoding, self._hollow, self._solves = Encoding(provider, self.table.always), hollow, 0
        self._solves += 1
        answer = self._encoding.solve(assumptions)
        return None if isinstance(answer, Assumptions) else answer


class _ClassProvider:
    """Provides the remaining classes to the encoding."""

    def __init__(self, table: ClassTable, remaining: list[int], hollow: int) -> None:
        self._table = table
        self._remaining = remaining
        self._hollow = hollow
        self._candidates: dict[int, list[int]] = {}

    def candidates(self, clause: int) -> Sequence[int]:
        known = self._candidates.get(clause)
        if known is None:
            known = self._candidates[clause] = remaining_classes(self._table, self._remaining, clause)
        return known

    def group_of_clause(self, clause: int) -> int:
        return self._table.clause_name[clause]

    def group_of(self, item: int) -> int:
        return self._table.name_of[item]

    def depends(self, item: int) -> Iterable[int]:
        return () if item == self._hollow else self._table.depends[item]

    def constrains(self, item: int) -> Iterable[int]:
        return () if item == self._hollow else self._table.constrains[item]
