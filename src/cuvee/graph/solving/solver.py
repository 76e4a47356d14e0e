"""Solving over a pool, with rattler's meaning of records: a solution, or an unsatisfiable core."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cuvee.graph.solving.encoding import Assumptions, Encoding
from cuvee.graph.solving.pool import Pool

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """A set of records that fit together, with all their dependencies: numbers in the pool, ascending."""

    records: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsatCore:
    """Requirements and constraints that cannot hold at once; not always minimal, see `Solver.shrink`."""

    requirements: tuple[str, ...]
    constraints: tuple[str, ...] = ()


class Solver:
    """Solves again and again over one pool, and keeps what it learned.

    The meaning is that of rattler: at most one record per name; each entry of ``depends`` is met by an
    installed record; ``constrains`` holds for what is installed; virtual packages are always installed; a
    record with an entry that cannot be read cannot be installed. It returns any solution: the newest versions
    are tried first, without a guarantee.
    """

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self._provider = PoolProvider(pool)
        self._encoding = Encoding(self._provider, always=pool.virtual)

    def close(self) -> None:
        """Free the solver's memory, after which it cannot be used."""
        self._encoding.close()

    def solve(
        self,
        requirements: Sequence[str],
        *,
        constraints: Sequence[str] = (),
        records: Iterable[int] = (),
    ) -> Solution | UnsatCore:
        """Return records that meet everything at once, or what cannot hold at once.

        Parameters
        ----------
        requirements
            Match specs; an installed record meets each of them. No record meets one that cannot be read.
        constraints
            Match specs; installed records of their names meet them.
        records
            Numbers of records that must be installed. A core does not name them.
        """
        needs = {self._provider.clause(spec): spec for spec in requirements}
        allows = {self._provider.clause(spec): spec for spec in constraints}
        answer = self._encoding.solve(
            Assumptions(needs=tuple(needs), allows=tuple(allows), items=tuple(dict.fromkeys(records)))
        )
        if isinstance(answer, Assumptions):
            return UnsatCore(
                requirements=tuple(spec for clause, spec in needs.items() if clause in answer.needs),
                constraints=tuple(spec for clause, spec in allows.items() if clause in answer.allows),
            )
        return Solution(records=answer)

    def shrink(self, core: UnsatCore) -> UnsatCore:
        """Return a minimal part of ``core``; equal cores give equal answers."""

        def divided(parts: Iterable[tuple[str, bool]]) -> UnsatCore:
            kept = tuple(parts)
            return UnsatCore(
                requirements=tuple(spec for spec, needed in kept if needed),
                constraints=tuple(spec for spec, needed in kept if not needed),
            )

        def unsat_core(parts: Sequence[tuple[str, bool]]) -> Sequence[tuple[str, bool]] | None:
            tried = divided(parts)
            answer = self.solve(tried.requirements, constraints=tried.constraints)
            return None if isinstance(answer, Solution) else parts

        parts = [(spec, True) for spec in core.requirements] + [(spec, False) for spec in core.constraints]
        return divided(minimal_subset(parts, unsat_core))


def minimal_subset(
    core: Sequence[_T], unsat_core: Callable[[Sequence[_T]], Collection[_T] | None]
) -> list[_T]:
    """Return a minimal unsatisfiable subset (MUS) of an unsatisfiable core, in the order of ``core``.

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


class PoolProvider:
    """Provides the records of a pool to the encoding; specs are numbered on first use."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._clauses: dict[str, int] = {}
        self._specs: list[str] = []
        self._groups: dict[str, int] = {}
        self._depends: dict[int, tuple[int, ...]] = {}

    def clause(self, spec: str) -> int:
        """Return the number of a spec."""
        number = self._clauses.setdefault(spec, len(self._specs))
        if number == len(self._specs):
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
            # No record meets a constraint that cannot be read: rattler does not install such a record either.
            unreadable = (spec for spec in record.constrains if self._pool.problem_of(spec))
            known = tuple(self.clause(spec) for spec in (*record.depends, *unreadable))
            self._depends[item] = known
        return known

    def constrains(self, item: int) -> Iterable[int]:
        return (self.clause(spec) for spec in self._pool[item].constrains)

    def _group(self, name: str) -> int:
        return self._groups.setdefault(name, len(self._groups))
