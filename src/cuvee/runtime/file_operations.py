"""Copying, linking, writing and removing files of a prefix."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable

from .prefix_state import SAVED, is_ours
from .worker_threads import share_in_runs

_CHUNK = 1 << 20


def bring(source: str, target: str, *, link: bool = True) -> bool:
    """Make ``target`` the file or link that ``source`` is, or a copy; return whether it is either."""
    mode = os.lstat(source).st_mode
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink(source), target)
        return True
    if not stat.S_ISREG(mode):
        return False
    bring_file(source, target, link=link)
    return True


def bring_file(source: str, target: str, *, link: bool = True) -> None:
    """Make ``target`` a hard link to ``source``, which takes one system call, or a copy."""
    if link:
        try:
            os.link(source, target)
        except FileExistsError:
            raise
        except OSError:  # another disk, or one that has no hard links, or links are not allowed
            pass
        else:
            return
    with open(source, "rb") as read, open(target, "xb") as write:
        while data := read.read(_CHUNK):
            write.write(data)
    found = os.stat(source)
    os.chmod(target, stat.S_IMODE(found.st_mode))
    os.utime(target, ns=(found.st_mtime_ns, found.st_mtime_ns))


def copy_tree(source: str, target: str) -> None:
    """Make ``target`` a copy of a folder, of whatever kind its files are; they are linked where possible."""

    def fail(error: OSError) -> None:
        raise error

    for parent, folders, names in os.walk(source, onerror=fail):
        made = target + parent[len(source) :]
        os.mkdir(made)
        links = [name for name in folders if os.path.islink(f"{parent}/{name}")]
        for name in [*names, *links]:
            try:
                os.link(f"{parent}/{name}", f"{made}/{name}", follow_symlinks=False)
            except OSError:
                bring(f"{parent}/{name}", f"{made}/{name}")
    for parent, _, _ in os.walk(source, topdown=False):
        made, found = target + parent[len(source) :], os.stat(parent)
        os.chown(made, found.st_uid, found.st_gid)
        os.chmod(made, stat.S_IMODE(found.st_mode))
        os.utime(made, ns=(found.st_atime_ns, found.st_mtime_ns))


def carry(old: str, new: str, paths: list[str], *, link: bool = True) -> list[str]:
    """Bring the user's files over; return those whose paths are taken in the new prefix."""
    taken = []
    for path in paths:
        target = f"{new}/{path}"
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            brought = not os.path.lexists(target) and bring(f"{old}/{path}", target, link=link)
        except (FileExistsError, NotADirectoryError):
            brought = False
        if not brought:
            taken.append(path)
    return taken


def save(old: str, new: str, paths: list[str], version: str) -> list[str]:
    """Bring files that cannot stay where they were to ``cuvee-saved``; return where they are now."""
    kept = []
    for path in paths:
        saved = f"{SAVED}/{version}/{path}"
        number = 1
        while os.path.lexists(f"{new}/{saved}"):
            number += 1
            saved = f"{SAVED}/{version}/{path}.{number}"
        os.makedirs(os.path.dirname(f"{new}/{saved}"), exist_ok=True)
        if bring(f"{old}/{path}", f"{new}/{saved}"):
            kept.append(saved)
    return kept


def files_below(folder: str) -> list[str]:
    """Return the files and links below a folder, relative to it, with ``/``, sorted."""
    found = []
    for parent, folders, names in os.walk(folder):
        relative = os.path.relpath(parent, folder).replace(os.sep, "/")
        start = "" if relative == "." else f"{relative}/"
        links = [name for name in folders if os.path.islink(f"{parent}/{name}")]
        found += [start + name for name in names + links]
    return sorted(found)


def remove_tree(folder: str) -> None:
    """Remove a folder of ours and all below it, as far as that is possible; links are not followed."""
    if os.path.islink(folder) or not is_ours(folder):
        return
    files: list[str] = []
    folders = [folder]
    for parent in folders:
        with contextlib.suppress(OSError), os.scandir(parent) as entries:
            # What a listing tells of its entries costs nothing; asking once more costs much on Windows.
            for entry in entries:
                found = folders if entry.is_dir(follow_symlinks=False) else files
                found.append(f"{parent}/{entry.name}")
    share_in_runs(files, lambda path: quietly(_unlink, path))
    for path in reversed(folders):
        quietly(os.rmdir, path)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except PermissionError:
        if os.name != "nt":
            raise
        os.chmod(path, 0o600)  # Windows removes no file that is read-only
        os.unlink(path)


def remove_empty(folder: str, stop: str) -> None:
    """Remove ``folder`` and its parents up to ``stop`` as long as they are empty: they were made for us."""
    while len(folder) > len(stop) and folder.startswith(stop):
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)


def quietly(action: Callable[[str], None], path: str) -> None:
    """Do what may fail because the path is gone, or somebody else's."""
    with contextlib.suppress(OSError):
        action(path)
