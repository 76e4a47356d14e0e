"""Paths that several packages claim, resolved as rattler does.

The package that comes last in dependency order gets the path. The files of the others are moved below
``__clobbers__/<package>/``, and their records say so:
https://github.com/conda/rattler/blob/main/crates/rattler/src/install/clobber_registry.rs
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from cuvee.errors import BlockedError
from cuvee.image.model import FileKind, PlannedFile

Plans = Mapping[str, tuple[PlannedFile, ...]]
"""Package name to the files that it puts into the prefix."""


def resolve_clobbers(
    plans: Plans, order: Sequence[str], *, ignore_case: bool, folders: Iterable[str] = ("conda-meta",)
) -> dict[str, tuple[PlannedFile, ...]]:
    """Return the plans with one package left for each path; the files of the others are moved aside.

    Parameters
    ----------
    order
        Package names, dependencies first.
    ignore_case
        Whether the platform's file systems usually ignore case in file names. Folders whose names differ only
        by case are one folder there, which is spelled as in the first package that has it.
    folders
        Folders whose spelling is known beforehand.

    Raises
    ------
    BlockedError
        If one package has a file where another has a folder, or if two paths differ only by case on
        a platform that ignores it.
    """
    claims: dict[str, list[tuple[str, PlannedFile]]] = defaultdict(list)
    for name in order:
        for file in plans[name]:
            if file.kind is not FileKind.DIRECTORY:
                claims[file.path.casefold() if ignore_case else file.path].append((name, file))
    _refuse_nested(claims)
    result = dict(plans)
    for claimed in claims.values():
        winner, won = claimed[-1]
        for name, file in claimed[:-1]:
            if file.path != won.path:
                raise BlockedError(
                    f"{name} has {file.path} where {winner} has {won.path}: one file on this platform",
                    hint="Leave one of the two packages out.",
                )
            result[name] = _move_aside(result[name], file, name)
    return _with_one_spelling(result, order, folders) if ignore_case else result


def _with_one_spelling(
    plans: Plans, order: Sequence[str], folders: Iterable[str]
) -> dict[str, tuple[PlannedFile, ...]]:
    """Return the plans with one spelling of each folder: what is installed has no other."""
    spelled: dict[str, str] = {}

    def spell(folder: str) -> str:
        key = folder.casefold()
        if key not in spelled:
            parent, _, name = folder.rpartition("/")
            spelled[key] = f"{spell(parent)}/{name}" if parent else name
        return spelled[key]

    def of_file(path: str) -> str:
        parent, _, name = path.rpartition("/")
        return f"{spell(parent)}/{name}" if parent else path

    def placed(file: PlannedFile) -> PlannedFile:
        path = spell(file.path) if file.kind is FileKind.DIRECTORY else of_file(file.path)
        lost = file.original_path
        return replace(file, path=path, original_path=lost and of_file(lost))

    for folder in folders:
        spell(folder)
    result = {name: [placed(file) for file in plans[name]] for name in order}
    return {name: tuple(sorted(result[name], key=lambda file: file.path)) for name in plans}


def _move_aside(files: tuple[PlannedFile, ...], loser: PlannedFile, name: str) -> tuple[PlannedFile, ...]:
    moved = replace(loser, path=f"__clobbers__/{name}/{loser.path}", original_path=loser.path)
    return tuple(moved if file is loser else file for file in files)


def _refuse_nested(claims: Mapping[str, list[tuple[str, PlannedFile]]]) -> None:
    seen = set[str]()
    for path, claimed in claims.items():
        folder = path.rpartition("/")[0]
        while folder and folder not in seen:
            if folder in claims:
                name, other = claimed[0][0], claims[folder][0][0]
                raise BlockedError(
                    f"{other} has a file at {folder}, where {name} has a folder",
                    hint="Leave one of the two packages out.",
                )
            seen.add(folder)
            folder = folder.rpartition("/")[0]
