"""The files in a package's archives and its bill of materials."""

import posixpath
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = "."
"""The path of the folder that contains all others: the install location."""

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadEntry:
    """A file or folder.

    Attributes
    ----------
    path
        Relative to the install location, with ``/``; that folder itself is ``.``.
    mode
        Type and permissions, as in `os.stat_result.st_mode`.
    content
        A file's bytes, or the file to read them from; empty for a folder.
    """

    path: str
    mode: int
    content: bytes | Path = b""

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.mode)

    @property
    def parent(self) -> str:
        """The path of the folder that contains it."""
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
        """Yield its content in chunks of at most a mebibyte."""
        if isinstance(self.content, bytes):
            for start in range(0, len(self.content), _CHUNK):
                yield self.content[start : start + _CHUNK]
            return
        with self.content.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk


def folder_entry(path: str) -> PayloadEntry:
    """Return an entry for a folder that only its owner may change."""
    return PayloadEntry(path=path, mode=stat.S_IFDIR | 0o755)


def file_entry(path: str, content: bytes | Path, *, executable: bool = False) -> PayloadEntry:
    """Return an entry for a file that only its owner may change."""
    return PayloadEntry(path=path, mode=stat.S_IFREG | (0o755 if executable else 0o644), content=content)
