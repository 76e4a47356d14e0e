"""Records and match specs as clauses of a SAT solver, encoded only as far as an answer needs.

A solve starts with nothing but the assumptions. What the model installs is then encoded, its dependencies and
what it excludes, until nothing that it installs is left out. So a solution is closed, and "unsatisfiable",
found with fewer clauses, holds with all of them. resolvo, the solver of rattler, adds its clauses lazily:
https://github.com/prefix-dev/resolvo.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from typing import Protocol

Label = Callable[[int, int, bool], int]
"""Returns the label of what an item says by a clause; `True` if the clause is one of its constrains."""


class DependencyProvider(Protocol):
    """What there is to install, by number. A clause is a set of items of one group: what one spec means.

    At most one item of a group, which is a package name, can be installed.
    """

    def candidates(self, clause: int) -> Sequence[int]:
        """Return the items that meet the clause, the best first."""

    def group_of_clause(self, clause: int) -> int:
        """Return the group that the clause is about."""

    def group_of(self, item: int) -> int:
        """Return the group of an item."""

    def depends(self, item: int) -> Iterable[int]:
        """Return the clauses of which each needs one installed item, for ``item`` to be installed."""

    def constrains(self, item: int) -> Iterable[int]:
        """Return the clauses outside which nothing of their group may be installed beside ``item``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What is assumed to hold at once, or an unsatisfiable core: a part of it that cannot.

    Attributes
    ----------
    needs
        Clauses of which each must be met by something installed.
    allows
        Clauses outside which nothing of their group may be installed.
    items
        Items that must be installed.
    labels
        Labels of the parts of the encoding that hold; `None` for all of them.
    """

    needs: tuple[int, ...] = ()
    allows: tuple[int, ...] = ()
    items: tuple[int, ...] = ()
    labels: tuple[int, ...] | None = None


@dataclass(slots=True)
class _Group:
    """The items of one name that have been met, with the last rung of their ladder."""

    items: list[int] = field(default_factory=list)
    rung: int = 0
    expanded: int = 0
    allows: list[tuple[int, frozenset[int]]] = field(default_factory=list)


class Encoding:
    """The clauses so far, in an incremental solver that keeps what it learned from one solve to the next.

    Parameters
    ----------
    always
        Items that are always installed.
    label
        Puts each dependency and each constraint of an item under an assumption literal of its own, so that a
        core names those that it rests on. Left out, they are hard clauses.
    """

    def __init__(
        self, provider: DependencyProvider, always: Iterable[int] = (), label: Label | None = None
    ) -> None:
        from pysat.solvers import Minisat22

        self._provider = provider
        self._label = label
        self._sat = Minisat22()
        self._new = count(1).__next__
        self._variable: dict[int, int] = {}
        self._needs: dict[int, int] = {}
        self._allows: dict[int, int] = {}
        self._labels: defaultdict[int, int] = defaultdict(self._new)
        self._groups: defaultdict[int, _Group] = defaultdict(_Group)
        self._expanded: set[int] = set()
        self._always = tuple(always)
        for item in self._always:
            self._sat.add_clause([self._variable_of(item)])

    def close(self) -> None:
        """Free the solver's memory, which is not Python's."""
        self._sat.delete()

    def solve(self, assumptions: Assumptions) -> tuple[int, ...] | Assumptions:
        """Return the items of a closed solution in ascending order, or an unsatisfiable core.

        The core is MiniSat's conflict in terms of the assumptions (https://doi.org/10.1007/978-3-540-24605-3_37),
        which need not be minimal.
        """
        needs = {self._need(clause): clause for clause in assumptions.needs}
        allows = {self._allow(clause): clause for clause in assumptions.allows}
        items = {self._variable_of(item): item for item in assumptions.items}
        while True:
            labels = self._labels_in(assumptions)
            if not self._sat.solve(assumptions=[*needs, *allows, *items, *labels]):
                break
            chosen, unknown = self._walk(assumptions, frozenset(labels.values()))
            if not unknown:
                return tuple(sorted(chosen))
            for item in unknown:
                self._expand_some(item)
        core = self._sat.get_core() or ()

        def failed(of: dict[int, int]) -> tuple[int, ...]:
            return tuple(sorted({of[literal] for literal in core if literal in of}))

        return Assumptions(
            needs=failed(needs), allows=failed(allows), items=failed(items), labels=failed(labels)
        )

    def _labels_in(self, assumptions: Assumptions) -> dict[int, int]:
        """Return the assumed labels by literal: with "all", those that were met so far."""
        labels = tuple(self._labels) if assumptions.labels is None else assumptions.labels
        return {self._labels[label]: label for label in labels}

    def _walk(self, assumptions: Assumptions, labels: frozenset[int]) -> tuple[set[int], list[int]]:
        """Follow the model from the assumptions; what it says of the rest is chance."""
        provider, variable, label = self._provider, self._variable, self._label
        model = self._sat.get_model() or ()

        def installed(need: int) -> int:
            return next(item for item in provider.candidates(need) if model[variable[item] - 1] > 0)

        stack = [*assumptions.items, *self._always, *map(installed, assumptions.needs)]
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
            stack += [
                installed(clause)
                for clause in provider.depends(item)
                if label is None or label(item, clause, False) in labels
            ]
        return chosen, unknown

    def _expand_some(self, item: int) -> None:
        """Encode an item, and as many more of its name as were before: a long list takes few rounds."""
        group = self._groups[self._provider.group_of(item)]
        self._expand(item)
        others = (other for other in tuple(group.items) if other not in self._expanded)
        for other in islice(others, group.expanded):
            self._expand(other)
        group.expanded = 2 * group.expanded + 1

    def _expand(self, item: int) -> None:
        if item in self._expanded:
            return
        self._expanded.add(item)
        variable = self._variable_of(item)
        for clause in self._provider.depends(item):
            self._sat.add_clause([-variable, *self._labelled(item, clause, False), self._need(clause)])
        for clause in self._provider.constrains(item):
            self._sat.add_clause([-variable, *self._labelled(item, clause, True), self._allow(clause)])

    def _labelled(self, item: int, clause: int, constrains: bool) -> Iterator[int]:
        if self._label is not None:
            yield -self._labels[self._label(item, clause, constrains)]

    def _need(self, clause: int) -> int:
        literal = self._needs.get(clause)
        if literal is None:
            literal = self._needs[clause] = self._new()
            variables = [self._variable_of(item) for item in self._provider.candidates(clause)]
            self._sat.add_clause([-literal, *variables])
            self._sat.set_phases(variables[:1])
        return literal

    def _allow(self, clause: int) -> int:
        literal = self._allows.get(clause)
        if literal is None:
            literal = self._allows[clause] = self._new()
            allowed = frozenset(self._provider.candidates(clause))
            group = self._groups[self._provider.group_of_clause(clause)]
            group.allows.append((literal, allowed))
            for item in group.items:
                if item not in allowed:
                    self._sat.add_clause([-literal, -self._variable[item]])
        return literal

    def _variable_of(self, item: int) -> int:
        """Return an item's variable; a new one joins the at-most-one constraint of its group.

        That is the sequential counter of Sinz (2005, https://doi.org/10.1007/11564751_73) for one, also known
        as ladder encoding. pysat has it (`pysat.card`), but for a list of variables that is known beforehand.
        """
        variable = self._variable.get(item)
        if variable is not None:
            return variable
        variable = self._variable[item] = self._new()
        group = self._groups[self._provider.group_of(item)]
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
