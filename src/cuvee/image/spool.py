"""Temporary storage of files of a package, which can be far larger than memory.

The order of files in an archive differs from that in frames, so a whole package is spooled before packing.
"""

import hashlib
import io
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cuvee.errors import StorageError
from cuvee.files import storage_errors

IN_MEMORY = 32 << 20
"""Bytes that a spool holds before it goes to disk; most packages have fewer."""

_CHUNK = 1 << 20


class Spool:
    """Bytes in memory, or in a temporary file in ``folder`` once they are many. Not thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._end = 0
        self._file: io.BytesIO | io.FileIO = io.BytesIO()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Delete all bytes; what refers to them cannot be read any longer."""
        self._file.close()

    def add(self, chunks: Iterable[bytes]) -> "SpooledBytes":
        """Store bytes, and hash them on the way.

        Raises
        ------
        StorageError
            If the disk is full.
        """
        digest, start = hashlib.sha256(), self._end
        with storage_errors(self._folder):
            self._file.seek(start)
        for chunk in chunks:
            digest.update(chunk)
            with storage_errors(self._folder):
                _write(self._file, chunk)
                self._end += len(chunk)
                if self._end > IN_MEMORY and isinstance(self._file, io.BytesIO):
                    self._go_to_disk(self._file)
        return SpooledBytes(spool=self, start=start, size=self._end - start, sha256=digest.hexdigest())

    def _go_to_disk(self, memory: io.BytesIO) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        # Without a buffer: files are read and written whole. Closed by __exit__, as files are.
        self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
        memory.seek(0)
        while chunk := memory.read(_CHUNK):
            _write(self._file, chunk)

    def read_into(self, start: int, view: memoryview) -> None:
        """Fill ``view`` with the bytes from ``start`` on."""
        with storage_errors(self._folder):
            self._file.seek(start)
            while view:
                count = self._file.readinto(view)
                if not count:
                    raise StorageError(f"The temporary file in {self._folder} has lost data")
                view = view[count:]


def _write(file: io.BytesIO | io.FileIO, data: bytes) -> None:
    """Write all bytes: a file may take a part of them."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpooledBytes:
    """Bytes in a spool; a slice has no hash."""

    spool: Spool
    start: int
    size: int
    sha256: str | None

    def read_into(self, view: memoryview) -> None:
        """Fill ``view``, which is as long as the bytes or shorter."""
        self.spool.read_into(self.start, view)

    def read(self, size: int | None = None) -> bytes:
        """Return the bytes, or the first ``size`` of them."""
        data = bytearray(self.size if size is None else min(size, self.size))
        self.read_into(memoryview(data))
        return bytes(data)

    def slice(self, at: int, size: int) -> "SpooledBytes":
        """Return up to ``size`` of the bytes from ``at`` on."""
        return SpooledBytes(
            spool=self.spool, start=self.start + at, size=min(size, self.size - at), sha256=None
        )
