"""The files below a folder, reached without following a link.

Who may write in a prefix may put a link in the place of one of its folders, such as a package's, to work on a
copy elsewhere. What is removed, written or read through such a link is not the release's. So each folder of a
path is opened from the one above, and none may be a link. Windows can open nothing in this way: there each
folder is looked at, and neither links nor junctions are followed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple

ROOT = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
FOLDER = ROOT | getattr(os, "O_NOFOLLOW", 0)
# Opening a pipe does not wait for its other end.
FILE = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))
READ = os.O_RDONLY | FILE
# https://learn.microsoft.com/windows/win32/fileio/reparse-point-tags: it stands for another file or folder.
_NAME_SURROGATE = 0x20000000


class Place(NamedTuple):
    """Where a file is, as functions of `os` want it: ``path``, and ``folder`` for their ``dir_fd``."""

    path: str
    folder: int | None


class PrefixTree:
    """What is below ``folder``, which may be a link itself; paths are relative to it, with ``/``."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    @contextlib.contextmanager
    def place(self, path: str, *, make: bool = False) -> Iterator[Place]:
        """Yield where a file is or will be; with ``make``, make the folders above it.

        Raise `OSError` if one of them is missing, or is not a folder, and `ValueError` if the path leaves
        the tree.
        """
        if not is_inside(path):
            raise ValueError(f"{path!r} is not a path below {self.folder}")
        *folders, name = path.split("/")
        if os.name != "posix":
            yield Place(f"{self._checked(folders, make=make)}/{name}", None)
            return
        handle = os.open(self.folder, ROOT)
        try:
            for folder in folders:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(folder, 0o775, dir_fd=handle)
                below = os.open(folder, FOLDER, dir_fd=handle)
                os.close(handle)
                handle = below
            yield Place(name, handle)
        finally:
            os.close(handle)

    def _checked(self, folders: list[str], *, make: bool) -> str:
        at = self.folder
        for folder in folders:
            at = f"{at}/{folder}"
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(at, 0o775)
            if is_link(os.lstat(at)):
                raise NotADirectoryError(errno.ENOTDIR, "It is a link", at)
        return at

    def find(self, path: str) -> os.stat_result | None:
        """Return what is known of a file, link or folder; `None` if it cannot be reached."""
        try:
            with self.place(path) as (name, folder):
                return os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError:
            return None

    def in_the_way(self, path: str) -> str:
        """Return what prevents that a file is put at ``path``: a link or file above it, or a folder."""
        at = ""
        for part in path.split("/"):
            at = f"{at}/{part}" if at else part
            found = self.find(at)
            if found is None:
                return ""
            is_folder = stat.S_ISDIR(found.st_mode) and not is_link(found)
            if is_folder == (at == path):
                return at
        return ""

    def open(self, path: str, flags: int, mode: int = 0o644) -> int:
        """Return the handle of a file, which is neither a link nor a pipe nor a device."""
        with self.place(path) as (name, folder):
            if os.name != "posix" and os.path.lexists(name) and is_link(os.lstat(name)):
                raise OSError(errno.ELOOP, "It is a link", name)
            handle = os.open(name, flags | FILE, mode, dir_fd=folder)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise OSError(errno.EINVAL, "It is not a file", f"{self.folder}/{path}")
        return handle

    def read(self, path: str) -> bytes:
        """Return what is in a file."""
        with open(self.open(path, os.O_RDONLY), "rb") as stream:
            return stream.read()

    def append(self, path: str, data: bytes) -> None:
        """Add to the end of a file, which is made if need be."""
        with open(self.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "ab") as stream:
            stream.write(data)

    def write(self, path: str, data: bytes, mode: int = 0o644, *, make: bool = False) -> None:
        """Write a file, whole or not at all, in place of a file or link of that name.

        With ``make`` its folder is made if it is missing.
        """
        with self.place(path, make=make) as (name, folder):
            aside = f"{name}.new"
            with contextlib.suppress(FileNotFoundError):
                _unlink(aside, folder)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | FILE
            try:
                with open(os.open(aside, flags, mode, dir_fd=folder), "wb") as stream:
                    stream.write(data)
                os.replace(aside, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:  # the disk is full, for one
                with contextlib.suppress(OSError):
                    _unlink(aside, folder)
                raise

    def put(self, source: str, path: str) -> None:
        """Move the file or link ``source``, of the same disk, to ``path``, in place of one that is there."""
        with self.place(path, make=True) as (name, folder):
            os.replace(source, name, dst_dir_fd=folder)

    def unlink(self, path: str) -> None:
        """Remove a file or link."""
        with self.place(path) as (name, folder):
            _unlink(name, folder)

    def unlink_all(self, folder: str, names: Iterable[str]) -> None:
        """Remove files and links of a folder, as far as they are there."""
        with contextlib.suppress(FileNotFoundError), self.place(f"{folder}/_" if folder else "_") as at:
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    _unlink(name if at.folder is not None else f"{at.path[:-1]}{name}", at.folder)

    def rmdir(self, path: str) -> None:
        """Remove an empty folder."""
        with self.place(path) as (name, folder):
            os.rmdir(name, dir_fd=folder)


def _unlink(name: str, folder: int | None) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except PermissionError:
        if os.name != "nt":
            raise
        os.chmod(name, 0o600)  # Windows removes no file that is read-only
        os.unlink(name)


def is_inside(path: object) -> bool:
    """Return whether a value is a path that stays below the folder that it is relative to.

    On POSIX a name may hold all but a slash: manual pages have colons in theirs.
    """
    if not isinstance(path, str) or "\0" in path:
        return False
    parts = path.split("/")
    if os.name == "nt":  # which drops spaces and dots at the end of a name
        return not any(sign in path for sign in '\\:<>"|?*') and all(part.rstrip(" .") for part in parts)
    return not {"", ".", ".."} & {*parts}


def is_link(found: os.stat_result) -> bool:
    """Return whether it is a link, or what Windows follows like one, such as a junction."""
    tag: int = getattr(found, "st_reparse_tag", 0)
    return stat.S_ISLNK(found.st_mode) or bool(tag & _NAME_SURROGATE)


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry of a folder is a folder itself, and not a link to one."""
    if not entry.is_dir(follow_symlinks=False):
        return False
    return os.name == "posix" or not is_link(entry.stat(follow_symlinks=False))
