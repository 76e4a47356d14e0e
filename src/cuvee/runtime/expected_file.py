"""Files as they should be, and reading those of a prefix, folder by folder, to see whether they are.

Each folder is read by one thread or process, which may do something with what it has just read: that is in
the processor's memory still, and two that change one folder would wait for each other.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from .hashing import sha256_of_handle
from .prefix_tree import FOLDER, READ, ROOT

_BATCH_COST, _LARGE = 4 << 20, 16 << 20
_COST = 20_000
"""Opening a file takes as long as hashing this many bytes."""
BYTES, MODE = "b", "m"
"""What differs from what it should be."""

Batch = list[tuple[str, list[str]]]
"""Folders with names of files in them."""


class ExpectedFile(NamedTuple):
    """A file as it should be: its mode, its size, and ``(offset, size, SHA-256)`` of its pieces."""

    mode: int
    size: int
    pieces: list[tuple[int, int, str]]
    masked: bool = True

    def modes(self, masks: list[int]) -> list[int]:
        """Return the modes that it may have, if it was written with one of these masks."""
        return [self.mode & ~mask for mask in masks] if self.masked else [self.mode]


class GoodFile(NamedTuple):
    """A file whose bytes are as they should be, and whether its mode is, too."""

    name: str
    found: os.stat_result
    has_mode: bool


TakeFiles = Callable[[str, "int | None", list[GoodFile]], None]
"""Do something with good files of a folder: its path in the prefix, and its handle on POSIX."""


def batches(paths: Iterable[str], files: Mapping[str, ExpectedFile]) -> list[Batch]:
    """Return files by their folders; no folder is in two batches, and the largest batches come first."""
    folders: dict[str, list[str]] = {}
    costs: dict[str, int] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, []).append(name)
        costs[folder] = costs.get(folder, 0) + files[path].size + _COST
    found: list[tuple[int, Batch]] = []
    cost = _BATCH_COST
    for folder, names in folders.items():
        if cost >= _BATCH_COST:
            cost, batch = 0, Batch()
            found.append((0, batch))
        batch.append((folder, names))
        cost += costs[folder]
        found[-1] = (cost // _LARGE, batch)
    return [batch for _, batch in sorted(found, key=lambda item: -item[0])]


def differing(
    prefix: str,
    batch: Batch,
    files: Mapping[str, ExpectedFile],
    masks: list[int],
    take: TakeFiles | None = None,
) -> list[str]:
    """Return the files that are not as they should be, or missing, each after a letter: `BYTES` or `MODE`."""
    result: list[str] = []
    for folder, names in batch:
        inside = f"{folder}/" if folder else ""
        try:
            there = open_folder(prefix, folder)
        except OSError:
            result += [f"{BYTES}{inside}{name}" for name in names]
            continue
        at = "" if there is not None else f"{prefix}/{inside}"
        good = []
        try:
            for name in names:
                expected = files[inside + name]
                found = _looked_at(at + name, there, expected)
                if found is None:
                    result.append(f"{BYTES}{inside}{name}")
                    continue
                has_mode = os.name != "posix" or stat.S_IMODE(found.st_mode) in expected.modes(masks)
                if not has_mode:
                    result.append(f"{MODE}{inside}{name}")
                good.append(GoodFile(name, found, has_mode))
            if take is not None and good:
                take(folder, there, good)
        finally:
            if there is not None:
                os.close(there)
    return result


def open_folder(prefix: str, folder: str) -> int | None:
    """Return the handle of a folder on POSIX, without looking at those above it.

    So what is read there must be compared with a hash, and where files are made, others must have no access.
    """
    if os.name != "posix":
        return None
    return os.open(f"{prefix}/{folder}", FOLDER if folder else ROOT)


def _looked_at(path: str, folder: int | None, expected: ExpectedFile) -> os.stat_result | None:
    """Return what is known of a file if its bytes are what they should be."""
    try:
        handle = os.open(path, READ, dir_fd=folder)  # `open` asks the system for more than a file's bytes
    except OSError:
        return None
    try:
        found = os.fstat(handle)
        is_good = (
            stat.S_ISREG(found.st_mode) and found.st_size == expected.size and has_bytes(handle, expected)
        )
    except OSError:
        return None
    finally:
        os.close(handle)
    return found if is_good else None


def is_whole(path: str, expected: ExpectedFile) -> bool:
    """Return whether the file's bytes are what they should be."""
    return _looked_at(path, None, expected) is not None


def has_bytes(handle: int, expected: ExpectedFile) -> bool:
    """Return whether the pieces of an open file are what they should be; it is read from its start."""
    at = 0
    for offset, size, sha256 in expected.pieces:
        if offset != at:
            os.lseek(handle, offset, os.SEEK_SET)
        if sha256_of_handle(handle, size) != sha256:
            return False
        at = offset + size
    return True
