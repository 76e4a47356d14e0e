"""Solving over a pool, with rattler's meaning of records: a solution, or what can not hold at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cuvee.graph.solving.encoding import Assumptions, Encoding
from cuvee.graph.solving.pool import Pool


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """A set of records that fit together and want nothing: their numbers in the pool, ascending."""

    records: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsatCore:
    """A part of what was asked that can not hold at once; not always the smallest, see `Solver.shrink`.

    Attributes
    ----------
    core
        Requirements, as they were given.
    constraints
        Constraints, as they were given.
    records
        Records that had to be installed.
    """

    core: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    records: tuple[int, ...] = ()


class Solver:
    """Answers questions about one pool, each in the light of what it learned from those before.

    The meaning is that of rattler: at most one record per name; each entry of ``depends`` is met by an
    installed record; ``constrains`` holds for what is installed; what the system offers is always installed;
    a record with an entry that can not be read can not be installed. It looks for any solution: the newest
    versions are tried first, but nothing is promised.
    """

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._universe = PoolProvider(pool)
        self._encoding = Encoding(self._universe, always=pool.virtual)

    def close(self) -> None:
        """Free the solver's memory; it can not be asked any more."""
        self._encoding.close()

    def solve(
        self,
        requirements: Sequence[str],
        *,
        constraints: Sequence[str] = (),
        records: Iterable[int] = (),
    ) -> Solution | UnsatCore:
        """Find records that meet everything at once.

        Parameters
        ----------
        requirements
            Match specs; each is met by an installed record. One that can not be read is met by none.
        constraints
            Match specs; what is installed of their names meets them.
        records
            Numbers of records that are to be installed.
        """
        universe = self._universe
        needs = {universe.clause(spec): spec for spec in requirements}
        allows = {universe.clause(spec): spec for spec in constraints}
        answer = self._encoding.solve(
            Assumptions(needs=tuple(needs), allows=tuple(allows), items=tuple(dict.fromkeys(records)))
        )
        if isinstance(answer, Assumptions):
            return UnsatCore(
                core=tuple(spec for clause, spec in needs.items() if clause in answer.needs),
                constraints=tuple(spec for clause, spec in allows.items() if clause in answer.allows),
                records=answer.items,
            )
        return Solution(records=answer)

    def shrink(self, conflict: UnsatCore) -> UnsatCore:
        """Give a minimal conflict within ``conflict``: without any one of its parts there is a solution.

        Parts are tried in their order, so that equal conflicts give equal answers.
        """
        smallest = conflict
        for spec in conflict.core:
            smallest = self._without(smallest, core=tuple(item for item in smallest.core if item != spec))
        for spec in conflict.constraints:
            rest = tuple(item for item in smallest.constraints if item != spec)
            smallest = self._without(smallest, constraints=rest)
        for number in conflict.records:
            left = tuple(item for item in smallest.records if item != number)
            smallest = self._without(smallest, records=left)
        return smallest

    def _without(self, conflict: UnsatCore, **fewer: Any) -> UnsatCore:
        """Give the smaller conflict if it is one, or the same as before."""
        tried = replace(conflict, **fewer)
        answer = self.solve(tried.core, constraints=tried.constraints, records=tried.records)
        return conflict if isinstance(answer, Solution) else tried


class PoolProvider:
    """A pool as the encoding sees it: specs are numbered as they are met."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._clauses: dict[str, int] = {}
        self._specs: list[str] = []
        self._groups: dict[str, int] = {}
        self._depends: dict[int, tuple[int, ...]] = {}

    def clause(self, spec: str) -> int:
        """Give the number of a spec."""
        number = self._clauses.get(spec)
        if number is None:
            number = self._clauses[spec] = len(self._specs)
            self._specs.append(spec)
        return number

    def spec(self, clause: int) -> str:
        """Return the spec of a number."""
        return self._specs[clause]

    def candidates(self, clause: int) -> Sequence[int]:
        return self._pool.candidates(self._specs[clause])

    def group_of_clause(self, clause: int) -> int:
        return self._group(self._pool.name_of(self._specs[clause]))

    def group_of(self, item: int) -> int:
        return self._group(self._pool[item].name)

    def depends(self, item: int) -> Iterable[int]:
        known = self._depends.get(item)
        if known is None:
            record = self._pool[item]
            # What it constrains but nobody can read is met by no record either: so rattler has it.
            unreadable = (spec for spec in record.constrains if self._pool.problem_of(spec))
            known = tuple(self.clause(spec) for spec in (*record.depends, *unreadable))
            self._depends[item] = known
        return known

    def constrains(self, item: int) -> Iterable[int]:
        return (self.clause(spec) for spec in self._pool[item].constrains)

    def _group(self, name: str) -> int:
        return self._groups.setdefault(name, len(self._groups))
