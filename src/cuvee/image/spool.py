"""Where the files of a package wait to be packed: a package can be far larger than memory.

Archives hold their files in another order than frames do, so all of a package is put aside first.
"""

import hashlib
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from cuvee.errors import StorageError
from cuvee.files import storage_errors

IN_MEMORY = 32 << 20
"""Bytes that a spool holds before it goes to disk; most packages never do."""


class Spool:
    """Bytes put aside, in a file without a name once they are many. Not to be shared by threads.

    Parameters
    ----------
    folder
        Is on the disk that they go to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._end = 0
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            # Closed by __exit__, as files are.
            self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(folder))  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget everything; what was kept can not be read any more."""
        self._file.close()

    def add(self, chunks: Iterable[bytes]) -> "SpooledBytes":
        """Put bytes aside, and hash them on their way.

        Raises
        ------
        StorageError
            If the disk is full.
        """
        digest, start = hashlib.sha256(), self._end
        self._file.seek(start)
        for chunk in chunks:
            digest.update(chunk)
            with storage_errors(self._folder):
                self._file.write(chunk)
            self._end += len(chunk)
        return SpooledBytes(spool=self, start=start, size=self._end - start, sha256=digest.hexdigest())

    def read_into(self, start: int, view: memoryview) -> None:
        """Fill ``view`` with the bytes from ``start`` on."""
        with storage_errors(self._folder):
            self._file.seek(start)
            while view:
                count = self._file.readinto(view)
                if not count:
                    raise StorageError(f"What was put aside in {self._folder} is gone")
                view = view[count:]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpooledBytes:
    """Bytes in a spool.

    Attributes
    ----------
    sha256
        Hex digest; `None` for a part of what was put aside at once.
    """

    spool: Spool
    start: int
    size: int
    sha256: str | None

    def read_into(self, view: memoryview) -> None:
        """Fill ``view``, which is as long as they are or shorter."""
        self.spool.read_into(self.start, view)

    def read(self, size: int | None = None) -> bytes:
        """Give them, or the first ``size`` of them."""
        data = bytearray(self.size if size is None else min(size, self.size))
        self.read_into(memoryview(data))
        return bytes(data)

    def cut(self, at: int, size: int) -> "SpooledBytes":
        """Give up to ``size`` of them from ``at`` on."""
        return SpooledBytes(
            spool=self.spool, start=self.start + at, size=min(size, self.size - at), sha256=None
        )
