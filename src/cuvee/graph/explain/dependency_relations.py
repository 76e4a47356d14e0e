"""Which dependencies a clash rests on: a smallest set of "this one needs that one" that still clashes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from cuvee.graph.explain.model import SoftConstraint
from cuvee.graph.solving.pool import Pool

_ROUNDS = 10_000


@dataclass(frozen=True, slots=True, order=True)
class Relation:
    """All that the records of one package say of another: what they need of it, or what they exclude."""

    source: str
    target: str
    excludes: bool = False


class RelationSolver:
    """Records as clauses, each under the relation that it is part of; encoded as far as an answer needs."""

    def __init__(self, pool: Pool, members: Iterable[SoftConstraint]) -> None:
        from pysat.solvers import Minisat22

        self._pool = pool
        self._sat = Minisat22()
        self._top = 0
        self._items: dict[int, int] = {}
        self._numbers: dict[int, int] = {}
        self._allows: dict[str, int] = {}
        self._by_name: dict[str, list[int]] = {}
        self._rungs: dict[str, int] = {}
        self._bounds: dict[str, list[tuple[int, frozenset[int]]]] = {}
        self._encoded: set[int] = set()
        self.relations: dict[Relation, int] = {}
        for number in pool.virtual:
            self._sat.add_clause([self._item(number)])
        for member in members:
            if member.needed:
                self._sat.add_clause([self._item(number) for number in pool.candidates(member.spec)])
            else:
                self._sat.add_clause([self._allow(member.spec)])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sat.delete()

    def conflict(self, relations: Iterable[Relation] | None = None) -> frozenset[Relation] | None:
        """Give the relations that a conflict rests on, within those given or all; `None` if there is none."""
        given = None if relations is None else sorted(relations)
        for _ in range(_ROUNDS):
            wanted = self.relations if given is None else given
            literals = {self.relations[relation]: relation for relation in wanted}
            if not self._sat.solve(assumptions=list(literals)):
                return frozenset(literals[item] for item in self._sat.get_core() or () if item in literals)
            model = self._sat.get_model() or ()
            unknown = [
                number
                for literal in model
                if literal > 0 and (number := self._numbers.get(literal)) is not None
                if number not in self._encoded
            ]
            if not unknown:
                return None
            for number in unknown:
                self._encode(number)
        return None

    def _encode(self, number: int) -> None:
        self._encoded.add(number)
        record, variable = self._pool[number], self._item(number)
        for spec in record.depends:
            name = self._pool.name_of(spec) or spec
            literal = self._relation(Relation(record.name, name))
            candidates = [self._item(other) for other in self._pool.candidates(spec)]
            self._sat.add_clause([-variable, -literal, *candidates])
        for spec in record.constrains:
            name = self._pool.name_of(spec) or spec
            literal = self._relation(Relation(record.name, name, excludes=True))
            # What can not be read is met by no record, so this one can't be installed: so rattler has it.
            allowed = [] if self._pool.problem_of(spec) else [self._allow(spec)]
            self._sat.add_clause([-variable, -literal, *allowed])

    def _relation(self, relation: Relation) -> int:
        literal = self.relations.get(relation)
        if literal is None:
            literal = self.relations[relation] = self._new()
        return literal

    def _item(self, number: int) -> int:
        """Give a record's variable; a new one joins the ladder that lets one of its name be true."""
        if number in self._items:
            return self._items[number]
        variable = self._items[number] = self._new()
        self._numbers[variable] = number
        name = self._pool[number].name
        rung, last = self._new(), self._rungs.get(name)
        self._sat.add_clause([-variable, rung])
        if last is not None:
            self._sat.add_clause([-last, rung])
            self._sat.add_clause([-variable, -last])
        self._rungs[name] = rung
        self._by_name.setdefault(name, []).append(number)
        for literal, allowed in self._bounds.get(name, ()):
            if number not in allowed:
                self._sat.add_clause([-literal, -variable])
        return variable

    def _allow(self, spec: str) -> int:
        """Give the literal for "no record of its name that does not meet ``spec``"."""
        literal = self._allows.get(spec)
        if literal is None:
            literal = self._allows[spec] = self._new()
            name, allowed = self._pool.name_of(spec), frozenset(self._pool.candidates(spec))
            self._bounds.setdefault(name, []).append((literal, allowed))
            for number in self._by_name.get(name, ()):
                if number not in allowed:
                    self._sat.add_clause([-literal, -self._items[number]])
        return literal

    def _new(self) -> int:
        self._top += 1
        return self._top


def minimal_relations(pool: Pool, members: Sequence[SoftConstraint]) -> tuple[Relation, ...]:
    """Give a smallest set of relations with which ``members``, a core, can not hold at once; sorted."""
    with RelationSolver(pool, members) as solver:
        core = solver.conflict()
        if core is None:
            return ()
        left = set(core)
        for relation in sorted(core, reverse=True):
            if relation in left:
                smaller = solver.conflict(left - {relation})
                if smaller is not None:
                    left = set(smaller)
    return tuple(sorted(left))
