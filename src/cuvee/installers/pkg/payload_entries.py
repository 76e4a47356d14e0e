"""The files that a package installs, as its payload and its Bom list them."""

import posixpath
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cuvee.errors import IntegrityError

ROOT = "."
"""The path of the folder that all others are in: the install location."""

_CHUNK = 1 << 20
_PART = r"(?!\.{1,2}(?:/|$))[^/\x00-\x1f\x7f]+"
_RELATIVE = re.compile(rf"{_PART}(?:/{_PART})*")
_LONGEST = 1023  # macOS's PATH_MAX without the final NUL


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadEntry:
    """One path.

    Attributes
    ----------
    path
        Relative to the install location, with ``/``; that folder itself is ``.``.
    mode
        Type and permissions, as `os.stat` gives them.
    content
        A file's bytes, or where they can be read; a link's target; empty for a folder.
    """

    path: str
    mode: int
    content: bytes | Path = b""

    @property
    def is_folder(self) -> bool:
        """Whether it may have others below it."""
        return stat.S_ISDIR(self.mode)

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.mode)

    @property
    def parent(self) -> str:
        """The path of the folder that it is in."""
        return posixpath.dirname(self.path) or ROOT

    @property
    def name(self) -> str:
        """The last part of its path."""
        return posixpath.basename(self.path)

    @property
    def size(self) -> int:
        """Bytes of its content."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    def chunks(self) -> Iterator[bytes]:
        """Give its content in pieces, so that a large file is never whole in memory."""
        yield from pieces(self.content)


def folder_entry(path: str) -> PayloadEntry:
    """Give an entry for a folder that everybody may enter and only its owner may change."""
    return PayloadEntry(path=path, mode=stat.S_IFDIR | 0o755)


def file_entry(path: str, content: bytes | Path, *, executable: bool = False) -> PayloadEntry:
    """Give an entry for a file that everybody may read and only its owner may change."""
    return PayloadEntry(path=path, mode=stat.S_IFREG | (0o755 if executable else 0o644), content=content)


def link_entry(path: str, target: str) -> PayloadEntry:
    """Give an entry for a symbolic link; its permissions are what macOS gives to links."""
    return PayloadEntry(path=path, mode=stat.S_IFLNK | 0o755, content=target.encode())


def pieces(content: bytes | Path) -> Iterator[bytes]:
    """Give bytes, or those of a file, in pieces of at most a mebibyte."""
    if isinstance(content, bytes):
        for start in range(0, len(content), _CHUNK):
            yield content[start : start + _CHUNK]
        return
    with content.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def ordered_entries(entries: Iterable[PayloadEntry]) -> tuple[PayloadEntry, ...]:
    """Give the entries in order, each behind the folder that it is in.

    Raises
    ------
    IntegrityError
        If a path leaves the install location, comes twice, could not exist on macOS, or lies in no folder.
    """
    ordered = tuple(sorted(entries, key=lambda entry: [] if entry.path == ROOT else entry.path.split("/")))
    if not ordered or ordered[0].path != ROOT:
        raise IntegrityError("A package's files have no root folder")
    folders = {entry.path for entry in ordered if entry.is_folder}
    seen = set()
    for entry in ordered:
        if entry.path in seen:
            raise IntegrityError(f"A package holds the path {entry.path!r} twice")
        seen.add(entry.path)
        if entry.path != ROOT and (_RELATIVE.fullmatch(entry.path) is None or not _fits(entry.path)):
            raise IntegrityError(f"A package can not hold the path {entry.path!r}")
        if entry.parent not in folders:
            raise IntegrityError(f"A package holds {entry.path!r}, but not the folder that it is in")
    return ordered


def _fits(path: str) -> bool:
    try:
        return len(path.encode()) <= _LONGEST
    except UnicodeEncodeError:
        return False
