"""Which classes of a part of a channel cannot be installed, each with a minimal reason.

There are three steps, from fast to slow: a partial solution that was found for the class's name is a witness;
a greedy search finds one; the SAT solver decides. A conflict that was found once is looked up from then on.
Each step answers exactly or not at all, so the whole is exact.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cuvee.graph.channel_check.class_table import ClassTable
from cuvee.graph.channel_check.partial_solutions import GreedySolver, PartialSolution
from cuvee.graph.channel_check.unit_propagation import UnitPropagation, remaining_classes, remains
from cuvee.graph.solving.encoding import Assumptions, Encoding
from cuvee.graph.solving.solver import minimal_subset

_SOLUTIONS_PER_NAME = 12
_RECENT_SOLUTIONS = 8
_SOLVES_PER_ENCODING = 40
_MODELS = 3
_URGENT = 4

_Part = tuple[str, int]  # which field of `Assumptions`, and the number in it


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassConflict:
    """A class that cannot be installed, although each of its dependencies can be met.

    Attributes
    ----------
    item
        The class.
    needs, allows
        Those of its dependencies and constrains that cannot hold together: an MUS.
    itself
        Whether they could without the class itself, because something else excludes or replaces it.
    """

    item: int
    needs: tuple[int, ...]
    allows: tuple[int, ...] = ()
    itself: bool = False


class Worker:
    """Checks parts of one channel; what one part proves installable is known in the next."""

    def __init__(self, table: ClassTable, to_check: bytes | None = None) -> None:
        """``to_check`` has a byte per class that says whether to check it; all by default."""
        self.table = table
        self._propagation = UnitPropagation(table)
        self._propagation.start()
        # Reasons are found in this, so that they do not depend on the parts that were checked before.
        self._start = list(self._propagation.remaining)
        self._at_start = GreedySolver(table, self._start)
        self._greedy = GreedySolver(table, self._propagation.remaining)
        self._met: dict[int, bool] = {}
        # What is not to be checked counts as proved.
        size = len(table.name_of)
        self._is_unchecked = bytearray(size if to_check is None else (not byte for byte in to_check))
        self._is_proved = bytearray(self._is_unchecked)
        for item in table.always:
            self._is_proved[item] = 1
        self._conflicts: dict[tuple[str, int], list[ClassConflict]] = {}
        self._provider = ClassProvider(table, self._start)
        self._recent: deque[PartialSolution] = deque(maxlen=_RECENT_SOLUTIONS)
        self._solver: Encoding | None = None
        self._solves = 0
        # What the next name begins with: names that choose early, and the solver's last solutions.
        self._urgent: list[int] = []
        self._models: list[PartialSolution] = []

    def work(self, names: Iterable[int]) -> list[ClassConflict]:
        """Return the classes of ``names`` that cannot be installed, in the order of names and positions."""
        self._conflicts = defaultdict(list)
        found: list[ClassConflict] = []
        for name in names:
            solutions: list[PartialSolution] = []
            del self._urgent[:-_URGENT]
            for item in range(self.table.first[name], self.table.first[name + 1]):
                if self._is_proved[item] or not remains(self.table, self._start, item):
                    continue
                if not self._prove(item, solutions):
                    found += self._settle(item)
                    solutions[:0] = [solution for solution in self._models[:1] if solution not in solutions]
                    del solutions[_SOLUTIONS_PER_NAME:]
        return found

    def _settle(self, item: int) -> list[ClassConflict]:
        """Decide about a class; if that depends on classes that are not to be checked, about these too."""
        found = []
        waiting = [item]
        while waiting:
            conflict = self._decide(waiting.pop())
            if conflict is None:
                continue
            found.append(conflict)
            self._propagation.remove([conflict.item])
            if len(conflict.needs) == 1 and not conflict.allows and not conflict.itself:
                for other in remaining_classes(self.table, self._start, conflict.needs[0]):
                    if self._is_unchecked[other]:
                        self._is_unchecked[other] = self._is_proved[other] = 0
                        waiting.append(other)
        return found

    def _prove(self, item: int, solutions: list[PartialSolution]) -> bool:
        """Prove the class installable by a known solution, or by one that is found greedily."""
        greedy = self._greedy
        for solution in (*solutions, *self._recent):
            if greedy.fits(solution, item):
                if solution in solutions:
                    solutions.remove(solution)
                solutions.insert(0, solution)
                self._is_proved[item] = 1
                return True
        if not remains(self.table, self._propagation.remaining, item):
            return False
        made = greedy.build(item, self._urgent, self._models)
        if made is None:
            return False
        solutions.insert(0, made)
        self._recent.appendleft(made)
        del solutions[_SOLUTIONS_PER_NAME:]
        for name, position in made.chosen.items():
            self._is_proved[self.table.first[name] + position] = 1
        return True

    def _decide(self, item: int) -> ClassConflict | None:
        """Look the conflict up, or solve; return `None` if the class can be installed."""
        conflict = self._known(item) or self._direct_conflict(item)
        if conflict is None and not self._installs(item):
            conflict = least_reason(self._provider, item)
        if conflict is not None and not conflict.itself:
            needs, allows = conflict.needs, conflict.allows
            conflicts = self._conflicts["needs", needs[0]] if needs else self._conflicts["allows", allows[0]]
            if all((other.needs, other.allows) != (needs, allows) for other in conflicts):
                conflicts.append(conflict)
        return conflict

    def _installs(self, item: int) -> bool:
        """Whether the solver finds a solution with a class."""
        if self._is_proved[item] and not self._is_unchecked[item]:
            return True
        if self._solver is None or self._solves > _SOLVES_PER_ENCODING:
            if self._solver is not None:
                self._solver.close()
            self._solver, self._solves = Encoding(self._provider, self.table.always), 0
        self._solves += 1
        answer = self._solver.solve(Assumptions(items=(item,)))
        if isinstance(answer, Assumptions):
            return False
        self._models.insert(0, self._greedy.partial_solution(answer))
        del self._models[_MODELS:]
        for proved in answer:
            self._is_proved[proved] = 1
        return True

    def _direct_conflict(self, item: int) -> ClassConflict | None:
        """Find two dependencies of which one excludes what all classes that meet the other depend on.

        Most conflicts are of this kind, and take no solver. Each of the two can be met by itself, so they are
        a minimal reason.
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
            classes = remaining_classes(self.table, self._start, clause)
            proved = any(self._is_proved[other] and not self._is_unchecked[other] for other in classes)
            met = self._met[clause] = proved or any(map(self._installs, classes))
        return met

    def _known(self, item: int) -> ClassConflict | None:
        needs, allows = self.table.depends[item], self.table.constrains[item]
        for key in (*(("needs", clause) for clause in needs), *(("allows", clause) for clause in allows)):
            for conflict in self._conflicts.get(key, ()):
                is_here = set(conflict.needs).issubset(needs) and set(conflict.allows).issubset(allows)
                if is_here and not any(self._is_in_a_cycle(item, clause) for clause in conflict.needs):
                    return ClassConflict(item=item, needs=conflict.needs, allows=conflict.allows)
        return None

    def _is_in_a_cycle(self, item: int, clause: int) -> bool:
        """Whether what meets a dependency may depend on the class: without its own, it may then be met."""
        component, table = self.table.component, self.table
        return component[table.clause_name[clause]] == component[table.name_of[item]]


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
    """Provides the remaining classes to the encoding."""

    def __init__(self, table: ClassTable, remaining: list[int], hollow: int = -1) -> None:
        self.table = table
        self._remaining = remaining
        self._hollow = hollow
        self._candidates: dict[int, list[int]] = {}

    def with_hollow(self, item: int) -> "ClassProvider":
        """Return the same provider, in which ``item`` has neither dependencies nor constrains."""
        provider = ClassProvider(self.table, self._remaining, item)
        provider._candidates = self._candidates
        return provider

    def candidates(self, clause: int) -> Sequence[int]:
        known = self._candidates.get(clause)
        if known is None:
            known = self._candidates[clause] = remaining_classes(self.table, self._remaining, clause)
        return known

    def group_of_clause(self, clause: int) -> int:
        return self.table.clause_name[clause]

    def group_of(self, item: int) -> int:
        return self.table.name_of[item]

    def depends(self, item: int) -> Iterable[int]:
        return () if item == self._hollow else self.table.depends[item]

    def constrains(self, item: int) -> Iterable[int]:
        return () if item == self._hollow else self.table.constrains[item]
