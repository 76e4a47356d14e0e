"""Which classes of a part of a channel cannot be installed, each with a minimal reason.

There are three steps, from fast to slow: a partial solution that was found for the class's name is a witness;
a greedy search finds one; a complete search decides. A conflict that was found once is looked up from then
on. Each step answers exactly or not at all, so the whole is exact.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cuvee.graph.channel_check.class_solver import ClassSolver
from cuvee.graph.channel_check.class_table import ClassTable
from cuvee.graph.channel_check.partial_solutions import GreedySolver, PartialSolution
from cuvee.graph.channel_check.unit_propagation import UnitPropagation, remaining_classes, remains
from cuvee.graph.solving.encoding import Assumptions
from cuvee.graph.solving.solver import minimal_subset

_SOLUTIONS_PER_NAME = 12
_RECENT_SOLUTIONS = 8
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
        self._greedy = GreedySolver(table, self._propagation.remaining)
        # What is not to be checked counts as proved.
        size = len(table.name_of)
        self._is_unchecked = bytearray(size if to_check is None else (not byte for byte in to_check))
        self._is_proved = bytearray(self._is_unchecked)
        for item in table.always:
            self._is_proved[item] = 1
        self._conflicts: dict[tuple[str, int], list[ClassConflict]] = {}
        self._solver = ClassSolver(table, self._start)
        self._recent: deque[PartialSolution] = deque(maxlen=_RECENT_SOLUTIONS)
        # What the next name begins with: the names that choose early.
        self._urgent: list[int] = []

    def work(self, names: Iterable[int]) -> list[ClassConflict]:
        """Return the classes of ``names`` that cannot be installed, in the order of names and positions."""
        self._conflicts = defaultdict(list)
        found: list[ClassConflict] = []
        for name in names:
            solutions: list[PartialSolution] = []
            del self._urgent[:-_URGENT]
            for item in range(self.table.first[name], self.table.first[name + 1]):
                if not self._is_proved[item] and remains(self.table, self._start, item):
                    found += self._settle(item, solutions)
        return found

    def _settle(self, item: int, solutions: list[PartialSolution]) -> list[ClassConflict]:
        """Decide about a class; if that depends on classes that are not to be checked, about these too."""
        found = []
        waiting = [item]
        while waiting:
            conflict = self._decide(waiting.pop(), solutions)
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

    def _decide(self, item: int, solutions: list[PartialSolution]) -> ClassConflict | None:
        """Find a witness, look the conflict up, or solve; return `None` if the class can be installed."""
        if self._is_proved[item] or self._fits(item, solutions):
            return None
        conflict = self._known(item)
        if conflict is None:
            if remains(self.table, self._propagation.remaining, item) and self._solve(item, solutions):
                return None
            conflict = least_reason(self._solver, item)
        if not conflict.itself:
            needs, allows = conflict.needs, conflict.allows
            conflicts = self._conflicts["needs", needs[0]] if needs else self._conflicts["allows", allows[0]]
            if all((other.needs, other.allows) != (needs, allows) for other in conflicts):
                conflicts.append(conflict)
        return conflict

    def _fits(self, item: int, solutions: list[PartialSolution]) -> bool:
        """Whether a known solution is a witness for the class; it is then tried first for the next."""
        for solution in (*solutions, *self._recent):
            if self._greedy.fits(solution, item):
                if solution in solutions:
                    solutions.remove(solution)
                solutions.insert(0, solution)
                self._is_proved[item] = 1
                return True
        return False

    def _solve(self, item: int, solutions: list[PartialSolution]) -> bool:
        """Find a solution with the class greedily, or with the solver; all of its classes are then proved."""
        made = self._greedy.build(item, self._urgent)
        if made is None:
            answer = self._solver.solution(Assumptions(items=(item,)))
            if answer is None:
                return False
            made = self._greedy.partial_solution(answer)
        solutions.insert(0, made)
        self._recent.appendleft(made)
        del solutions[_SOLUTIONS_PER_NAME:]
        for name, position in made.chosen.items():
            self._is_proved[self.table.first[name] + position] = 1
        return True

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


def least_reason(solver: ClassSolver, item: int) -> ClassConflict:
    """Return a minimal part of the dependencies and constrains of a class that cannot hold at once.

    The class itself is assumed without them, *hollow*, because they are what is assumed one by one.
    """

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
        return parts if solver.solution(assumed(parts), item) is None else None

    parts: list[_Part] = [
        *(("needs", clause) for clause in solver.table.depends[item]),
        *(("allows", clause) for clause in solver.table.constrains[item]),
        ("items", item),
    ]
    core = [parts[index] for index in sorted(solver.core([assumed([part]) for part in parts], item))]
    # What comes first is most likely to be left out, and that should be the class itself.
    least = assumed(minimal_subset(core[::-1], unsat_core))
    return ClassConflict(item=item, needs=least.needs, allows=least.allows, itself=bool(least.items))
