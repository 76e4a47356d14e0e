"""Minimal cores of a problem, all that must be mended, and the smallest sets of parts that mend them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from cuvee.graph.explain.model import SoftConstraint
from cuvee.graph.explain.oracle import Oracle
from cuvee.graph.explain.relaxable_problem import PlatformInstance

_MOST_CORES = 60
_MOST_CORRECTIONS = 8
_MOST_TOGETHER = 4
_MOST_TRIED = 150
_FEW = 2  # members of which all sets are gone through for what to ask next
_MANY = 24  # members from which sets of more than two are too many to go through


@dataclass(frozen=True, slots=True, kw_only=True)
class MusComponent:
    """Cores that share members, and the smallest sets of members without which none of them is left."""

    cores: tuple[frozenset[SoftConstraint], ...]
    corrections: tuple[frozenset[SoftConstraint], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Enumeration:
    """All groups; ``complete`` unless there were too many cores to go on."""

    groups: tuple[MusComponent, ...]
    complete: bool


def minimal(
    instance: PlatformInstance, core: Iterable[SoftConstraint], order: Sequence[SoftConstraint]
) -> frozenset[SoftConstraint]:
    """Shrink a core until it holds without any one of its members; those first in ``order`` go first."""
    left = set(core)
    for member in order:
        if member in left:
            smaller = instance.conflict([item for item in order if item in left and item != member])
            if smaller is not None:
                left = set(smaller)
    return frozenset(left)


class MusEnumerator:
    """Finds cores until dropping one set of members mends them all, then other such sets."""

    def __init__(self, oracle: Oracle, fixed: Collection[str] = ()) -> None:
        self._oracle = oracle
        self._fixed = fixed
        self._members = oracle.universe.members
        self._place = {member: place for place, member in enumerate(self._members)}
        self._cores: list[frozenset[SoftConstraint]] = []

    def run(self) -> Enumeration:
        """Find them."""
        while True:
            dropped: frozenset[SoftConstraint] = self._smallest_of_all()
            while len(self._cores) < _MOST_CORES and self._add_core(dropped):
                dropped = self._smallest_of_all()
            dropped = self._smallest_of_all()
            if len(self._cores) >= _MOST_CORES:
                rest = [MusComponent(cores=tuple(part), corrections=()) for part in self._parts()]
                return Enumeration(groups=tuple(rest), complete=False)
            parts = self._parts()
            corrections = [self._corrections(part[0], dropped - self._smallest(part)) for part in parts]
            groups = [
                MusComponent(cores=tuple(part), corrections=tuple(found))
                for part, found in zip(self._parts(), corrections, strict=False)
            ]
            # A core that was found on the way may have joined two groups: then all begins anew.
            if [part[0] for part in self._parts()] == [part[0] for part in parts]:
                return Enumeration(groups=tuple(groups), complete=True)

    def _smallest_of_all(self) -> frozenset[SoftConstraint]:
        return frozenset[SoftConstraint]().union(*(self._smallest(part) for part in self._parts()))

    def _add_core(self, dropped: frozenset[SoftConstraint]) -> bool:
        """Find one more core among the members that are not ``dropped``; say whether there is one."""
        others = self._hitting(self._cores, len(dropped)) if 0 < len(dropped) <= _FEW else iter(())
        found = self._oracle.conflict(
            self._without(dropped), (self._without(other) for other in others if other != dropped)
        )
        if found is None:
            return False
        core = minimal(*found, self._members)
        self._cores.append(core)
        return True

    def _without(self, dropped: Collection[SoftConstraint]) -> tuple[SoftConstraint, ...]:
        return tuple(member for member in self._members if member not in dropped)

    def _parts(self) -> list[list[frozenset[SoftConstraint]]]:
        """Divide the cores into groups that share no members, each in the order of finding."""
        parts: list[list[frozenset[SoftConstraint]]] = []
        for core in self._cores:
            touched = [part for part in parts if any(core & other for other in part)]
            merged = [*(other for part in touched for other in part), core]
            parts = [part for part in parts if part not in touched]
            parts.append(sorted(merged, key=self._cores.index))
        return sorted(parts, key=lambda part: self._cores.index(part[0]))

    def _smallest(self, cores: Sequence[frozenset[SoftConstraint]]) -> frozenset[SoftConstraint]:
        """Give one of the smallest sets that has a member of each core, or a small one if they are many."""
        for found in self._hitting(cores, _MOST_TOGETHER):
            return found
        left, greedy = list(cores), set()
        while left:
            names = [member for core in left for member in core]
            best = max(names, key=lambda member: (names.count(member), self._place[member]))
            greedy.add(best)
            left = [core for core in left if best not in core]
        return frozenset(greedy)

    def _hitting(
        self, cores: Sequence[frozenset[SoftConstraint]], most: int
    ) -> Iterator[frozenset[SoftConstraint]]:
        """Give the sets of at most so many members that have one of each core, the smallest first."""
        free = {member for core in cores for member in core if member.name not in self._fixed}
        members = sorted(free, key=self._place.__getitem__)
        members.reverse()
        if len(members) > _MANY:
            most = min(most, 2)
        for size in range(1, most + 1):
            for chosen in combinations(members, size):
                candidate = frozenset(chosen)
                if all(candidate & core for core in cores):
                    yield candidate

    def _corrections(
        self, first: frozenset[SoftConstraint], elsewhere: frozenset[SoftConstraint]
    ) -> list[frozenset[SoftConstraint]]:
        """Give sets of members of one group without which, and without ``elsewhere``, all else holds."""
        found: list[frozenset[SoftConstraint]] = []
        tried: set[frozenset[SoftConstraint]] = set()
        for _ in range(_MOST_TRIED):
            part = next(part for part in self._parts() if first in part)
            smallest = len(found[0]) if found else _MOST_TOGETHER
            candidate = next(
                (
                    item
                    for item in self._hitting(part, min(smallest + 1, _MOST_TOGETHER))
                    if item not in tried and not any(other <= item for other in found)
                ),
                None,
            )
            if candidate is None or len(found) == _MOST_CORRECTIONS:
                break
            if len(self._cores) < 2 * _MOST_CORES and self._add_core(candidate | elsewhere):
                continue
            tried.add(candidate)
            if self._oracle.solvable(m for m in self._members if m not in candidate | elsewhere):
                found.append(candidate)
        return found or [self._smallest(next(part for part in self._parts() if first in part))]
