"""Worlds: sets of records that fit together, made greedily, and shared by all whom they prove installable."""

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from itertools import repeat

from cuvee.graph.channel_check.class_table import ClassTable, positions
from cuvee.graph.channel_check.unit_propagation import classes_alive

_ATTEMPTS = 6
_MOST_LOOKED_AT = 400
_FAR = 1 << 40  # further than any rank


class PartialSolution:
    """A closed set of classes that fit together.

    Attributes
    ----------
    chosen
        By name number, the position of its class.
    domain
        By name number, the positions that all of the chosen allow; names without an entry are free.
    """

    __slots__ = ("chosen", "domain")

    def __init__(self, chosen: dict[int, int], domain: dict[int, int]) -> None:
        self.chosen = chosen
        self.domain = domain


class GreedySolver:
    """Makes worlds out of what is alive.

    Attributes
    ----------
    alive
        By name number, the positions that may be installable: who builds may clear bits.
    """

    def __init__(self, table: ClassTable, alive: list[int]) -> None:
        self.table = table
        self.alive = alive
        self._base = PartialSolution({}, {})
        self._is_farsighted = False
        self._model: dict[int, int] = {}
        self._implied: dict[int, list[tuple[int, int]]] = {}
        for item in table.always:
            name = table.name_of[item]
            self._base.chosen[name] = item - table.first[name]

    def fits(self, world: PartialSolution, item: int) -> bool:
        """Whether the world proves ``item`` installable: with it in the place of whatever has its name."""
        table, chosen = self.table, world.chosen
        name = table.name_of[item]
        position = item - table.first[name]
        if not world.domain.get(name, -1) >> position & 1:
            return False
        clause_name, clause_mask = table.clause_name, table.clause_mask
        for clause in table.depends[item]:
            other = clause_name[clause]
            there = position if other == name else chosen.get(other)
            if there is None or not clause_mask[clause] >> there & 1:
                return False
        for clause in table.constrains[item]:
            other = clause_name[clause]
            there = position if other == name else chosen.get(other)
            if there is not None and not clause_mask[clause] >> there & 1:
                return False
        return True

    def world_of(self, items: Iterable[int]) -> PartialSolution:
        """Give the world of what a solver found: a closed set of classes that fit together."""
        table, alive = self.table, self.alive
        world = PartialSolution({}, {})
        for item in items:
            world.chosen[table.name_of[item]] = item - table.first[table.name_of[item]]
            for clause in (*table.depends[item], *table.constrains[item]):
                name = table.clause_name[clause]
                world.domain[name] = world.domain.get(name, alive[name]) & table.clause_mask[clause]
        return world

    def build(
        self, item: int, urgent: list[int], models: Sequence[PartialSolution] = ()
    ) -> PartialSolution | None:
        """Give a world with ``item`` in it, the best of everything first; `None` if that gets stuck.

        Dependents choose before what they depend on, so that all wishes are known when something that many
        want is chosen. That fails where the best of a dependent wants what others rule out. The name at which
        it got stuck then chooses earlier: it joins ``urgent``, which the caller keeps for what comes next.
        Where the best of everything got stuck, what a solver found for a neighbour, one of ``models``, often
        does not: its choices come first then.
        """
        for attempt, model in enumerate((None, *models, *repeat(None, _ATTEMPTS - 1))):
            # Looking further ahead costs more than it saves, until the first try got stuck.
            self._is_farsighted = model is None and attempt > 0
            self._model = {} if model is None else model.chosen
            made = self._attempt(item, {name: -place for place, name in enumerate(urgent)})
            if isinstance(made, PartialSolution):
                return made
            if model is None:
                if made in urgent:
                    urgent.remove(made)
                urgent.append(made)
        return None

    def _attempt(self, item: int, urgent: dict[int, int]) -> PartialSolution | int:
        """Give a world, or the name at which it got stuck."""
        table = self.table
        name = table.name_of[item]
        world = PartialSolution(dict(self._base.chosen), {})
        if name in world.chosen:
            return name
        waiting: list[tuple[int, int]] = []
        clash = self._place(world, item, urgent, waiting)
        while clash is None and waiting:
            _, other = heappop(waiting)
            if other not in world.chosen:
                clash = self._choose(world, other, urgent, waiting)
        return world if clash is None else clash

    def _choose(
        self, world: PartialSolution, name: int, urgent: dict[int, int], waiting: list[tuple[int, int]]
    ) -> int | None:
        """Install the best of a name that clashes with nothing so far; give the name at which it is stuck."""
        first = self.table.first[name]
        domain = world.domain[name]
        preferred = self._model.get(name)
        if preferred is not None and domain >> preferred & 1 and self._is_possible(world, first + preferred):
            return self._place(world, first + preferred, urgent, waiting)
        for position in positions(domain):
            if self._is_possible(world, first + position):
                return self._place(world, first + position, urgent, waiting)
        return name

    def _is_possible(self, world: PartialSolution, item: int) -> bool:
        """Look one step ahead: whether what the item wants is still to be had."""
        table, chosen, domain, alive = self.table, world.chosen, world.domain, self.alive
        clause_name, clause_mask = table.clause_name, table.clause_mask
        for clause in table.depends[item]:
            other = clause_name[clause]
            there = chosen.get(other)
            if there is None:
                if not domain.get(other, alive[other]) & clause_mask[clause]:
                    return False
            elif not clause_mask[clause] >> there & 1:
                return False
            if self._is_farsighted and not self._is_open(world, clause):
                return False
        for clause in table.constrains[item]:
            there = chosen.get(clause_name[clause])
            if there is not None and not clause_mask[clause] >> there & 1:
                return False
        return True

    def _is_open(self, world: PartialSolution, clause: int) -> bool:
        """Whether what all who meet the clause want is still to be had."""
        for name, mask in self.implied_by(clause):
            there = world.chosen.get(name)
            left = world.domain.get(name, self.alive[name]) if there is None else 1 << there
            if not left & mask:
                return False
        return True

    def implied_by(self, clause: int) -> list[tuple[int, int]]:
        """Give the names that all who meet the clause depend on, each with the positions that one accepts."""
        known = self._implied.get(clause)
        if known is None:
            table = self.table
            classes = classes_alive(table, self.alive, clause)
            common: dict[int, int] = {}
            for index, item in enumerate(classes[:_MOST_LOOKED_AT]):
                wanted: dict[int, int] = {}
                for need in table.depends[item]:
                    name = table.clause_name[need]
                    if index == 0 or name in common:
                        wanted[name] = wanted.get(name, -1) & table.clause_mask[need]
                common = {name: common.get(name, 0) | mask for name, mask in wanted.items()}
            known = [] if len(classes) > _MOST_LOOKED_AT else list(common.items())
            self._implied[clause] = known
        return known

    def _place(
        self, world: PartialSolution, item: int, urgent: dict[int, int], waiting: list[tuple[int, int]]
    ) -> int | None:
        """Install a class, and note what it wants and forbids; give the name at which it clashes."""
        table, chosen, domain, alive = self.table, world.chosen, world.domain, self.alive
        name = table.name_of[item]
        chosen[name] = item - table.first[name]
        for clause in table.constrains[item]:
            other = table.clause_name[clause]
            left = domain.get(other, alive[other]) & table.clause_mask[clause]
            there = chosen.get(other)
            if there is not None and not table.clause_mask[clause] >> there & 1:
                return other
            domain[other] = left
        for clause in table.depends[item]:
            other = table.clause_name[clause]
            left = domain.get(other, alive[other]) & table.clause_mask[clause]
            there = chosen.get(other)
            if there is None:
                if not left:
                    return other
                place = urgent.get(other)
                heappush(waiting, (-table.rank[other] if place is None else place - _FAR, other))
            elif not table.clause_mask[clause] >> there & 1:
                return other
            domain[other] = left
            if self._is_farsighted:
                for name, mask in self.implied_by(clause):
                    domain[name] = domain.get(name, alive[name]) & mask
        return None
