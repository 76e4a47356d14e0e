"""Removing files of a release, and the folders that become empty: all of them, or none.

Renaming a file needs the very rights that removing it needs, and can be undone. So everything is renamed into
a folder beside the prefix first, ``.p.cuvee-0.removing``. Whatever refuses, be it a permission, an immutable
file, a mount point or, on Windows, a program that has the file open: all goes back. Whoever finds that folder
later, see `crash_recovery`, puts everything back too. Once it has another name, nothing goes back any more.

A file that is open can be renamed, but on Windows its folder stays as long as it is open. The shell that runs
the command that started this may have that open until it ends: so the command leaves the folder first.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from .failure import InstallError
from .file_operations import remove_tree
from .prefix_state import beside, is_ours
from .prefix_swap import rename_folder
from .worker_threads import share_in_runs

_NOT_EMPTY = frozenset((errno.ENOTEMPTY, errno.EEXIST))


def take_away(prefix: str, place: str, paths: list[str]) -> None:
    """Rename files of the folder ``place`` away; raise if one stays, when all are where they were."""
    aside = os.path.join(beside(prefix, "0.removing"), os.path.relpath(place, os.path.dirname(prefix)))
    try:
        _take(place, aside, paths)
    except BaseException as error:
        put_back(prefix)
        if isinstance(error, OSError):
            raise InstallError(
                f"{error.filename or place} cannot be removed: {error.strerror}. Nothing was changed."
            ) from error
        raise


def remove_taken(prefix: str, command: str = "") -> str:
    """Remove what was taken away; from here on nothing goes back.

    ``command`` is the file of the prefix, if any, whose shell may have it open. Return the folder that stays
    because a program has something in it open; empty if nothing stays.
    """
    aside, gone = beside(prefix, "0.removing"), beside(prefix, "0.partial")
    if os.path.isdir(aside):
        rename_folder(aside, gone)
        if command:
            is_open = beside(prefix, "0.open")
            with contextlib.suppress(OSError):
                os.rename(f"{gone}/{os.path.basename(prefix)}/{command}", is_open)
                os.unlink(is_open)  # which is done when it is closed
        remove_tree(gone)
    return gone if os.path.lexists(gone) else ""


def put_back(prefix: str) -> None:
    """Put what was taken away where it was."""
    aside = beside(prefix, "0.removing")
    if not os.path.isdir(aside) or not is_ours(aside):
        return
    parent = os.path.dirname(prefix)
    for source, folders, names in os.walk(aside):
        there = parent + source[len(aside) :]
        if not os.path.lexists(there):
            _mirror(source, there)
        links = [name for name in folders if os.path.islink(f"{source}/{name}")]
        for name in [*names, *links]:
            if not os.path.lexists(f"{there}/{name}"):  # else somebody has made another one meanwhile
                os.rename(f"{source}/{name}", f"{there}/{name}")
    remove_tree(aside)


def _take(place: str, aside: str, paths: list[str]) -> None:
    os.makedirs(os.path.dirname(aside), exist_ok=True)
    _mirror(place, aside)
    real = {""}  # a folder that somebody has replaced by a link is not the release's any more
    for folder in _folders(paths):
        above = folder.rpartition("/")[0]
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            if above in real and stat.S_ISDIR(os.lstat(f"{place}/{folder}").st_mode):
                _mirror(f"{place}/{folder}", f"{aside}/{folder}")
                real.add(folder)
    found = [path for path in paths if path.rpartition("/")[0] in real]
    share_in_runs(found, lambda path: _rename(f"{place}/{path}", f"{aside}/{path}"))
    # Not bottom-up, which gives long paths of Windows in another form than that of `place`.
    below = [f"{parent[len(place) :]}/{name}" for parent, names, _ in os.walk(place) for name in names]
    for name in reversed(below):
        _rmdir(f"{place}{name}", f"{aside}{name}")
    _rmdir(place, aside)


def _rename(source: str, target: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.rename(source, target)


def _rmdir(folder: str, mirrored: str) -> None:
    """Remove a folder if it is empty; what mirrors it is what can be put back."""
    if os.path.islink(folder) or os.listdir(folder):
        return
    if not os.path.isdir(mirrored):
        os.makedirs(os.path.dirname(mirrored), exist_ok=True)
        _mirror(folder, mirrored)
    try:
        os.rmdir(folder)
    except OSError as error:
        if error.errno not in _NOT_EMPTY:
            raise


def _mirror(source: str, target: str) -> None:
    """Make a folder like another one."""
    found = os.stat(source)
    os.mkdir(target)
    if os.name == "posix":
        with contextlib.suppress(OSError):
            os.chown(target, found.st_uid, found.st_gid)
        # Unless root does it, files can be put there only if the owner may write.
        more = stat.S_IRWXU if os.geteuid() else 0
        os.chmod(target, stat.S_IMODE(found.st_mode) | more)


def _folders(paths: list[str]) -> list[str]:
    """Return the folders of files and those above them, parents first."""
    found: set[str] = set()
    for path in paths:
        while path := path.rpartition("/")[0]:
            found.add(path)
    return sorted(found)
