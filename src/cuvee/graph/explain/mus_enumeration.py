"""Minimal unsatisfiable subsets (MUS) of a problem's soft constraints, and minimal correction sets (MCS).

An MUS is a set that cannot hold at once, though it can without any one of its members; an MCS is a set
without which all others hold. Each MCS has a member of each MUS, the duality that Reiter showed in "A theory
of diagnosis from first principles" (1987, https://doi.org/10.1016/0004-3702(87)90062-2). So both are
enumerated in turn: a smallest hitting set of the known MUSes either is an MCS, or leaves another MUS. The
hitting sets are pysat's: https://pysathq.github.io/docs/html/api/examples/hitman.html.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from cuvee.graph.explain.model import SoftConstraint
from cuvee.graph.explain.oracle import Oracle
from cuvee.graph.solving.solver import minimal_subset

_MOST_MUSES = 60
_MOST_CORRECTIONS = 8
_MOST_TOGETHER = 4
_MOST_TRIED = 150
_FEW = 2  # members of a hitting set up to which others as small are solved at the same time

_Set = frozenset[SoftConstraint]


@dataclass(frozen=True, slots=True, kw_only=True)
class MusComponent:
    """MUSes that share members, and the smallest MCSes, without the members of which none of them is left."""

    muses: tuple[_Set, ...]
    corrections: tuple[_Set, ...]


class MusEnumerator:
    """Finds MUSes until a smallest hitting set of them is an MCS, then other MCSes.

    Parameters
    ----------
    fixed
        Names of packages that stay in every MCS's complement, unless an MUS has no other members.
    """

    def __init__(self, oracle: Oracle, fixed: Collection[str] = ()) -> None:
        self._oracle = oracle
        self._fixed = fixed
        self._members = oracle.problem.members
        self._number = {member: number for number, member in enumerate(self._members)}
        self._muses: list[_Set] = []

    def run(self) -> tuple[list[MusComponent], bool]:
        """Return the components, and whether these are all: else there were too many MUSes to go on."""
        while True:
            while len(self._muses) < _MOST_MUSES and self._add_mus(self._smallest()):
                pass
            components = self._components()
            if len(self._muses) >= _MOST_MUSES:
                return [MusComponent(muses=tuple(muses), corrections=()) for muses in components], False
            corrections = [self._corrections(muses[0]) for muses in components]
            found = zip(self._components(), corrections, strict=False)
            # An MUS that was found on the way may have joined two components: then all begins again.
            if [muses[0] for muses in self._components()] == [muses[0] for muses in components]:
                return [MusComponent(muses=tuple(m), corrections=tuple(c)) for m, c in found], True

    def _add_mus(self, dropped: _Set) -> bool:
        """Find one more MUS among the members that are not ``dropped``; return whether there is one."""
        alike: Iterable[_Set] = ()
        if 0 < len(dropped) <= _FEW:
            alike = takewhile(lambda other: len(other) <= len(dropped), self._hitting_sets(self._muses))
        found = self._oracle.unsat_core(
            self._without(dropped), (self._without(other) for other in alike if other != dropped)
        )
        if found is None:
            return False
        instance, core = found
        in_order = sorted(core, key=self._number.__getitem__)
        self._muses.append(frozenset(minimal_subset(in_order, instance.unsat_core)))
        return True

    def _without(self, dropped: Collection[SoftConstraint]) -> tuple[SoftConstraint, ...]:
        return tuple(member for member in self._members if member not in dropped)

    def _components(self) -> list[list[_Set]]:
        """Divide the MUSes into components that share no members, each in the order of finding."""
        components: list[list[_Set]] = []
        for mus in self._muses:
            touched = [part for part in components if any(mus & other for other in part)]
            merged = [*(other for part in touched for other in part), mus]
            components = [part for part in components if part not in touched]
            components.append(sorted(merged, key=self._muses.index))
        return sorted(components, key=lambda part: self._muses.index(part[0]))

    def _component_of(self, mus: _Set) -> list[_Set]:
        return next(part for part in self._components() if mus in part)

    def _smallest(self) -> _Set:
        """Return a smallest hitting set: components share no members, so each has its own part of it."""
        parts = (next(self._hitting_sets(muses)) for muses in self._components())
        return frozenset[SoftConstraint]().union(*parts)

    def _hitting_sets(self, muses: Sequence[_Set], blocked: Iterable[_Set] = ()) -> Iterator[_Set]:
        """Yield the minimal hitting sets of ``muses``, the smallest first, but none within ``blocked``."""
        from pysat.examples.hitman import Hitman

        if not muses:
            return
        free = ([member for member in mus if member.name not in self._fixed] or mus for mus in muses)
        to_hit = [sorted(self._number[member] for member in members) for members in free]
        with Hitman(bootstrap_with=to_hit) as hitman:
            for found in blocked:
                hitman.block([self._number[member] for member in found])
            while (numbers := hitman.get()) is not None:
                yield frozenset(self._members[number] for number in numbers)
                hitman.block(numbers)

    def _corrections(self, first: _Set) -> list[_Set]:
        """Return MCSes of the component of ``first``, given a smallest one of every other component."""
        found: list[_Set] = []
        failed: list[_Set] = []
        smallest = self._smallest()
        elsewhere = smallest.difference(*self._component_of(first))
        for _ in range(_MOST_TRIED):
            candidate = next(self._hitting_sets(self._component_of(first), [*found, *failed]), None)
            most = min(len(found[0]) + 1, _MOST_TOGETHER) if found else _MOST_TOGETHER
            if candidate is None or len(candidate) > most or len(found) == _MOST_CORRECTIONS:
                break
            if len(self._muses) < 2 * _MOST_MUSES and self._add_mus(candidate | elsewhere):
                continue
            holds = self._oracle.solvable(self._without(candidate | elsewhere))
            (found if holds else failed).append(candidate)
        return found or [next(self._hitting_sets(self._component_of(first)))]
