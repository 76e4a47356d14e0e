"""A problem that is solved again and again: without some soft constraints, or with other ones."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cuvee.conda.package_record import Record
from cuvee.conda.virtual_packages import virtual_packages
from cuvee.graph.explain.channel_index import HIDDEN, NEWER, ChannelIndex, LazyPool
from cuvee.graph.explain.model import SoftConstraint
from cuvee.graph.explain.soft_constraints import soft_constraints
from cuvee.graph.solving.solver import Solution, Solver, UnsatCore
from cuvee.lock.solve import Problem
from cuvee.manifest.model import PlatformEntry, Position
from cuvee.platforms import FLOOR_KEYS, get

_VERSION = re.compile(r"(?:==|!=|>=|<=|~=|=|>|<)?\s*(\d[\w.!]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformChannels:
    """The records of all channels for one platform.

    Attributes
    ----------
    channels
        In the order of priority.
    names
        The names of all packages that they have, to suggest a similar one; may be empty.
    """

    platform: str
    channels: tuple[ChannelIndex, ...]
    names: tuple[str, ...] = ()


class PlatformInstance:
    """The solver of one platform, with all records that its channels have."""

    def __init__(self, problem: Problem, entry: PlatformEntry, found: PlatformChannels) -> None:
        floor = {f"__{key}" for key in FLOOR_KEYS[get(entry.name).system]}
        offered = virtual_packages(entry.name, entry.floor)
        movable = {item.name: (item.version, item.build) for item in offered if item.name in floor}
        gates = [Record(name=name, version="1", build="0") for name in (NEWER, HIDDEN)]
        specs = sorted(set().union(*(index.system_specs() for index in found.channels)))
        others = [item.record for item in offered if item.name not in floor]
        self.platform = entry.name
        self.names = found.names
        self.pool = LazyPool(
            found.channels, [*gates, *_floor_records(specs, floor, movable), *others], problem.exclude_newer
        )
        self._solver = Solver(self.pool)
        self._solvable: list[frozenset[tuple[str, bool]]] = []

    def unsat_core(self, members: Iterable[SoftConstraint]) -> tuple[SoftConstraint, ...] | None:
        """Return some of ``members`` that cannot hold at once here; `None` if all can."""
        here = self._here(members)
        key = frozenset((member.spec, member.needed) for member in here)
        if any(key <= known for known in self._solvable):
            return None
        needs = {member.spec: member for member in here if member.needed}
        allows = {member.spec: member for member in here if not member.needed}
        answer = self._solver.solve(tuple(needs), constraints=tuple(allows))
        if isinstance(answer, Solution):
            self._solvable = [key, *(known for known in self._solvable if not known <= key)]
            return None
        return tuple([needs[spec] for spec in answer.requirements] + [allows[s] for s in answer.constraints])

    def solution(self, members: Iterable[SoftConstraint]) -> list[Record]:
        """Return the records of a solution; none if there is no solution."""
        here = self._here(members)
        answer = self._solver.solve(
            [member.spec for member in here if member.needed],
            constraints=[member.spec for member in here if not member.needed],
        )
        return [] if isinstance(answer, UnsatCore) else [self.pool[number] for number in answer.records]

    def _here(self, members: Iterable[SoftConstraint]) -> list[SoftConstraint]:
        return [member for member in members if self.platform in member.platforms]


class RelaxableProblem:
    """All platforms of a problem, in the order in which they are solved.

    Attributes
    ----------
    given
        The problem as the manifest states it.
    members
        All its soft constraints.
    size
        How many records the channels have for it, on all platforms.
    """

    def __init__(
        self,
        problem: Problem,
        channels: Sequence[PlatformChannels],
        positions: Mapping[str, Position] | None = None,
    ) -> None:
        self.given = problem
        self._channels = channels
        self._positions = positions or {}
        entries = {entry.name: entry for entry in problem.platforms}
        self.instances = tuple(PlatformInstance(problem, entries[item.platform], item) for item in channels)
        self.members = soft_constraints(problem, self._positions)
        self.size = sum(len(index) for item in channels for index in item.channels)

    def unsat_core(
        self, members: Iterable[SoftConstraint]
    ) -> tuple[PlatformInstance, tuple[SoftConstraint, ...]] | None:
        """Return some of ``members`` that cannot hold at once, and where; `None` if all can everywhere."""
        kept = tuple(members)
        for instance in self.instances:
            core = instance.unsat_core(kept)
            if core is not None:
                return instance, core
        return None

    def with_first(self, channel: str) -> "RelaxableProblem":
        """Return the same problem with another channel in the first place."""
        index = self.given.channels.index(channel)
        reordered = tuple(
            replace(
                item, channels=(item.channels[index], *item.channels[:index], *item.channels[index + 1 :])
            )
            for item in self._channels
        )
        return RelaxableProblem(self.given, reordered, self._positions)

    def unsolvable_on(self, members: Sequence[SoftConstraint]) -> tuple[PlatformInstance, ...]:
        """Return the platforms on which ``members``, an MUS, cannot hold at once."""
        if len(self.instances) == 1:
            return self.instances
        return tuple(instance for instance in self.instances if instance.unsat_core(members) is not None)


def _floor_records(
    specs: Iterable[str], names: Collection[str], offered: Mapping[str, tuple[str, str]]
) -> list[Record]:
    """Return the virtual packages that a floor could offer: each version that a record depends on."""
    found = {(name, *value) for name, value in offered.items()}
    for text in specs:
        name, _, rest = text.partition(" ")
        if name not in names:
            continue
        if name == "__archspec":
            found |= {(name, "1", build) for build in rest.split()[1:2] if "*" not in build}
        else:
            found |= {(name, version, "0") for version in _VERSION.findall(rest)}
            found |= {(name, "1", "0")} if not rest and name not in offered else set()
    return [Record(name=name, version=version, build=build) for name, version, build in sorted(found)]
