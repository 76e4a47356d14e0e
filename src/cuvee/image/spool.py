"""Temporary storage of files of a package, which can be far larger than memory.

The order of files in an archive differs from that in frames, so a whole package is spooled before packing.
"""

import hashlib
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path
from typing import Self

from cuvee.errors import StorageError
from cuvee.files import storage_errors

IN_MEMORY = 64 << 20
"""Bytes that a spool holds; files that come after them go to disk. Nearly all packages have fewer."""


class Spool:
    """Files in memory as they come, without a copy; or in a temporary file in ``folder``, once they are many.

    Not thread-safe.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._left = IN_MEMORY
        self._end = 0
        self._file: FileIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Delete what is on disk; it cannot be read any longer."""
        if self._file is not None:
            self._file.close()

    def add(self, chunks: Iterable[bytes]) -> "SpooledBytes":
        """Store bytes, and hash them on the way.

        Raises
        ------
        StorageError
            If the disk is full.
        """
        digest, start, size = hashlib.sha256(), self._end, 0
        kept: list[bytes] = []
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            kept.append(chunk)
            if size > self._left:
                self._write(kept)
                kept.clear()
        if size > self._left:
            return SpooledBytes(spool=self, start=start, size=size, sha256=digest.hexdigest())
        self._left -= size
        return SpooledBytes(spool=self, start=0, size=size, sha256=digest.hexdigest(), kept=tuple(kept))

    def _write(self, chunks: Iterable[bytes]) -> None:
        with storage_errors(self._folder):
            if self._file is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                # Without a buffer: files are read and written whole. Closed by __exit__, as files are.
                self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
            self._file.seek(self._end)
            for chunk in chunks:
                view = memoryview(chunk)
                while view:  # a file may take a part of them
                    view = view[self._file.write(view) :]
                self._end += len(chunk)

    def read_into(self, start: int, view: memoryview) -> None:
        """Fill ``view`` with the bytes on disk from ``start`` on."""
        if self._file is None:
            raise AssertionError("nothing of the spool is on disk")
        with storage_errors(self._folder):
            self._file.seek(start)
            while view:
                count = self._file.readinto(view)
                if not count:
                    raise StorageError(f"The temporary file in {self._folder} has lost data")
                view = view[count:]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpooledBytes:
    """Bytes in a spool; a slice has no hash.

    Attributes
    ----------
    start
        Where they begin: in ``kept``, or, without these, in the spool's file.
    """

    spool: Spool
    start: int
    size: int
    sha256: str | None
    kept: tuple[bytes, ...] = ()

    def read_into(self, view: memoryview) -> None:
        """Fill ``view``, which is as long as the bytes or shorter."""
        if not self.kept:
            if view:
                self.spool.read_into(self.start, view)
            return
        skipped = self.start
        for chunk in self.kept:
            part = memoryview(chunk)[skipped : skipped + len(view)]
            view[: len(part)] = part
            view = view[len(part) :]
            skipped = max(0, skipped - len(chunk))

    def read(self, size: int | None = None) -> bytes:
        """Return the bytes, or the first ``size`` of them."""
        if size is None and len(self.kept) == 1 and self.size == len(self.kept[0]):
            return self.kept[0]
        data = bytearray(self.size if size is None else min(size, self.size))
        self.read_into(memoryview(data))
        return bytes(data)

    def slice(self, at: int, size: int) -> "SpooledBytes":
        """Return up to ``size`` of the bytes from ``at`` on."""
        return replace(self, start=self.start + at, size=min(size, self.size - at), sha256=None)
