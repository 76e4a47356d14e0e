"""Explaining a problem that has no solution: the cores, what they rest on, and what would mend them."""

from collections.abc import Mapping, Sequence

from cuvee.graph.explain.asking import Asker, Oracle
from cuvee.graph.explain.clash import describe
from cuvee.graph.explain.cores import Group, Search
from cuvee.graph.explain.model import Clash, Core, Explanation, Member
from cuvee.graph.explain.suggest import ranked, suggestion
from cuvee.graph.explain.universe import Carried, Universe
from cuvee.lock.solve import Problem
from cuvee.manifest.model import Position


def explain(
    problem: Problem,
    carried: Sequence[Carried],
    positions: Mapping[str, Position] | None = None,
    *,
    oracle: Oracle | None = None,
    words: str = "",
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
    """
    universe = Universe(problem, carried, positions)
    asker = Asker(universe, oracle, words)
    found = Search(asker).run()
    if not found.groups:
        return None
    clashes = [_clash(asker, group, found.groups) for group in found.groups]
    clashes.sort(key=_first_line)
    platforms = dict.fromkeys(name for clash in clashes for core in clash.cores for name in core.platforms)
    return Explanation(platforms=tuple(platforms), clashes=tuple(clashes), complete=found.complete)


def _clash(asker: Asker, group: Group, groups: Sequence[Group]) -> Clash:
    universe = asker.universe
    elsewhere = {member for other in groups if other is not group for member in _first(other)}
    suggestions = []
    for correction in group.corrections:
        kept = [item for item in universe.members if item not in correction and item not in elsewhere]
        found = suggestion(asker, kept, correction)
        if found is not None:
            suggestions.append(found)
    cores = tuple(_core(universe, core) for core in group.cores)
    return Clash(cores=cores, suggestions=ranked(suggestions))


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
