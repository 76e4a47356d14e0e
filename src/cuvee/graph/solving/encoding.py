"""Records and specs as clauses of a SAT solver, encoded only as far as an answer needs.

A solve starts with nothing but what is asked for. Whatever the solver would install is then encoded: its
dependencies, and what it excludes. That goes on until nothing is left that was not. So an answer "yes" is
closed, and an answer "no", found with fewer clauses, holds with all of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

_Core = tuple[int, ...]


class DependencyProvider(Protocol):
    """What there is to install, by number. A clause is a set of items of one group: what one spec means.

    At most one item of a group, which is a package name, can be installed.
    """

    def candidates(self, clause: int) -> Sequence[int]:
        """Give the items that meet the clause, the best first."""

    def group_of_clause(self, clause: int) -> int:
        """Give the group that the clause is about."""

    def group_of(self, item: int) -> int:
        """Give the group of an item."""

    def depends(self, item: int) -> Iterable[int]:
        """Give the clauses of which each needs one installed item, for ``item`` to be installed."""

    def constrains(self, item: int) -> Iterable[int]:
        """Give the clauses outside which nothing of their group may be installed beside ``item``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What must hold at once.

    Attributes
    ----------
    needs
        Clauses of which each must be met by something installed.
    allows
        Clauses outside which nothing of their group may be installed.
    items
        Items that must be installed.
    """

    needs: tuple[int, ...] = ()
    allows: tuple[int, ...] = ()
    items: tuple[int, ...] = ()


@dataclass(slots=True)
class _Group:
    """The items of one name that have been met, with the last rung of their ladder."""

    items: list[int] = field(default_factory=list)
    rung: int = 0
    expanded: int = 0
    allows: list[tuple[int, frozenset[int]]] = field(default_factory=list)


class Encoding:
    """The clauses so far, and the solver that keeps what it learned from one question to the next."""

    def __init__(self, universe: DependencyProvider, always: Iterable[int] = ()) -> None:
        from pysat.solvers import Minisat22

        self._universe = universe
        self._sat = Minisat22()
        self._top = 0
        self._variable: dict[int, int] = {}
        self._needs: dict[int, int] = {}
        self._allows: dict[int, int] = {}
        self._groups: dict[int, _Group] = {}
        self._expanded: set[int] = set()
        self._always = tuple(always)
        for item in self._always:
            self._sat.add_clause([self._variable_of(item)])

    def close(self) -> None:
        """Free the solver's memory, which is not Python's."""
        self._sat.delete()

    def solve(self, question: Assumptions) -> tuple[int, ...] | Assumptions:
        """Give the items of a closed solution in ascending order, or the part that can not hold at once."""
        meaning: dict[int, tuple[str, int]] = {}
        for need in question.needs:
            meaning[self._need(need)] = ("needs", need)
        for allow in question.allows:
            meaning[self._allow(allow)] = ("allows", allow)
        for item in question.items:
            meaning[self._variable_of(item)] = ("items", item)
        literals = list(meaning)
        while self._sat.solve(assumptions=literals):
            chosen, unknown = self._walk(question)
            if not unknown:
                return tuple(sorted(chosen))
            for item in unknown:
                self._expand_some(item)
        core = [meaning[literal] for literal in self._sat.get_core() or () if literal in meaning]
        return Assumptions(
            needs=tuple(sorted(number for kind, number in core if kind == "needs")),
            allows=tuple(sorted(number for kind, number in core if kind == "allows")),
            items=tuple(sorted(number for kind, number in core if kind == "items")),
        )

    def _walk(self, question: Assumptions) -> tuple[set[int], list[int]]:
        """Follow the solver's model from what is asked for; the rest of it is chance."""
        universe, variable = self._universe, self._variable
        model = self._sat.get_model() or ()

        def installed(need: int) -> int:
            return next(item for item in universe.candidates(need) if model[variable[item] - 1] > 0)

        stack = [*question.items, *self._always, *map(installed, question.needs)]
        chosen: set[int] = set()
        unknown = []
        while stack:
            item = stack.pop()
            if item in chosen:
                continue
            chosen.add(item)
            if item not in self._expanded:
                unknown.append(item)
                continue
            stack += map(installed, universe.depends(item))
        return chosen, unknown

    def _expand_some(self, item: int) -> None:
        """Encode an item, and as many more of its name as were before: a long list takes few rounds."""
        group = self._groups[self._universe.group_of(item)]
        self._expand(item)
        more = group.expanded
        for other in list(group.items):
            if more == 0:
                break
            if other not in self._expanded:
                self._expand(other)
                more -= 1
        group.expanded = 2 * group.expanded + 1

    def _expand(self, item: int) -> None:
        if item in self._expanded:
            return
        self._expanded.add(item)
        variable = self._variable_of(item)
        for clause in self._universe.depends(item):
            self._sat.add_clause([-variable, self._need(clause)])
        for clause in self._universe.constrains(item):
            self._sat.add_clause([-variable, self._allow(clause)])

    def _need(self, clause: int) -> int:
        literal = self._needs.get(clause)
        if literal is None:
            literal = self._needs[clause] = self._new()
            variables = [self._variable_of(item) for item in self._universe.candidates(clause)]
            self._sat.add_clause([-literal, *variables])
            self._sat.set_phases(variables[:1])
        return literal

    def _allow(self, clause: int) -> int:
        literal = self._allows.get(clause)
        if literal is None:
            literal = self._allows[clause] = self._new()
            allowed = frozenset(self._universe.candidates(clause))
            group = self._groups.setdefault(self._universe.group_of_clause(clause), _Group())
            group.allows.append((literal, allowed))
            for item in group.items:
                if item not in allowed:
                    self._sat.add_clause([-literal, -self._variable[item]])
        return literal

    def _variable_of(self, item: int) -> int:
        """Give an item's variable; a new one joins the ladder that lets one item of its group be true."""
        variable = self._variable.get(item)
        if variable is not None:
            return variable
        variable = self._variable[item] = self._new()
        group = self._groups.setdefault(self._universe.group_of(item), _Group())
        rung = self._new()
        self._sat.add_clause([-variable, rung])
        if group.rung:
            self._sat.add_clause([-group.rung, rung])
            self._sat.add_clause([-variable, -group.rung])
        group.rung = rung
        group.items.append(item)
        for literal, allowed in group.allows:
            if item not in allowed:
                self._sat.add_clause([-literal, -variable])
        return variable

    def _new(self) -> int:
        self._top += 1
        return self._top
