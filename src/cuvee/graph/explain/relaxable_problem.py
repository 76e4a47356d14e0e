"""A problem that can be asked again and again: with a line less, with another range, on each platform."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cuvee.conda.record import Record
from cuvee.conda.virtual_packages import virtual_packages
from cuvee.graph.explain.channel_index import HIDDEN, NEWER, ChannelIndex, LazyPool
from cuvee.graph.explain.model import ConstraintKind, SoftConstraint
from cuvee.graph.solving.solver import Solver, UnsatCore
from cuvee.lock.solve import Problem
from cuvee.manifest.model import PlatformEntry, Position, Requirement
from cuvee.platforms import FLOOR_KEYS, get

_VERSION = re.compile(r"(?:==|!=|>=|<=|~=|=|>|<)?\s*(\d[\w.!]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformChannels:
    """What the channels carry for one platform.

    Attributes
    ----------
    channels
        In the order of priority.
    names
        The names of all packages that they have, for finding a near one; may be empty.
    """

    platform: str
    channels: tuple[ChannelIndex, ...]
    names: tuple[str, ...] = ()


class PlatformInstance:
    """One platform's records and solver."""

    def __init__(self, problem: Problem, entry: PlatformEntry, query_channels: PlatformChannels) -> None:
        floor = {f"__{key}" for key in FLOOR_KEYS[get(entry.name).system]}
        offered = virtual_packages(entry.name, entry.floor)
        movable = {item.name: (item.version, item.build) for item in offered if item.name in floor}
        gates = [Record(name=name, version="1", build="0") for name in (NEWER, HIDDEN)]
        specs = sorted(set().union(*(index.system_specs() for index in query_channels.channels)))
        others = [item.record for item in offered if item.name not in floor]
        given = [*gates, *_floors(specs, floor, movable), *others]
        self.platform = entry.name
        self.names = query_channels.names
        self.pool = LazyPool(query_channels.channels, given, problem.exclude_newer)
        self._solver = Solver(self.pool)

    def conflict(self, members: Iterable[SoftConstraint]) -> tuple[SoftConstraint, ...] | None:
        """Give some of ``members`` that can not hold at once here; `None` if all can."""
        here = [member for member in members if self.platform in member.platforms]
        needs = {member.spec: member for member in here if member.needed}
        allows = {member.spec: member for member in here if not member.needed}
        answer = self._solver.solve(tuple(needs), constraints=tuple(allows))
        if not isinstance(answer, UnsatCore):
            return None
        return tuple([needs[spec] for spec in answer.core] + [allows[spec] for spec in answer.constraints])

    def chosen(self, members: Iterable[SoftConstraint]) -> dict[str, Record]:
        """Give a solution by name; empty if there is none."""
        here = [member for member in members if self.platform in member.platforms]
        answer = self._solver.solve(
            [member.spec for member in here if member.needed],
            constraints=[member.spec for member in here if not member.needed],
        )
        if isinstance(answer, UnsatCore):
            return {}
        return {self.pool[number].name: self.pool[number] for number in answer.records}


class RelaxableProblem:
    """All platforms of a problem; those that have no solution are asked first."""

    def __init__(
        self,
        problem: Problem,
        query_channels: Sequence[PlatformChannels],
        positions: Mapping[str, Position] | None = None,
    ) -> None:
        self.given = problem
        self._carried = query_channels
        self._positions = positions or {}
        entries = {entry.name: entry for entry in problem.platforms}
        self.instances = tuple(
            PlatformInstance(problem, entries[item.platform], item) for item in query_channels
        )
        self.members = members_of(problem, self._positions)

    def conflict(
        self, members: Iterable[SoftConstraint]
    ) -> tuple[PlatformInstance, tuple[SoftConstraint, ...]] | None:
        """Give some of ``members`` that can not hold at once, and where; `None` if all can everywhere."""
        asked = tuple(members)
        for instance in self.instances:
            mus = instance.conflict(asked)
            if mus is not None:
                return instance, mus
        return None

    def with_first(self, channel: str) -> "RelaxableProblem":
        """Give the same with another channel in the first place."""
        place = self.given.channels.index(channel)
        moved = tuple(
            replace(
                item, channels=(item.channels[place], *item.channels[:place], *item.channels[place + 1 :])
            )
            for item in self._carried
        )
        return RelaxableProblem(self.given, moved, self._positions)

    def unsolvable_on(self, members: Iterable[SoftConstraint]) -> tuple[PlatformInstance, ...]:
        """Give the platforms on which ``members`` can not hold at once."""
        asked = tuple(members)
        return tuple(instance for instance in self.instances if instance.conflict(asked) is not None)


def members_of(problem: Problem, positions: Mapping[str, Position]) -> tuple[SoftConstraint, ...]:
    """Give all that a problem asks for: first what is best left out of a mus, if it holds without."""
    names = tuple(entry.name for entry in problem.platforms)
    found = []
    if len(problem.sources) > 1:
        found.append(
            SoftConstraint(
                kind=ConstraintKind.ORDER,
                name="channels",
                spec=f"{HIDDEN} <0",
                needed=False,
                text="the order of the channels",
                platforms=names,
                position=positions.get("channels.0", positions.get("channels")),
            )
        )
    if problem.exclude_newer is not None:
        found.append(
            SoftConstraint(
                kind=ConstraintKind.DATE,
                name="exclude-newer",
                spec=f"{NEWER} <0",
                needed=False,
                text=f"exclude-newer {problem.exclude_newer:%Y-%m-%d %H:%M}",
                platforms=names,
                position=positions.get("exclude-newer"),
            )
        )
    for entry in problem.platforms:
        found += _floor_members(entry, positions)
    found += [_member(item, ConstraintKind.CONSTRAINT, names) for item in problem.constraints]
    found += sorted(
        (_member(item, ConstraintKind.REQUIREMENT, item.platforms) for item in problem.requirements),
        key=lambda member: not member.is_any,
    )
    return tuple(found)


def _member(item: Requirement, kind: ConstraintKind, platforms: tuple[str, ...]) -> SoftConstraint:
    label = "" if kind is ConstraintKind.REQUIREMENT else "constraint "
    return SoftConstraint(
        kind=kind,
        name=item.name,
        spec=item.spec,
        needed=kind is ConstraintKind.REQUIREMENT,
        text=label + item.spec.removesuffix(" *"),
        platforms=platforms,
        position=item.position,
    )


def _floor_members(entry: PlatformEntry, positions: Mapping[str, Position]) -> list[SoftConstraint]:
    """Give the floors that a manifest may move on one platform, those too that it does not state."""
    offered = {item.name: item for item in virtual_packages(entry.name, entry.floor)}
    place = f"platforms.{entry.name}"
    found = []
    for key in FLOOR_KEYS[get(entry.name).system]:
        item = offered.get(f"__{key}")
        offer = (
            f"no __{key}" if item is None else f"__{key} {item.build if key == 'archspec' else item.version}"
        )
        found.append(
            SoftConstraint(
                kind=ConstraintKind.FLOOR,
                name=key,
                spec=f"__{key} <0" if item is None else f"__{key} =={item.version} {item.build}",
                needed=item is not None,
                text=f"the floor of {entry.name}, which offers {offer}",
                platforms=(entry.name,),
                position=positions.get(f"{place}.floor.{key}", positions.get(place)),
            )
        )
    return found


def _floors(
    specs: Iterable[str], names: Iterable[str], offered: Mapping[str, tuple[str, str]]
) -> list[Record]:
    """Give what the floors offer, and what they could offer: each version that some record asks for."""
    wanted = tuple(names)
    found = {(name, *value) for name, value in offered.items()}
    for text in specs:
        name, _, rest = text.partition(" ")
        if name not in wanted:
            continue
        if name == "__archspec":
            found |= {(name, "1", build) for build in rest.split()[1:2] if "*" not in build}
        else:
            found |= {(name, version, "0") for version in _VERSION.findall(rest)}
            found |= {(name, "1", "0")} if not rest and name not in offered else set()
    return [Record(name=name, version=version, build=build) for name, version, build in sorted(found)]
