"""What a program changed in folders: the files in them before and after, by content."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

_SHOWN = 10

Contents = Mapping[str, tuple[int, str]]
"""The mode, and the hash of the content or what a link names, by path."""


def contents(folder: Path, *, without: Callable[[str], bool] = lambda _: False) -> Contents:
    """Return what is in a folder, by paths relative to it with ``/``; links are not followed.

    Folders are in it with their mode, and no hash. ``without`` says which paths do not count.
    """
    found = {}
    for path in _below(folder):
        name = path.relative_to(folder).as_posix()
        if without(name):
            continue
        try:
            mode = path.lstat().st_mode
            found[name] = mode, _content(path, mode)
        except OSError:
            continue  # removed in the meantime, or not ours to read
    return found


def differences(before: Contents, after: Contents) -> tuple[str, ...]:
    """Return each path that differs, with how; a new folder only if nothing is in it."""
    full = {name.rpartition("/")[0] for name in after}
    new = [f"new: {name}" for name in after if name not in before and name not in full]
    gone = [f"gone: {name}" for name in before if name not in after]
    changed = [
        f"{'mode' if before[name][1] == after[name][1] else 'changed'}: {name}"
        for name in after
        if name in before and before[name] != after[name]
    ]
    return (*sorted(new), *sorted(changed), *sorted(gone))


def listed(found: Sequence[str]) -> str:
    """Return differences as a reason: the first ones, and how many more there are."""
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more


def _below(folder: Path) -> Iterator[Path]:
    for top, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(top, name)


def _content(path: Path, mode: int) -> str:
    if stat.S_ISLNK(mode):
        return f"-> {os.fsdecode(path.readlink())}"
    if not stat.S_ISREG(mode):
        return ""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
