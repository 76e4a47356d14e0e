"""What an image needs of the files of a packed package: some figures, and their part of the record."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from cuvee.files import sha256_bytes
from cuvee.image.model import FileKind, PlannedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedFiles:
    """The files that a package has in a prefix.

    Attributes
    ----------
    count
        How many there are, links and folders included.
    raw_size
        Bytes that they take.
    longest_path
        Characters of the longest path.
    prefix_limit
        Bytes of the shortest placeholder in a binary file: no prefix may be longer.
    folders
        The folders that they are in, and those that the package lists.
    record
        The members ``files`` and ``paths_data`` of the package's ``conda-meta`` record, as text.
    late
        ``[[index, path], …]``: the record's paths for which the runtime fills in the hash, since their bytes
        depend on the prefix.
    """

    count: int
    raw_size: int
    longest_path: int
    prefix_limit: int | None
    folders: tuple[str, ...]
    record: str
    late: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, files: Iterable[PlannedFile], links: Mapping[str, str]) -> Self:
        """Return what there is to know of files with their digests, byte code included, sorted by path.

        Parameters
        ----------
        links
            Path to target of each symbolic link.
        """
        files = tuple(files)
        limits = (len((file.placeholder or "").encode()) for file in files if file.kind is FileKind.BINARY)
        return cls(
            count=len(files),
            raw_size=sum(file.size or 0 for file in files),
            longest_path=max((len(file.path) for file in files), default=0),
            prefix_limit=min(limits, default=None),
            folders=tuple(sorted(_folders(files))),
            record=_record(files, links),
            late=tuple((number, file.path) for number, file in enumerate(files) if file.kind.is_relocated),
        )


_STRING = json.JSONEncoder(ensure_ascii=False)
_ENTRY = json.JSONEncoder(ensure_ascii=False, separators=(",\n        ", ": "))


def _record(files: Iterable[PlannedFile], links: Mapping[str, str]) -> str:
    """Return two members of a record as `json` indents them, which takes it four times as long."""
    names = [_STRING.encode(file.path) for file in files if file.kind is not FileKind.DIRECTORY]
    entries = [f"{{\n        {_ENTRY.encode(_path(file, links))[1:-1]}\n      }}" for file in files]
    return (
        f'\n  "files": {_list(names, 2)},\n  "paths_data": {{\n    "paths_version": 1,\n'
        f'    "paths": {_list(entries, 4)}\n  }}'
    )


def _list(items: Sequence[str], depth: int) -> str:
    between = "\n" + " " * (depth + 2)
    return f"[{between}{f',{between}'.join(items)}\n{' ' * depth}]" if items else "[]"


def _folders(files: Iterable[PlannedFile]) -> set[str]:
    """Return every folder of files."""
    folders = set()
    for file in files:
        if file.kind is FileKind.DIRECTORY:
            folders.add(file.path)
        folder = file.path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    return folders


def _path(file: PlannedFile, links: Mapping[str, str]) -> dict[str, object]:
    entry: dict[str, object] = {"_path": file.path}
    if file.original_path is not None:
        entry["original_path"] = file.original_path
    entry["path_type"] = file.path_type
    if file.no_link:
        entry["no_link"] = True
    if file.sha256 is not None:
        entry["sha256"] = file.sha256
    if file.kind is FileKind.LINK:
        entry["sha256_in_prefix"] = sha256_bytes(links[file.path].encode())
    elif file.source is not None and file.sha256 is not None:
        # As conda writes it, whose `doctor` compares with it; the runtime has that of relocated files.
        entry["sha256_in_prefix"] = file.sha256
    if file.size is not None:
        entry["size_in_bytes"] = file.size
    if file.placeholder is not None and not file.is_entry_point:
        entry |= {"file_mode": file.file_mode, "prefix_placeholder": file.placeholder}
    return entry
