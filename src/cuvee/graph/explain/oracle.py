"""The oracle of an explanation, which says whether soft constraints can hold at once.

What is cheap is tried first; each "yes" is a solution that was found. In a large release one part changes
at a time, so a new solution is near a known one: the search starts there. Then rattler solves, which is fast,
and last our own solver, the only one that says which soft constraints make a "no". With few records it is
the only one that is asked: it keeps what it has read and learned.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from cuvee.graph.explain.model import SoftConstraint
from cuvee.graph.explain.relaxable_problem import PlatformInstance, RelaxableProblem
from cuvee.graph.explain.soft_constraints import problem_with
from cuvee.graph.explain.witness import WitnessSearch
from cuvee.lock.model import Lock
from cuvee.lock.solve import Problem

FastSolver = Callable[[Problem], Lock | str]
"""Solves a problem: returns its lock, or the solver's text why there is none."""

_AT_ONCE = 3
_FEW_RECORDS = 30_000  # up to which our own solver answers before rattler would
_MANY_PINS = 48  # of more, only those that rattler named are tried together

_Core = tuple[PlatformInstance, tuple[SoftConstraint, ...]]


class Oracle:
    """The oracle of one problem.

    Parameters
    ----------
    solver_text
        What rattler said when it refused the problem as the manifest states it.
    """

    def __init__(
        self, problem: RelaxableProblem, fast_solver: FastSolver | None = None, solver_text: str = ""
    ) -> None:
        self.problem = problem
        self._fast_solver = fast_solver if problem.size > _FEW_RECORDS else None
        self._named = _names(solver_text)
        self._answers: dict[frozenset[SoftConstraint], bool] = {}
        self._met: set[tuple[str, str]] = set()
        self._known: dict[frozenset[SoftConstraint], bool] = {}
        self._witnesses = WitnessSearch(problem.instances)

    def unsat_core(
        self, members: Iterable[SoftConstraint], likely: Iterable[Sequence[SoftConstraint]] = ()
    ) -> _Core | None:
        """Return some of ``members`` that cannot hold at once, and where; `None` if all can everywhere.

        The ``likely`` next sets of members are solved at the same time, if rattler is needed at all.
        """
        tried = tuple(members)
        key = frozenset(tried)
        if self._known.get(key) or (key not in self._known and self._witnesses.finds(tried)):
            self._known[key] = True
            return None
        found = self._small_core(tried)
        if found is None and key not in self._known and self._is_solved(tried, likely):
            self._known[key] = True
            return None
        # Rattler's text, if it was needed, names what the small core is looked for in.
        found = found or self._small_core(tried) or self.problem.unsat_core(tried)
        self._known[key] = found is None
        self._named |= {member.name for member in found[1]} if found is not None else set()
        return found

    def solvable(self, members: Iterable[SoftConstraint]) -> bool:
        """Whether all of ``members`` can hold at once, everywhere; a "no" may be only rattler's."""
        tried = tuple(members)
        key = frozenset(tried)
        if key not in self._known:
            answer: bool | None = True if self._witnesses.finds(tried) else None
            if answer is None and self._fast_solver is not None:
                answer = False if self._small_core(tried) is not None else self._is_solved(tried)
            self._known[key] = self.problem.unsat_core(tried) is None if answer is None else answer
        return self._known[key]

    def solvable_nearby(self, members: Iterable[SoftConstraint]) -> bool:
        """Whether there is a solution near a known one; a "no" says little, unless none is known."""
        tried = tuple(members)
        return self._witnesses.finds(tried) if self._witnesses else self.solvable(tried)

    def _small_core(self, members: tuple[SoftConstraint, ...]) -> _Core | None:
        """Look for a core among the members that narrow something down, or that rattler has named."""
        for instance in self.problem.instances:
            for member in members:
                is_here = member.needed and instance.platform in member.platforms
                if is_here and (instance.platform, member.spec) not in self._met:
                    if not instance.pool.is_met(member.spec):
                        return instance, (member,)
                    self._met.add((instance.platform, member.spec))
        pins = [member for member in members if not member.is_any]
        if len(pins) > _MANY_PINS:
            pins = [m for m in pins if not m.kind.is_line or m.name in self._named]
        named = [member for member in members if member in pins or member.name in self._named]
        return self.problem.unsat_core(pins) or (
            self.problem.unsat_core(named) if len(named) > len(pins) else None
        )

    def _is_solved(
        self, members: tuple[SoftConstraint, ...], likely: Iterable[Sequence[SoftConstraint]] = ()
    ) -> bool | None:
        """Whether rattler finds a solution, then a witness; `None` if no manifest states the problem."""
        key = frozenset(members)
        if key not in self._answers:
            self._solve([members, *likely])
        return self._answers.get(key)

    def _solve(self, sets: Iterable[Sequence[SoftConstraint]]) -> None:
        """Let rattler solve all platforms of a problem at once, and several problems if they have few."""
        if self._fast_solver is None:
            return
        problems: dict[frozenset[SoftConstraint], Problem] = {}
        for members in islice(sets, max(1, _AT_ONCE // len(self.problem.instances))):
            problem = problem_with(self.problem.given, members)
            if problem is not None and frozenset(members) not in self._answers:
                problems[frozenset(members)] = problem
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            answers = list(threads.map(self._fast_solver, problems.values()))
        for key, answer in zip(problems, answers, strict=True):
            self._answers[key] = not isinstance(answer, str)
            if isinstance(answer, str):
                self._named |= _names(answer)
            else:
                self._known[key] = True
                self._witnesses.add(answer)


def _names(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9_][a-z0-9._-]*", text.lower()))
