"""Explaining a problem that has no solution: the cores, what they rest on, and what would mend them."""

from collections.abc import Collection, Mapping, Sequence

from cuvee.graph.explain.asking import Asker, Oracle
from cuvee.graph.explain.clash import describe
from cuvee.graph.explain.collecting import no_garbage
from cuvee.graph.explain.cores import Group, Search
from cuvee.graph.explain.model import Clash, Core, Explanation, Member
from cuvee.graph.explain.suggest import Mended, mend, ranked
from cuvee.graph.explain.universe import Carried, Universe
from cuvee.lock.solve import Problem
from cuvee.manifest.model import Position


@no_garbage()
def explain(
    problem: Problem,
    carried: Sequence[Carried],
    positions: Mapping[str, Position] | None = None,
    *,
    oracle: Oracle | None = None,
    words: str = "",
    fixed: Collection[str] = (),
) -> Explanation | None:
    """Say why a problem has no solution, and what would mend it; `None` if it has one.

    Parameters
    ----------
    carried
        What the channels carry for each of its platforms. Nothing else is looked at.
    positions
        Where the manifest states each of its values, by dotted path.
    oracle
        A fast solver for what is nearly the problem; what it solves is taken to be solvable.
    words
        What the solver said when it refused the problem; the names in it are looked at first.
    fixed
        Names that suggestions leave as they are where they can.
    """
    universe = Universe(problem, carried, positions)
    asker = Asker(universe, oracle, words)
    found = Search(asker, fixed).run()
    if not found.groups:
        return None
    mended = _mended(asker, found.groups)
    clashes = [
        Clash(
            cores=tuple(_core(universe, core) for core in group.cores),
            suggestions=tuple(item.suggestion for item in items),
        )
        for group, items in zip(found.groups, mended, strict=True)
    ]
    clashes.sort(key=_first_line)
    platforms = dict.fromkeys(name for clash in clashes for core in clash.cores for name in core.platforms)
    return Explanation(platforms=tuple(platforms), clashes=tuple(clashes), complete=found.complete)


def _mended(asker: Asker, groups: Sequence[Group]) -> list[list[Mended]]:
    """Give each group's suggestions: each holds with the first one of every other group."""
    found: list[list[Mended]] = []
    for number, group in enumerate(groups):
        later = frozenset[Member]().union(*(_first(other) for other in groups[number + 1 :]))
        chosen = [member for items in found for item in items[:1] for member in item.members]
        earlier = frozenset[Member]().union(*(_changed(items) for items in found))
        kept = [
            [
                *(m for m in asker.universe.members if m not in correction | later | earlier),
                *chosen,
            ]
            for correction in group.corrections
        ]
        pairs = zip(kept, group.corrections, strict=True)
        items = (mend(asker, members, correction) for members, correction in pairs)
        found.append(ranked(item for item in items if item is not None))
    if len(groups) == 1:
        return found
    return [
        [item for item in items if item is items[0] or _holds(asker, found, number, item)]
        for number, items in enumerate(found)
    ]


def _holds(asker: Asker, found: Sequence[Sequence[Mended]], number: int, item: Mended) -> bool:
    """Whether a suggestion holds with the first one of every other group."""
    chosen = [item, *(items[0] for other, items in enumerate(found) if other != number and items)]
    changed = frozenset[Member]().union(*(_changed([one]) for one in chosen))
    asked = [member for member in asker.universe.members if member not in changed]
    return asker.solvable([*asked, *(member for one in chosen for member in one.members)])


def _changed(items: Sequence[Mended]) -> frozenset[Member]:
    """Give what the first of some suggestions changes or drops."""
    return frozenset(edit.member for item in items[:1] for edit in item.suggestion.edits)


def _first_line(clash: Clash) -> tuple[str, int]:
    positions = [member.position for core in clash.cores for member in core.members if member.position]
    return min(((str(position.file), position.line) for position in positions), default=("", 0))


def _first(group: Group) -> frozenset[Member]:
    return group.corrections[0] if group.corrections else frozenset[Member]().union(*group.cores)


def _core(universe: Universe, members: frozenset[Member]) -> Core:
    places = {member: place for place, member in enumerate(universe.members)}
    ordered = sorted(members, key=places.__getitem__, reverse=True)
    where = universe.where(ordered)
    return describe(where[0], ordered, tuple(instance.platform for instance in where))
