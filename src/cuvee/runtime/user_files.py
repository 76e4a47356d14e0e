"""Changing files that a user has outside of the prefix: start-up files of shells, menu entries.

An administrator may install with a user's HOME. Then what is changed keeps its owner, group and mode, and
what is made gets those of the folder that it is in. The user could have put a link there, so root follows
none out of that home, and changes nothing that is somebody else's.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from typing import NamedTuple


class _Place(NamedTuple):
    """A file's folder, open, and its name; ``like`` is the nearest folder of the file's owner."""

    folder: int
    name: str
    like: os.stat_result


def edit(path: str, change: Callable[[bytes], bytes]) -> None:
    """Replace a file's bytes by what ``change`` makes of them, whole or not at all.

    A file that is absent is empty, and one that becomes empty is removed. The folders above it are made.
    Raise `OSError` or `ValueError` if the file must stay as it is.
    """
    home, rest, owner = _locate(path)
    with contextlib.suppress(FileNotFoundError), _opened(home, rest, owner, make=False) as place:
        before, found = _read(place, owner)
        after = change(before)
        if after and after != before:
            _write(place, after, owner, found)
        elif not after and found is not None:
            os.unlink(place.name, dir_fd=place.folder)
        return
    if after := change(b""):
        with _opened(home, rest, owner, make=True) as place:
            _write(place, after, owner, None)


def _locate(path: str) -> tuple[str, list[str], int]:
    """Return a folder, the names from there to a file, and the file's owner; links are resolved."""
    target, owner = os.path.realpath(path), os.geteuid()
    home, parts = "/", path.split("/")[1:-1]
    while owner == 0 and os.stat(home).st_uid == 0 and parts:  # the first folder that is not root's is a home
        below = os.path.join(home, parts.pop(0))
        if not os.path.isdir(below):
            break
        home = below
    owner = owner or os.stat(home).st_uid
    home = os.path.realpath(home)
    if owner == os.geteuid():
        home = os.path.dirname(target)
        while not os.path.isdir(home):
            home = os.path.dirname(home)
    elif os.path.commonpath([home, target]) != home:
        raise ValueError(f"it leads out of {home}, to {target}")
    return home, target[len(home) :].strip("/").split("/"), owner


@contextlib.contextmanager
def _opened(home: str, rest: list[str], owner: int, *, make: bool) -> Iterator[_Place]:
    """Open the folder of a file. What was a file a moment ago may be a link now, so none is followed."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    folder = os.open(home, flags)
    try:
        like = os.fstat(folder)
        for name in rest[:-1]:
            try:
                below = os.open(name, flags, dir_fd=folder)
            except FileNotFoundError:
                if not make:
                    raise
                os.mkdir(name, 0o700, dir_fd=folder)
                below = os.open(name, flags, dir_fd=folder)
                _give(below, owner, like.st_gid, like.st_mode & 0o755)
            os.close(folder)
            folder, found = below, os.fstat(below)
            if os.geteuid() == 0 and found.st_uid not in (0, owner):
                raise ValueError(f"its folder {name} belongs to somebody else")
            like = found if found.st_uid == owner or os.geteuid() != 0 else like
        yield _Place(folder, rest[-1], like)
    finally:
        os.close(folder)


def _read(place: _Place, owner: int) -> tuple[bytes, os.stat_result | None]:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        handle = os.open(place.name, flags, dir_fd=place.folder)
    except FileNotFoundError:
        return b"", None
    with open(handle, "rb") as stream:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("it is not a regular file")
        if found.st_uid != owner:
            raise ValueError("it belongs to somebody else")
        return stream.read(), found


def _write(place: _Place, data: bytes, owner: int, found: os.stat_result | None) -> None:
    aside = f"{place.name}.cuvee-{os.getpid()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    handle = os.open(aside, flags, 0o600, dir_fd=place.folder)
    try:
        with open(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            mode = place.like.st_mode & 0o644 if found is None else stat.S_IMODE(found.st_mode)
            _give(handle, owner, (found or place.like).st_gid, mode)
        os.replace(aside, place.name, src_dir_fd=place.folder, dst_dir_fd=place.folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(aside, dir_fd=place.folder)
        raise


def _give(handle: int, owner: int, group: int, mode: int) -> None:
    if os.geteuid() == 0:
        os.fchown(handle, owner, group)
    else:
        with contextlib.suppress(PermissionError):  # a group that this user is not in
            os.fchown(handle, -1, group)
    os.fchmod(handle, mode)
