"""Hashes of files that are computed in a thread before somebody asks for them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

_LARGE = 1 << 20
"""Bytes from which a file is worth it: of a small one, a thread hashes little and waits for the others."""

_CHUNK = 4 << 20
"""Bytes at a time, which stay in the processor's cache from being read to being hashed."""

_TURN = 0.0001
"""Seconds until a thread that waits for Python's lock gets it. Whenever this one has opened, read or hashed
something, it waits for the one that runs Python, by default for 5 ms: longer than it has worked."""


@dataclass(slots=True)
class HashesAhead:
    """Hashes files in a thread; nothing is known of one before `start`, and after `stop`."""

    _found: dict[Path, Future[str | None]] = field(default_factory=dict)
    _thread: ThreadPoolExecutor | None = None
    _turn: float = field(default_factory=sys.getswitchinterval)

    def start(self, paths: Sequence[Path]) -> None:
        """Begin to hash the large ones of these files, in this order."""
        from concurrent.futures import ThreadPoolExecutor

        self.stop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="hashes")
        sys.setswitchinterval(_TURN)
        buffer = bytearray(_CHUNK)  # one for all: the system would clear each new one
        large = filter(is_large, paths)
        self._found = {path: self._thread.submit(_sha256, path, buffer) for path in large}

    def take(self, path: Path) -> str | None:
        """Return the hash of a file, and forget it; `None` if it is not known, or the file was not readable.

        Waits for it, if the thread is at work on it.
        """
        future = self._found.pop(path, None)
        return None if future is None or future.cancel() else future.result()

    def stop(self) -> None:
        """Forget all hashes, and wait until no file is open."""
        self._found.clear()
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
            self._thread = None
            sys.setswitchinterval(self._turn)


def is_large(path: Path) -> bool:
    """Whether a file is one that a thread should hash; a missing one is not."""
    try:
        return path.stat().st_size >= _LARGE
    except OSError:
        return False


def _sha256(path: Path, into: bytearray) -> str | None:
    sha256, buffer = hashlib.sha256(), memoryview(into)
    try:
        with path.open("rb", buffering=0) as stream:
            while count := stream.readinto(buffer):
                sha256.update(buffer[:count])
    except OSError:
        return None
    return sha256.hexdigest()
