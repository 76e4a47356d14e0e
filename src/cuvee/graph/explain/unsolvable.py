"""Explaining a problem that has no solution: the cores, what they rest on, and what would mend them."""

from collections.abc import Collection, Mapping, Sequence

from cuvee.graph.explain.conflict_tree import describe
from cuvee.graph.explain.manifest_edits import VerifiedSuggestion, mend, ranked
from cuvee.graph.explain.model import Conflict, ConflictExplanation, Mus, SoftConstraint
from cuvee.graph.explain.mus_enumeration import MusComponent, MusEnumerator
from cuvee.graph.explain.oracle import FastSolver, Oracle
from cuvee.graph.explain.relaxable_problem import PlatformChannels, RelaxableProblem
from cuvee.graph.solving.garbage_collection import gc_paused
from cuvee.lock.solve import Problem
from cuvee.manifest.model import Position


@gc_paused()
def explain(
    problem: Problem,
    query_channels: Sequence[PlatformChannels],
    positions: Mapping[str, Position] | None = None,
    *,
    fast_solver: FastSolver | None = None,
    words: str = "",
    fixed: Collection[str] = (),
) -> ConflictExplanation | None:
    """Say why a problem has no solution, and what would mend it; `None` if it has one.

    Parameters
    ----------
    query_channels
        What the channels carry for each of its platforms. Nothing else is looked at.
    positions
        Where the manifest states each of its values, by dotted path.
    fast_solver
        A fast solver for what is nearly the problem; what it solves is taken to be solvable.
    words
        What the solver said when it refused the problem; the names in it are looked at first.
    fixed
        Names that suggestions leave as they are where they can.
    """
    universe = RelaxableProblem(problem, query_channels, positions)
    oracle = Oracle(universe, fast_solver, words)
    found = MusEnumerator(oracle, fixed).run()
    if not found.groups:
        return None
    mended = _mended(oracle, found.groups)
    clashes = [
        Conflict(
            cores=tuple(_core(universe, core) for core in group.cores),
            suggestions=tuple(item.suggestion for item in items),
        )
        for group, items in zip(found.groups, mended, strict=True)
    ]
    clashes.sort(key=_first_line)
    platforms = dict.fromkeys(name for clash in clashes for core in clash.cores for name in core.platforms)
    return ConflictExplanation(platforms=tuple(platforms), clashes=tuple(clashes), complete=found.complete)


def _mended(oracle: Oracle, groups: Sequence[MusComponent]) -> list[list[VerifiedSuggestion]]:
    """Give each group's suggestions: each holds with the first one of every other group."""
    found: list[list[VerifiedSuggestion]] = []
    for number, group in enumerate(groups):
        later = frozenset[SoftConstraint]().union(*(_first(other) for other in groups[number + 1 :]))
        chosen = [member for items in found for item in items[:1] for member in item.members]
        earlier = frozenset[SoftConstraint]().union(*(_changed(items) for items in found))
        kept = [
            [
                *(m for m in oracle.universe.members if m not in correction | later | earlier),
                *chosen,
            ]
            for correction in group.corrections
        ]
        pairs = zip(kept, group.corrections, strict=True)
        items = (mend(oracle, members, correction) for members, correction in pairs)
        found.append(ranked(item for item in items if item is not None))
    if len(groups) == 1:
        return found
    return [
        [item for item in items if item is items[0] or _holds(oracle, found, number, item)]
        for number, items in enumerate(found)
    ]


def _holds(
    oracle: Oracle, found: Sequence[Sequence[VerifiedSuggestion]], number: int, item: VerifiedSuggestion
) -> bool:
    """Whether a suggestion holds with the first one of every other group."""
    chosen = [item, *(items[0] for other, items in enumerate(found) if other != number and items)]
    changed = frozenset[SoftConstraint]().union(*(_changed([one]) for one in chosen))
    asked = [member for member in oracle.universe.members if member not in changed]
    return oracle.solvable([*asked, *(member for one in chosen for member in one.members)])


def _changed(items: Sequence[VerifiedSuggestion]) -> frozenset[SoftConstraint]:
    """Give what the first of some suggestions changes or drops."""
    return frozenset(edit.member for item in items[:1] for edit in item.suggestion.edits)


def _first_line(clash: Conflict) -> tuple[str, int]:
    positions = [member.position for core in clash.cores for member in core.members if member.position]
    return min(((str(position.file), position.line) for position in positions), default=("", 0))


def _first(group: MusComponent) -> frozenset[SoftConstraint]:
    return group.corrections[0] if group.corrections else frozenset[SoftConstraint]().union(*group.cores)


def _core(universe: RelaxableProblem, members: frozenset[SoftConstraint]) -> Mus:
    places = {member: place for place, member in enumerate(universe.members)}
    ordered = sorted(members, key=places.__getitem__, reverse=True)
    where = universe.where(ordered)
    return describe(where[0], ordered, tuple(instance.platform for instance in where))
