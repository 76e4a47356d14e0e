"""Copying, linking, writing and removing files of a prefix."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Callable

from .failure import InstallError
from .forked_work import forked
from .prefix_state import SAVED, is_ours
from .prefix_tree import READ, Place, PrefixTree, is_folder
from .worker_threads import share_in_runs

_CHUNK = 1 << 20
_MANY = 1000
"""From as many files on, children remove them in less time than they take to start."""
CREATE = sum(getattr(os, name, 0) for name in ("O_WRONLY", "O_CREAT", "O_EXCL", "O_CLOEXEC", "O_BINARY"))
WAITS = 60 if os.name == "nt" else 0
"""How often, with `pause` in between, Windows is asked again for what an open file refuses for a moment."""


def bring(source: PrefixTree, path: str, target: PrefixTree, new: str, *, link: bool = True) -> bool:
    """Make ``new`` the file or link that ``path`` is, or a copy; return whether it is either."""
    with source.place(path) as old, target.place(new, make=True) as place:
        mode = os.stat(old.path, dir_fd=old.folder, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            os.symlink(os.readlink(old.path, dir_fd=old.folder), place.path, dir_fd=place.folder)
        elif stat.S_ISREG(mode):
            bring_file(old, place, link=link)
        return stat.S_ISLNK(mode) or stat.S_ISREG(mode)


def bring_file(source: Place, target: Place, *, link: bool = True) -> None:
    """Make ``target`` a hard link to ``source``, which takes one system call, or a copy."""
    (old, old_folder), (new, folder) = source, target
    if link:
        try:
            os.link(old, new, src_dir_fd=old_folder, dst_dir_fd=folder, follow_symlinks=os.name == "nt")
        except FileExistsError:
            raise
        except OSError:  # another disk, or one that has no hard links, or links are not allowed
            pass
        else:
            return
    handle = os.open(new, CREATE, 0o600, dir_fd=folder)
    with open(os.open(old, READ, dir_fd=old_folder), "rb") as read, open(handle, "wb") as write:
        while data := read.read(_CHUNK):
            write.write(data)
        found = os.fstat(read.fileno())
    os.chmod(new, stat.S_IMODE(found.st_mode), dir_fd=folder)
    os.utime(new, ns=(found.st_mtime_ns, found.st_mtime_ns), dir_fd=folder)


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
                bring(PrefixTree(parent), name, PrefixTree(made), name)
    for parent, _, _ in os.walk(source, topdown=False):
        made, found = target + parent[len(source) :], os.stat(parent)
        os.chown(made, found.st_uid, found.st_gid)
        os.chmod(made, stat.S_IMODE(found.st_mode))
        os.utime(made, ns=(found.st_atime_ns, found.st_mtime_ns))


def carry(old: str, new: str, paths: list[str], *, link: bool = True) -> list[str]:
    """Bring the user's files over; return those whose paths are taken in the new prefix."""
    source, target = PrefixTree(old), PrefixTree(new)
    taken = []
    for path in paths:
        try:
            brought = target.find(path) is None and bring(source, path, target, path, link=link)
        except (FileExistsError, NotADirectoryError):
            brought = False
        if not brought:
            taken.append(path)
    return taken


def save(old: str, new: str, paths: list[str], version: str) -> list[str]:
    """Bring files that cannot stay where they were to ``cuvee-saved``; return where they are now."""
    source, target = PrefixTree(old), PrefixTree(new)
    kept = []
    for path in paths:
        saved = f"{SAVED}/{version}/{path}"
        number = 1
        if way := target.in_the_way(saved):
            raise InstallError(f"{new}/{way} is a link or a file, so nothing is saved there. Move it away.")
        while target.find(saved) is not None:
            number += 1
            saved = f"{SAVED}/{version}/{path}.{number}"
        if bring(source, path, target, saved):
            kept.append(saved)
    return kept


def files_below(folder: str) -> list[str]:
    """Return the files and links below a folder, relative to it, with ``/``, sorted."""
    return sorted(_below(folder)[0])


def folders_below(folder: str) -> list[str]:
    """Return the folders below a folder, in the same way, parents first."""
    return _below(folder)[1]


def remove_tree(folder: str) -> None:
    """Remove a folder of ours and all below it, as far as that is possible; links are not followed.

    On Windows what a virus scanner reads, or a program that is just ending, stays until it is closed.
    """
    if not is_ours(folder):
        return
    _remove_tree(folder)
    for _ in range(WAITS):
        if not os.path.lexists(folder):
            return
        pause()
        _remove_tree(folder)


def pause() -> None:
    """Wait for a program that has a file open for a moment."""
    time.sleep(0.25)


def _remove_tree(folder: str) -> None:
    tree = PrefixTree(folder)
    files, folders = _below(folder)
    remove_files(tree, files, quiet=True)
    for path in reversed(folders):
        quietly(tree.rmdir, path)
    quietly(os.rmdir, folder)


def remove_files(tree: PrefixTree, paths: list[str], *, quiet: bool = False) -> None:
    """Remove files and links, as far as they are there; with ``quiet``, as far as that is possible."""
    names: dict[str, list[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        names.setdefault(folder, []).append(name)

    def remove(folder: str) -> list[str]:
        try:
            tree.unlink_all(folder, names[folder])
        except OSError:
            if not quiet:
                raise
            for name in names[folder]:
                quietly(tree.unlink, f"{folder}/{name}" if folder else name)
        return []

    if len(paths) >= _MANY and (work := forked([*names], remove)):
        work.results()
    else:  # several at a time: on Windows a virus scanner delays each
        share_in_runs([*names], remove)


def _below(folder: str) -> tuple[list[str], list[str]]:
    """Return the files and links, and the folders, parents first, that are below a folder."""
    files: list[str] = []
    folders = [] if os.path.islink(folder) else [""]
    for parent in folders:
        with contextlib.suppress(OSError), os.scandir(f"{folder}/{parent}") as entries:
            # What a listing tells of its entries costs nothing; asking once more costs much on Windows.
            for entry in entries:
                path = f"{parent}/{entry.name}" if parent else entry.name
                (folders if is_folder(entry) else files).append(path)
    return files, folders[1:]


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
