"""Files that another release on this machine has, too: the two share the space of their bytes on the disk.

XFS and btrfs clone a file (https://man7.org/linux/man-pages/man2/ioctl_ficlone.2.html): each release has a
file of its own, and what is written into one is not in the other. A hard link is one file with two names, so
files are linked only if ``--share`` asks for it, and only where they cannot be cloned.

Nothing that the other release says of itself is believed, except which packages it has: that decides whether
it is worth a look. A file is taken if it is the caller's or root's, and if its bytes have the hash that our
own manifest has. They are hashed when the file is cloned or linked already. What is read of the older file is
what was cloned if that has not been changed since before: no program can choose the time that is noted.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from typing import NamedTuple

from .expected_file import ExpectedFile, has_bytes
from .forked_work import forked
from .installer_run import InstallerRun
from .prefix_state import MARKER, InstalledRelease, PrefixState
from .prefix_tree import FILE, READ, PrefixTree
from .prefix_writer import RELOCATED, PrefixWriter
from .verify import expected_files
from .worker_threads import share_in_runs

if sys.platform == "linux":
    import fcntl

_FICLONE = 0x40049409
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | FILE
_OTHERS_WRITE = 0o002  # which default ACLs may allow, whatever the umask is
_COARSEST = 2_000_000_000
"""No file system notes times in longer steps, in nanoseconds: what changes twice in one may not show it."""
_OWN = frozenset((*RELOCATED, "record"))
"""How files are written that are not the same in two prefixes."""


class SharedFiles(NamedTuple):
    """What a new prefix shares with another one: ``lines`` are told, ``details`` are for the log."""

    lines: list[str]
    details: dict[str, list[str]]


def share_files(run: InstallerRun, writer: PrefixWriter, other: str, *, link: bool) -> SharedFiles:
    """Take what the release at ``other`` has too, unless it is taken already.

    Files are linked only if ``--share`` is given. Without ``link`` they must not be, whatever is given.
    """
    is_asked = any(option.partition("=")[0] == "--share" for option in run.options)
    if not other:
        folder = os.path.dirname(run.prefix)
        return SharedFiles([f"No other release is in {folder} to share files with"] if is_asked else [], {})
    can_clone = _can_clone(other, writer.folder)
    if not can_clone and not (is_asked and link):
        line = f"No files are shared with {other}: their file system does not clone files"
        line += "" if link else ", and if they were linked, post_install might write into them"
        return SharedFiles([line] if is_asked else [], {})
    taken = _Taking(other, writer, link=not can_clone).take_all()
    writer.taken.update(taken)
    if not taken and not is_asked:
        return SharedFiles([], {})
    size = sum(taken.values())
    line = f"{len(taken):,} files ({size / 1e6:,.1f} MB) share their space on the disk with {other}"
    if not can_clone:
        line += ". They are hard links: a program that writes into one of them changes it in both"
    way = "reflink" if can_clone else "hard link"
    return SharedFiles([line], {"shared": [f"{len(taken)} files by {way} with {other}"]})


class _WantedFile(NamedTuple):
    """A file as it should be; ``time`` is that of its last change, if that matters."""

    name: str
    expected: ExpectedFile
    time: int | None


class _Taking:
    """Taking files of another prefix; several children or threads may do so, each with other folders."""

    def __init__(self, other: str, writer: PrefixWriter, *, link: bool) -> None:
        self._other = PrefixTree(other)
        self._made = PrefixTree(writer.folder)
        self._mask = writer.imposed.mask
        self._group = os.stat(writer.folder).st_gid
        self._early = {entry.path for entry in writer.unpacked}
        self._settled = time.time_ns() - _COARSEST
        self._take = self._link if link else self._clone
        self._folders = _wanted(writer)

    def take_all(self) -> dict[str, int]:
        """Take what is wanted; return the size of each file that was taken."""
        folders, taken = sorted(self._folders), []
        if work := forked(folders, self._take_folder):
            taken = work.results()
        else:
            share_in_runs(folders, lambda folder: taken.extend(self._take_folder(folder)))
        sizes = {
            f"{folder}/{file.name}" if folder else file.name: file.expected.size
            for folder, files in self._folders.items()
            for file in files
        }
        return {path: sizes[path] for path in taken}

    def _take_folder(self, folder: str) -> list[str]:
        """Take what is wanted of a folder, and is as it should be; return what was taken."""
        inside = f"{folder}/" if folder else ""
        taken: list[str] = []
        with (
            contextlib.suppress(OSError),
            self._other.place(f"{inside}_") as (_, there),
            self._made.place(f"{inside}_") as (_, here),
        ):
            for file in self._folders[folder]:
                # What is unpacked already may be open, so the new file takes the old one's name.
                new = f"{file.name}.shared" if inside + file.name in self._early else file.name
                try:
                    good = self._take(file, new, there, here)
                except OSError:  # it is not there, or is not a file, or the disk is full
                    good = False
                if not good:
                    with contextlib.suppress(FileNotFoundError):
                        os.unlink(new, dir_fd=here)
                    continue
                if new != file.name:
                    os.replace(new, file.name, src_dir_fd=here, dst_dir_fd=here)
                taken.append(inside + file.name)
        return taken

    def _clone(self, file: _WantedFile, new: str, there: int | None, here: int | None) -> bool:
        old = os.open(file.name, READ, dir_fd=there)
        try:
            before = os.fstat(old)
            if not _may_be(before, file):
                return False
            made = os.open(new, _NEW, file.expected.mode & ~_OTHERS_WRITE, dir_fd=here)
            try:
                _ioctl_clone(made, old)
                is_settled = before.st_ctime_ns < self._settled
                # Reading the older one takes less time: more of it is in memory.
                if not has_bytes(old if is_settled else made, file.expected):
                    return False
                if is_settled and _times(os.fstat(old)) != _times(before):
                    return False
                if file.time is not None:
                    os.utime(made, (file.time, file.time))
            finally:
                os.close(made)
        finally:
            os.close(old)
        return True

    def _link(self, file: _WantedFile, new: str, there: int | None, here: int | None) -> bool:
        # It is one file from now on, so mode, owner and time must be right: none of them is changed.
        os.link(file.name, new, src_dir_fd=there, dst_dir_fd=here, follow_symlinks=False)
        handle = os.open(new, READ, dir_fd=here)
        try:
            found = os.fstat(handle)
            return (
                _may_be(found, file)
                and (found.st_uid, found.st_gid) == (os.geteuid(), self._group)
                and stat.S_IMODE(found.st_mode) in file.expected.modes([self._mask])
                and file.time in (None, int(found.st_mtime))
                and has_bytes(handle, file.expected)
            )
        finally:
            os.close(handle)


def _wanted(writer: PrefixWriter) -> dict[str, list[_WantedFile]]:
    """Return the files that may be taken by their folder."""
    manifest = writer.manifest
    expected, _ = expected_files(InstalledRelease("", "", manifest, PrefixState("", "", [], 0, {}, {})))
    lists = [frame.files for frame in [*manifest.frames(), *manifest.records]]
    found: dict[str, list[_WantedFile]] = {}
    seen: set[str] = set()
    for file in (file for files in [*lists, writer.unpacked] for file in files):
        if file.how in _OWN or file.how == "link" or file.path in seen or not writer.wants(file.path):
            continue
        seen.add(file.path)
        folder, _, name = file.path.rpartition("/")
        found.setdefault(folder, []).append(_WantedFile(name, expected[file.path], file.time(manifest)))
    return found


def _may_be(found: os.stat_result, file: _WantedFile) -> bool:
    is_trusted = found.st_uid in {0, os.geteuid()} and not found.st_mode & stat.S_IWOTH
    return is_trusted and stat.S_ISREG(found.st_mode) and found.st_size == file.expected.size


def _times(found: os.stat_result) -> tuple[int, int]:
    return found.st_ctime_ns, found.st_mtime_ns


def _ioctl_clone(made: int, old: int) -> None:
    if sys.platform != "linux":
        raise OSError
    fcntl.ioctl(made, _FICLONE, old)


def _can_clone(other: str, folder: str) -> bool:
    """Return whether files of a prefix can be cloned into a folder; it is asked only once."""
    probe = f"{folder}/.cuvee-probe"
    try:
        old = PrefixTree(other).open(MARKER, os.O_RDONLY)
        try:
            made = os.open(probe, _NEW, 0o600)
            try:
                _ioctl_clone(made, old)
            finally:
                os.close(made)
                os.unlink(probe)
        finally:
            os.close(old)
    except OSError:
        return False
    return True
