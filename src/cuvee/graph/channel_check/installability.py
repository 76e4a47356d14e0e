"""The work on one part of a channel: which of its classes can not be installed, and the least reason.

A class is looked at in three steps, from cheap to dear: does a world that was made for its name prove it
installable; can one be made greedily; what does the SAT solver say. A conflict that was found once is looked
up from then on. The answer of each step is exact when it is given, so the whole is.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cuvee.graph.channel_check.class_table import ClassTable
from cuvee.graph.channel_check.partial_solutions import GreedySolver, PartialSolution
from cuvee.graph.channel_check.unit_propagation import UnitPropagation, classes_alive, is_alive
from cuvee.graph.solving.encoding import Assumptions, Encoding
from cuvee.graph.solving.minimal_subset import minimal_subset

_WORLDS_PER_NAME = 12
_RECENT_WORLDS = 8
_QUESTIONS_PER_SOLVER = 40
_MODELS = 3
_URGENT = 4

_Part = tuple[str, int]  # which field of `Assumptions`, and the number in it


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassConflict:
    """A class that can not be installed, though each thing that it needs is there.

    Attributes
    ----------
    item
        The class.
    needs, allows
        Those of its dependencies and constrains that can not hold together: a minimal set.
    itself
        Whether they could, if it were not for the class itself: something else forbids or replaces it.
    """

    item: int
    needs: tuple[int, ...]
    allows: tuple[int, ...] = ()
    itself: bool = False


class Worker:
    """Works through parts of one channel; what one part proves installable is known in the next."""

    def __init__(self, table: ClassTable, asked: bytes | None = None) -> None:
        """``asked`` has a byte per class that says whether to look at it; all by default."""
        self.table = table
        self._propagation = UnitPropagation(table)
        self._propagation.start()
        # Explanations look at this, so that they do not depend on what was worked through before.
        self._start = list(self._propagation.alive)
        self._at_start = GreedySolver(table, self._start)
        self._builder = GreedySolver(table, self._propagation.alive)
        self._met: dict[int, bool] = {}
        # What nobody asks about counts as proved.
        size = len(table.name_of)
        self._is_left_alone = bytearray(size if asked is None else (not wanted for wanted in asked))
        self._is_proved = bytearray(self._is_left_alone)
        for item in table.always:
            self._is_proved[item] = 1
        self._conflicts: dict[tuple[str, int], list[ClassConflict]] = {}
        self._universe = ClassProvider(table, self._start)
        self._recent: deque[PartialSolution] = deque(maxlen=_RECENT_WORLDS)
        self._solver: Encoding | None = None
        self._questions = 0
        # What the next name begins with: who chooses early, and the solver's last worlds.
        self._urgent: list[int] = []
        self._models: list[PartialSolution] = []

    def work(self, names: Iterable[int]) -> list[ClassConflict]:
        """Give the classes of ``names`` that can not be installed, in the order of names and positions."""
        self._conflicts = defaultdict(list)
        found: list[ClassConflict] = []
        for name in names:
            worlds: list[PartialSolution] = []
            del self._urgent[:-_URGENT]
            for item in range(self.table.first[name], self.table.first[name + 1]):
                if self._is_proved[item] or not is_alive(self.table, self._start, item):
                    continue
                if not self._prove(item, worlds):
                    found += self._settle(item)
                    worlds[:0] = [world for world in self._models[:1] if world not in worlds]
                    del worlds[_WORLDS_PER_NAME:]
        return found

    def _settle(self, item: int) -> list[ClassConflict]:
        """Decide about a class; if it waits for classes that nobody asks about, about these too."""
        found = []
        waiting = [item]
        while waiting:
            conflict = self._decide(waiting.pop())
            if conflict is None:
                continue
            found.append(conflict)
            self._propagation.remove([conflict.item])
            if len(conflict.needs) == 1 and not conflict.allows and not conflict.itself:
                for other in classes_alive(self.table, self._start, conflict.needs[0]):
                    if self._is_left_alone[other]:
                        self._is_left_alone[other] = self._is_proved[other] = 0
                        waiting.append(other)
        return found

    def _prove(self, item: int, worlds: list[PartialSolution]) -> bool:
        """Prove the class installable with a world that is there, or that is soon made."""
        builder = self._builder
        for place, world in enumerate(worlds):
            if builder.fits(world, item):
                if place:
                    worlds.insert(0, worlds.pop(place))
                self._is_proved[item] = 1
                return True
        for world in self._recent:
            if builder.fits(world, item):
                worlds.insert(0, world)
                self._is_proved[item] = 1
                return True
        if not is_alive(self.table, self._propagation.alive, item):
            return False
        made = builder.build(item, self._urgent, self._models)
        if made is None:
            return False
        worlds.insert(0, made)
        self._recent.appendleft(made)
        del worlds[_WORLDS_PER_NAME:]
        for name, position in made.chosen.items():
            self._is_proved[self.table.first[name] + position] = 1
        return True

    def _decide(self, item: int) -> ClassConflict | None:
        """Look the conflict up, or ask the solver; `None` if the class can be installed."""
        conflict = self._known(item) or self._clash(item)
        if conflict is None and not self._installs(item):
            conflict = least_reason(self._universe, item)
        if conflict is not None and not conflict.itself:
            conflicts = self._conflicts[_key(conflict)]
            if all((other.needs, other.allows) != (conflict.needs, conflict.allows) for other in conflicts):
                conflicts.append(conflict)
        return conflict

    def _installs(self, item: int) -> bool:
        """Ask the solver about a class."""
        if self._is_proved[item] and not self._is_left_alone[item]:
            return True
        if self._solver is None or self._questions > _QUESTIONS_PER_SOLVER:
            if self._solver is not None:
                self._solver.close()
            self._solver, self._questions = Encoding(self._universe, self.table.always), 0
        self._questions += 1
        answer = self._solver.solve(Assumptions(items=(item,)))
        if isinstance(answer, Assumptions):
            return False
        self._models.insert(0, self._builder.world_of(answer))
        del self._models[_MODELS:]
        for proved in answer:
            self._is_proved[proved] = 1
        return True

    def _clash(self, item: int) -> ClassConflict | None:
        """Find two wishes of a class of which one rules out what all who meet the other depend on.

        That is what most conflicts are, and it takes no solver to see. Both can be met for themselves, so the
        two are a minimal reason.
        """
        said: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for clause in self.table.depends[item]:
            name, mask = self.table.clause_name[clause], self.table.clause_mask[clause]
            for about, wanted in ((name, mask & self._start[name]), *self._at_start.implied_by(clause)):
                for other, allowed in said[about]:
                    if not allowed & wanted and self._is_met(other) and self._is_met(clause):
                        return ClassConflict(item=item, needs=(other, clause))
                said[about].append((clause, wanted))
        return None

    def _is_met(self, clause: int) -> bool:
        """Whether there is an installable class that meets a clause."""
        met = self._met.get(clause)
        if met is None:
            classes = classes_alive(self.table, self._start, clause)
            proved = any(self._is_proved[other] and not self._is_left_alone[other] for other in classes)
            met = self._met[clause] = proved or any(map(self._installs, classes))
        return met

    def _known(self, item: int) -> ClassConflict | None:
        needs, allows = self.table.depends[item], self.table.constrains[item]
        # What it says of its own name says something else once the class is there, without its wishes.
        others = {clause for clause in (*needs, *allows) if not self._is_of_itself(item, clause)}
        for key in (*(("needs", clause) for clause in needs), *(("allows", clause) for clause in allows)):
            for conflict in self._conflicts.get(key, ()):
                if others.issuperset((*conflict.needs, *conflict.allows)):
                    return ClassConflict(item=item, needs=conflict.needs, allows=conflict.allows)
        return None

    def _is_of_itself(self, item: int, clause: int) -> bool:
        return self.table.clause_name[clause] == self.table.name_of[item]


def _key(conflict: ClassConflict) -> tuple[str, int]:
    return ("needs", conflict.needs[0]) if conflict.needs else ("allows", conflict.allows[0])


def least_reason(provider: "ClassProvider", item: int) -> ClassConflict:
    """Return a minimal part of the dependencies and constrains of a class that cannot hold at once.

    The class itself is assumed without them, *hollow*, because they are what is assumed one by one.
    """
    table = provider.table
    encoding = Encoding(provider.with_hollow(item), table.always)

    def assumed(parts: Iterable[_Part]) -> Assumptions:
        kept = sorted(parts)
        return Assumptions(
            needs=tuple(number for kind, number in kept if kind == "needs"),
            allows=tuple(number for kind, number in kept if kind == "allows"),
            items=tuple(number for kind, number in kept if kind == "items"),
        )

    def unsat_core(parts: Sequence[_Part]) -> Sequence[_Part] | None:
        if not any(kind != "items" for kind, _ in parts):
            return None  # a reason has at least one dependency or constraint
        return parts if isinstance(encoding.solve(assumed(parts)), Assumptions) else None

    try:
        whole = Assumptions(needs=table.depends[item], allows=table.constrains[item], items=(item,))
        core = encoding.solve(whole)
        if not isinstance(core, Assumptions):
            raise RuntimeError(f"class {item} has a solution after all")  # noqa: TRY004 - a bug, not a type
        parts: list[_Part] = [
            *(("items", number) for number in core.items),
            *(("allows", clause) for clause in core.allows),
            *(("needs", clause) for clause in reversed(core.needs)),
        ]
        least = assumed(minimal_subset(parts, unsat_core))
    finally:
        encoding.close()
    return ClassConflict(item=item, needs=least.needs, allows=least.allows, itself=bool(least.items))


class ClassProvider:
    """The classes that are left, as the solver sees them."""

    def __init__(self, table: ClassTable, alive: list[int], hollow: int = -1) -> None:
        self.table = table
        self._alive = alive
        self._hollow = hollow
        self._candidates: dict[int, list[int]] = {}

    def with_hollow(self, item: int) -> "ClassProvider":
        """Give the same universe, in which ``item`` has no wishes."""
        universe = ClassProvider(self.table, self._alive, item)
        universe._candidates = self._candidates
        return universe

    def candidates(self, clause: int) -> Sequence[int]:
        known = self._candidates.get(clause)
        if known is None:
            known = self._candidates[clause] = classes_alive(self.table, self._alive, clause)
        return known

    def group_of_clause(self, clause: int) -> int:
        return self.table.clause_name[clause]

    def group_of(self, item: int) -> int:
        return self.table.name_of[item]

    def depends(self, item: int) -> Iterable[int]:
        return () if item == self._hollow else self.table.depends[item]

    def constrains(self, item: int) -> Iterable[int]:
        return () if item == self._hollow else self.table.constrains[item]
