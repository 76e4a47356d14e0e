"""Explain why a problem has no solution: its MUSes, the dependencies behind them, and verified edits."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from cuvee.conda.garbage_collection import gc_paused
from cuvee.graph.explain.conflict_tree import describe
from cuvee.graph.explain.manifest_edits import alternatives, edits_for, ranked
from cuvee.graph.explain.model import Conflict, ConflictExplanation, SoftConstraint, Suggestion
from cuvee.graph.explain.mus_enumeration import MusComponent, MusEnumerator
from cuvee.graph.explain.oracle import FastSolver, Oracle
from cuvee.graph.explain.relaxable_problem import PlatformChannels, RelaxableProblem
from cuvee.lock.solve import Problem
from cuvee.manifest.model import Position


@gc_paused()
def explain(
    problem: Problem,
    channels: Sequence[PlatformChannels],
    positions: Mapping[str, Position] | None = None,
    *,
    fast_solver: FastSolver | None = None,
    solver_text: str = "",
    fixed: Collection[str] = (),
    imports: bool = False,
) -> ConflictExplanation | None:
    """Return why a problem has no solution, and edits that give it one; `None` if it has one.

    Parameters
    ----------
    channels
        What the channels have for each of its platforms; nothing else is read.
    positions
        Where the manifest states each of its values, by dotted path.
    fast_solver
        A solver of whole problems; what it solves is taken to be solvable.
    solver_text
        What it said when it refused the problem; conflicts are looked for among the names in it first.
    fixed
        Names that suggestions leave as they are where they can.
    imports
        Whether the manifest imports wheels, so that a package that no channel has may be one.
    """
    relaxable = RelaxableProblem(problem, channels, positions)
    oracle = Oracle(relaxable, fast_solver, solver_text)
    components, is_complete = MusEnumerator(oracle, fixed).run()
    if not components:
        return None
    suggested = _suggested(oracle, components, imports=imports)
    conflicts = [
        Conflict(
            subsets=tuple(describe(relaxable, mus) for mus in component.muses),
            suggestions=tuple(items),
        )
        for component, items in zip(components, suggested, strict=True)
    ]
    conflicts.sort(key=_first_line)
    platforms = dict.fromkeys(name for item in conflicts for mus in item.subsets for name in mus.platforms)
    return ConflictExplanation(platforms=tuple(platforms), conflicts=tuple(conflicts), complete=is_complete)


def _suggested(
    oracle: Oracle, components: Sequence[MusComponent], *, imports: bool
) -> list[list[Suggestion]]:
    """Return each component's suggestions: each holds with the first one of every other component."""
    found: list[list[Suggestion]] = []
    for number, component in enumerate(components):
        later = _union((*other.corrections, _union(other.muses))[0] for other in components[number + 1 :])
        best = [item for items in found for item in items[:1]]
        chosen = [member for item in best for member in item.members]
        earlier = {edit.member for item in best for edit in item.edits}
        edited: list[Suggestion] = []
        for correction in component.corrections:
            changed = correction | later | earlier
            kept = [*(member for member in oracle.problem.members if member not in changed), *chosen]
            suggestion = edits_for(oracle, kept, correction)
            if suggestion is not None:
                edited += [suggestion, *alternatives(oracle, kept, suggestion, imports=imports)]
        found.append(ranked(edited))
    if len(components) == 1:
        return found
    return [
        [item for item in items if item is items[0] or _holds(oracle, found, number, item)]
        for number, items in enumerate(found)
    ]


def _holds(oracle: Oracle, found: Sequence[Sequence[Suggestion]], number: int, item: Suggestion) -> bool:
    """Whether a suggestion holds with the first one of every other component."""
    chosen = [item, *(items[0] for other, items in enumerate(found) if other != number and items)]
    changed = {edit.member for one in chosen for edit in one.edits}
    unchanged = [member for member in oracle.problem.members if member not in changed]
    return oracle.solvable([*unchanged, *(member for one in chosen for member in one.members)])


def _first_line(conflict: Conflict) -> tuple[str, int]:
    positions = [member.position for mus in conflict.subsets for member in mus.members if member.position]
    return min(((str(position.file), position.line) for position in positions), default=("", 0))


def _union(sets: Iterable[frozenset[SoftConstraint]]) -> frozenset[SoftConstraint]:
    return frozenset[SoftConstraint]().union(*sets)
