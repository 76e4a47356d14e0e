"""What an upgrade would change in a release: solved, with all other versions kept where possible."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

from cuvee.channel.connection import Connection
from cuvee.errors import UnsolvableError, UsageError
from cuvee.graph.diff import Change, ChangeKind, diff
from cuvee.graph.explain import explainer
from cuvee.lock.model import Lock
from cuvee.lock.solve import Problem, solve
from cuvee.manifest.documents.suggestions import did_you_mean
from cuvee.manifest.model import Position, Requirement


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What an upgrade would change.

    Attributes
    ----------
    spec
        The upgrade as a match spec: ``numpy >2.4.1``.
    changes
        Against the lock, as few as possible; none if it is impossible.
    unblocked, held_back
        Packages whose newest solvable version is higher, or lower, with the upgrade than without it: from the
        version without it to the version with it.
    conflict
        Why it is impossible, and what would make it possible; `None` if it is not.
    """

    name: str
    spec: str
    changes: tuple[Change, ...] = ()
    unblocked: tuple[Change, ...] = ()
    held_back: tuple[Change, ...] = ()
    conflict: UnsolvableError | None = None


def impact(
    upgrade: str,
    *,
    problem: Problem,
    lock: Lock,
    positions: Mapping[str, Position],
    connection: Connection,
    whole: bool = False,
) -> Impact:
    """Return what an upgrade would change, break and unblock.

    Parameters
    ----------
    upgrade
        ``NAME`` for anything newer than what is locked, or ``NAME=VERSION``.
    problem
        The release's, without the versions that it keeps.
    lock
        The release's lock. Its versions stay where possible.
    whole
        Show all conflicts if it is impossible, however many there are.

    Raises
    ------
    UsageError
        If the release does not have such a package, or made it itself, so that there is no other version.
    """
    name, version = _parsed(upgrade, lock)
    changed = _with(problem, name, version, lock)
    spec = f"{name} {version}"
    explain = explainer(positions, fixed=[name], whole=whole)
    try:
        after = solve(replace(changed, keep=lock), connection, explain=explain)
    except UnsolvableError as error:
        if any(name in item.by_name and item.by_name[name].is_local for item in lock.platforms):
            raise UsageError(
                f"{name} was made for this release, whose own channel has no other version of it",
                hint=f"State {spec!r} in a copy of the manifest; `cuvee diff` compares the two.",
            ) from None
        return Impact(name=name, spec=spec, conflict=error)
    direct = {item.name for item in problem.requirements}
    compare = partial(diff, requested_before=direct, requested_after=direct)
    newest = solve(problem, connection)
    moves = [item for item in compare(newest, solve(changed, connection)) if item.package != name]
    lower = {ChangeKind.DOWNGRADED, ChangeKind.REMOVED}
    return Impact(
        name=name,
        spec=spec,
        changes=compare(lock, after),
        unblocked=tuple(item for item in moves if item.kind is ChangeKind.UPGRADED),
        held_back=tuple(item for item in moves if item.kind in lower),
    )


def _parsed(text: str, lock: Lock) -> tuple[str, str]:
    """Parse ``NAME[=VERSION]``; return the name and a range."""
    match = re.fullmatch(r"\s*([A-Za-z0-9_.-]+?)\s*(?:(==?|>=|>|<=|<|~=|!=)\s*(\S+))?\s*", text)
    if match is None:
        raise UsageError(f"{text!r} is not NAME or NAME=VERSION", hint="For example: numpy, or numpy=2.5")
    name = match[1].lower()
    if match[3] is not None:
        return name, f"{match[2]}{match[3]}"
    versions = [item.by_name[name].version for item in lock.platforms if name in item.by_name]
    if not versions:
        advice = did_you_mean(name, sorted({other for item in lock.platforms for other in item.by_name}))
        raise UsageError(
            f"The release has no package {name!r}" + (f"; {advice}" if advice else ""),
            hint=f"Without a version it must be in the release; with one it need not be: {name}=1.0.",
        )
    from rattler import Version

    return name, f">{max(versions, key=Version)}"


def _with(problem: Problem, name: str, version: str, lock: Lock) -> Problem:
    """Return the problem with another version of a package, which becomes a requirement if it is not one."""
    if any(item.name == name for item in problem.requirements):
        lines = tuple(
            replace(item, version=version, build=None, match="") if item.name == name else item
            for item in problem.requirements
        )
        return replace(problem, requirements=lines)
    where = tuple(item.platform for item in lock.platforms if name in item.by_name)
    added = Requirement(
        name=name,
        version=version,
        platforms=where or tuple(entry.name for entry in problem.platforms),
        position=problem.requirements[0].position,
    )
    return replace(problem, requirements=(*problem.requirements, added))
