"""Small problems for explanations: an index and what is asked of it, and the real solver's opinion."""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tiny_index
from cuvee.channel.connection import Connection
from cuvee.graph.explain import PlatformChannels
from cuvee.graph.explain.lock_explainer import query_channels
from cuvee.graph.explain.model import ConstraintKind, Edit, EditAction, SoftConstraint
from cuvee.lock.model import Lock
from cuvee.lock.solve import Problem, try_solve
from cuvee.manifest.model import PlatformEntry, Position, Requirement

FILE = Path("tiny/2026.11.0.yaml")
POSITIONS = {
    "platforms.linux-64.floor.glibc": Position(file=FILE, line=6, column=29),
    "platforms.linux-64": Position(file=FILE, line=6, column=3),
    "exclude-newer": Position(file=FILE, line=4, column=16),
    "channels.0": Position(file=FILE, line=5, column=12),
}


def requirements(texts: Iterable[str], *, line: int, platforms: Sequence[str]) -> tuple[Requirement, ...]:
    """Return the lines of a manifest: ``name`` or ``name range``; with ``(reason)`` cuvee adds it."""
    found = []
    for number, text in enumerate(texts, line):
        stated, _, reason = text.partition(" (")
        name, _, version = stated.partition(" ")
        position = Position(file=FILE, line=number, column=3)
        found.append(
            Requirement(
                name=name,
                version=version or "*",
                platforms=tuple(platforms),
                position=position,
                reason=reason.rstrip(")"),
            )
        )
    return tuple(found)


def write(folder: Path, entries: Iterable[str], platforms: Sequence[str]) -> str:
    """Write a channel; ``day 30`` behind a version is when it was published."""
    found = []
    for text in entries:
        match = re.search(r" day (\d+)", text)
        line = text.replace(match.group(), "") if match else text
        found.append(tiny_index.entry(line.replace("'", ""), day=int(match[1]) if match else 0))
    return str(tiny_index.write_index(folder, found, platforms=platforms))


def problem_of(case: dict[str, Any], folder: Path) -> Problem:
    """Write a case's channels below ``folder``; give the problem."""
    platforms = case.get("platforms", ["linux-64"])
    channels = [write(folder / "first", case["index"], platforms)]
    if "second" in case:
        channels.append(write(folder / "second", case["second"], platforms))
    day = case.get("exclude-newer-day")
    floor = case.get("floor", {"glibc": "2.28"})
    return Problem(
        platforms=tuple(
            PlatformEntry(name=name, floor=floor if name.startswith("linux") else {}) for name in platforms
        ),
        requirements=requirements(case["packages"], line=10, platforms=platforms),
        constraints=requirements(case.get("constraints", []), line=50, platforms=platforms),
        channels=tuple(channels),
        exclude_newer=None if day is None else stamp(day),
    )


def stamp(day: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(tiny_index.STAMP / 1000 + 86_400 * day, tz=dt.UTC)


def fetched(problem: Problem, connection: Connection) -> tuple[PlatformChannels, ...]:
    return query_channels(problem, {}, connection)


def solved(problem: Problem, connection: Connection) -> Lock | None:
    """Ask rattler."""
    answer = try_solve(problem, connection)
    return answer if isinstance(answer, Lock) else None


def only(problem: Problem, members: Iterable[SoftConstraint]) -> Problem:
    """Leave of a problem what is among ``members``."""
    kept = {(member.kind, member.name) for member in members}
    floor = {name for kind, name in kept if kind is ConstraintKind.FLOOR}
    return replace(
        problem,
        requirements=tuple(i for i in problem.requirements if (ConstraintKind.REQUIREMENT, i.name) in kept),
        constraints=tuple(i for i in problem.constraints if (ConstraintKind.CONSTRAINT, i.name) in kept),
        exclude_newer=problem.exclude_newer if (ConstraintKind.DATE, "exclude-newer") in kept else None,
        platforms=tuple(
            entry if "glibc" in floor else replace(entry, floor={**entry.floor, "glibc": "99"})
            for entry in problem.platforms
        ),
    )


def _changed(item: Requirement, edit: Edit) -> Requirement:
    after = str(edit.after)
    if edit.action is EditAction.RENAME:
        return replace(item, name=after)
    if edit.action is EditAction.RESTRICT:
        return replace(item, platforms=tuple(after.strip("[]").split(", ")))
    return replace(item, version=after)


def edited(problem: Problem, edits: Iterable[Edit]) -> Problem:
    """Edit a problem as a suggestion says."""
    for edit in edits:
        name, kind = edit.member.name, edit.member.kind
        if kind is ConstraintKind.DATE:
            assert edit.after is not None
            problem = replace(problem, exclude_newer=dt.datetime.fromisoformat(edit.after))
        elif kind is ConstraintKind.ORDER:
            others = [name for name in problem.channels if name != edit.after]
            problem = replace(problem, channels=(str(edit.after), *others))
        elif kind is ConstraintKind.FLOOR:
            assert edit.after is not None
            problem = replace(
                problem,
                platforms=tuple(
                    replace(entry, floor={**entry.floor, name: edit.after})
                    if entry.name in edit.member.platforms
                    else entry
                    for entry in problem.platforms
                ),
            )
        else:
            lines = problem.requirements if kind is ConstraintKind.REQUIREMENT else problem.constraints
            changed = tuple(
                _changed(item, edit) if item.name == name else item
                for item in lines
                if item.name != name or edit.action not in {EditAction.DROP, EditAction.IMPORT}
            )
            if kind is ConstraintKind.REQUIREMENT:
                problem = replace(problem, requirements=changed)
            else:
                problem = replace(problem, constraints=changed)
    return problem
