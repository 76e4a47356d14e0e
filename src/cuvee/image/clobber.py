"""Paths that several packages claim.

As rattler does it: the package that comes last in dependency order wins the path, and what the others
would have put there is kept below ``__clobbers__/<package>/``, where its record says so.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cuvee.errors import BlockedError
from cuvee.image.model import Clobber, FileKind, PlannedFile

Plans = Mapping[str, tuple[PlannedFile, ...]]
"""Package name to the files that it puts into the prefix."""


def resolve_clobbers(
    plans: Plans, order: Sequence[str], *, ignore_case: bool
) -> tuple[dict[str, tuple[PlannedFile, ...]], tuple[Clobber, ...]]:
    """Move the losers' files aside; give the plans and what was found.

    Parameters
    ----------
    order
        Package names, dependencies first.
    ignore_case
        Whether the platform's file names differ by more than case.

    Raises
    ------
    BlockedError
        If one package has a file where another has a folder, or if two paths differ by case alone on
        a platform that can't tell them apart.
    """
    claims: dict[str, list[tuple[str, PlannedFile]]] = defaultdict(list)
    for name in order:
        for file in plans[name]:
            if file.kind is not FileKind.DIRECTORY:
                claims[file.path.casefold() if ignore_case else file.path].append((name, file))
    _refuse_nested(claims)
    result = dict(plans)
    clobbers = []
    for claimed in claims.values():
        if len(claimed) == 1:
            continue
        winner, won = claimed[-1]
        for name, file in claimed[:-1]:
            if file.path != won.path:
                raise BlockedError(
                    f"{name} has {file.path} where {winner} has {won.path}: one file on this platform",
                    hint="Leave one of the two packages out.",
                )
            result[name] = _move_aside(result[name], file, name)
        losers = tuple(name for name, _ in claimed[:-1])
        clobbers.append(Clobber(path=won.path, winner=winner, losers=losers))
    return result, tuple(sorted(clobbers, key=lambda clobber: clobber.path))


def _move_aside(files: tuple[PlannedFile, ...], loser: PlannedFile, name: str) -> tuple[PlannedFile, ...]:
    moved = replace(loser, path=f"__clobbers__/{name}/{loser.path}", original_path=loser.path)
    return tuple(moved if file is loser else file for file in files)


def _refuse_nested(claims: Mapping[str, list[tuple[str, PlannedFile]]]) -> None:
    for path, claimed in claims.items():
        end = path.find("/")
        while end > 0:
            if path[:end] in claims:
                name, other = claimed[0][0], claims[path[:end]][0][0]
                raise BlockedError(
                    f"{other} has a file at {path[:end]}, where {name} has a folder",
                    hint="Leave one of the two packages out.",
                )
            end = path.find("/", end + 1)
