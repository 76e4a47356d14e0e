"""Bringing files of one prefix into another that is made beside it: linked where possible, not copied."""

from __future__ import annotations

import os
import stat

from .state import SAVED

_CHUNK = 1 << 20


def bring(source: str, target: str, *, link: bool = True) -> bool:
    """Make ``target`` the file or link that ``source`` is, or a copy; false if it is neither."""
    mode = os.lstat(source).st_mode
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink(source), target)
        return True
    if not stat.S_ISREG(mode):
        return False
    bring_file(source, target, link=link)
    return True


def bring_file(source: str, target: str, *, link: bool = True) -> None:
    """Make ``target`` the file that ``source`` is, or a copy; a link takes one system call."""
    if link and _link(source, target):
        return
    with open(source, "rb") as read, open(target, "xb") as write:
        while data := read.read(_CHUNK):
            write.write(data)
    found = os.stat(source)
    os.chmod(target, stat.S_IMODE(found.st_mode))
    os.utime(target, ns=(found.st_mtime_ns, found.st_mtime_ns))


def _link(source: str, target: str) -> bool:
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # another disk, or one that has no hard links, or links are not allowed
        return False
    return True


def carry(old: str, new: str, paths: list[str], *, link: bool = True) -> list[str]:
    """Bring the user's files over; give those that found their place taken."""
    taken = []
    for path in paths:
        place = f"{new}/{path}"
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            brought = not os.path.lexists(place) and bring(f"{old}/{path}", place, link=link)
        except (FileExistsError, NotADirectoryError):
            brought = False
        if not brought:
            taken.append(path)
    return taken


def save(old: str, new: str, paths: list[str], version: str) -> list[str]:
    """Keep files of the old prefix that can't stay where they were; give where they are now."""
    kept = []
    for path in paths:
        place = f"{SAVED}/{version}/{path}"
        number = 1
        while os.path.lexists(f"{new}/{place}"):
            number += 1
            place = f"{SAVED}/{version}/{path}.{number}"
        os.makedirs(os.path.dirname(f"{new}/{place}"), exist_ok=True)
        if bring(f"{old}/{path}", f"{new}/{place}"):
            kept.append(place)
    return kept


def files_below(folder: str) -> list[str]:
    """Give the files and links below a folder, relative to it."""
    found = []
    for parent, folders, names in os.walk(folder):
        relative = os.path.relpath(parent, folder).replace(os.sep, "/")
        start = "" if relative == "." else f"{relative}/"
        links = [name for name in folders if os.path.islink(f"{parent}/{name}")]
        found += [start + name for name in names + links]
    return sorted(found)
