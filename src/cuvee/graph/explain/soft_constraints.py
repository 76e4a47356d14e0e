"""The soft constraints of a problem: requirements, constraints, floors, date and order of channels."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from cuvee.conda.match_spec import read_spec
from cuvee.conda.virtual_packages import virtual_packages
from cuvee.graph.explain.channel_index import HIDDEN, NEWER
from cuvee.graph.explain.model import ConstraintKind, SoftConstraint
from cuvee.lock.solve import Problem
from cuvee.manifest.model import PlatformEntry, Position, Requirement
from cuvee.platforms import FLOOR_KEYS, get


def soft_constraints(problem: Problem, positions: Mapping[str, Position]) -> tuple[SoftConstraint, ...]:
    """Return all soft constraints, first those that an MUS had better do without.

    ``positions`` says where the manifest states each of its values, by dotted path.
    """
    names = tuple(entry.name for entry in problem.platforms)
    found: list[SoftConstraint] = []

    def gate(kind: ConstraintKind, name: str, package: str, text: str) -> SoftConstraint:
        position = positions.get(f"{name}.0", positions.get(name))
        return SoftConstraint(
            kind=kind,
            name=name,
            spec=f"{package} <0",
            needed=False,
            text=text,
            platforms=names,
            position=position,
        )

    if len(problem.sources) > 1:
        found.append(gate(ConstraintKind.ORDER, "channels", HIDDEN, "the order of the channels"))
    if problem.exclude_newer is not None:
        text = f"exclude-newer {problem.exclude_newer:%Y-%m-%d %H:%M}"
        found.append(gate(ConstraintKind.DATE, "exclude-newer", NEWER, text))
    for entry in problem.platforms:
        found += _of_floor(entry, positions)
    found += [_of_line(item, ConstraintKind.CONSTRAINT, names) for item in problem.constraints]
    installers = positions.get("installers.formats", positions.get("installers"))
    lines = (
        # What cuvee adds has no line of its own: it is for the installers.
        replace(member, position=installers) if member.reason else member
        for member in (_of_line(i, ConstraintKind.REQUIREMENT, i.platforms) for i in problem.requirements)
    )
    found += sorted(lines, key=lambda member: not member.is_any)
    return tuple(found)


def _of_line(item: Requirement, kind: ConstraintKind, platforms: tuple[str, ...]) -> SoftConstraint:
    label = "" if kind is ConstraintKind.REQUIREMENT else "constraint "
    return SoftConstraint(
        kind=kind,
        name=item.name,
        spec=item.spec,
        needed=kind is ConstraintKind.REQUIREMENT,
        text=label + item.spec.removesuffix(" *") + (f" ({item.reason})" if item.reason else ""),
        platforms=platforms,
        position=item.position,
        reason=item.reason,
    )


def _of_floor(entry: PlatformEntry, positions: Mapping[str, Position]) -> list[SoftConstraint]:
    """Return the floors that a manifest may move on one platform, also those that it does not state."""
    offered = {item.name: item for item in virtual_packages(entry.name, entry.floor)}
    path = f"platforms.{entry.name}"
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
                position=positions.get(f"{path}.floor.{key}", positions.get(path)),
            )
        )
    return found


def problem_with(problem: Problem, members: Iterable[SoftConstraint]) -> Problem | None:
    """Return ``problem`` with exactly these soft constraints; `None` if no manifest can state that."""
    kept = list(members)
    kinds = {member.kind for member in kept}
    if len(problem.sources) > 1 and ConstraintKind.ORDER not in kinds:
        return None
    by_line = {(member.kind, member.name): member for member in kept}
    platforms = [_with_floors(entry, kept) for entry in problem.platforms]
    entries = tuple(entry for entry in platforms if entry is not None)
    if len(entries) < len(platforms):
        return None

    def kept_lines(items: Iterable[Requirement], kind: ConstraintKind) -> tuple[Requirement, ...]:
        return tuple(
            replace(item, name=read_spec(member.spec).name, match=member.spec, platforms=member.platforms)
            for item in items
            if (member := by_line.get((kind, item.name))) is not None
        )

    return replace(
        problem,
        platforms=entries,
        requirements=kept_lines(problem.requirements, ConstraintKind.REQUIREMENT),
        constraints=kept_lines(problem.constraints, ConstraintKind.CONSTRAINT),
        exclude_newer=problem.exclude_newer if ConstraintKind.DATE in kinds else None,
    )


def _with_floors(entry: PlatformEntry, members: Iterable[SoftConstraint]) -> PlatformEntry | None:
    """Return a platform with the floors in ``members``; `None` if one of them is left out."""
    floors = {m.name: m for m in members if m.kind is ConstraintKind.FLOOR and entry.name in m.platforms}
    floor = dict(entry.floor)
    for key in FLOOR_KEYS[get(entry.name).system]:
        member = floors.get(key)
        if member is None:
            return None
        if member.value is None:
            floor.pop(key, None)
        else:
            floor[key] = member.value
    return replace(entry, floor=floor)
