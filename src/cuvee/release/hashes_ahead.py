"""Hashes of files that are computed in threads before somebody asks for them."""

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

_THREADS = 2
"""A platform has two large files, payload and installer: one thread would have to hash both at the end."""

_TURN = 0.0001
"""Seconds until a thread that waits for Python's lock gets it. Whenever these have opened, read or hashed
something, they wait for the one that runs Python, by default for 5 ms: longer than they have worked."""


@dataclass(slots=True)
class HashesAhead:
    """Hashes files in threads; nothing is known of one before `start`, and after `stop`."""

    _found: dict[Path, Future[str | None]] = field(default_factory=dict)
    _threads: ThreadPoolExecutor | None = None
    _turn: float = field(default_factory=sys.getswitchinterval)

    def start(self, paths: Sequence[Path]) -> None:
        """Begin to hash the large ones of these files, in this order."""
        from concurrent.futures import ThreadPoolExecutor

        self.stop()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="hashes")
        sys.setswitchinterval(_TURN)
        buffers = [bytearray(_CHUNK) for _ in range(_THREADS)]  # the system would clear each new one
        large = filter(is_large, paths)
        self._found = {path: self._threads.submit(_sha256, path, buffers) for path in large}

    def take(self, path: Path) -> str | None:
        """Return the hash of a file, and forget it; `None` if it is not known, or the file was not readable.

        Waits for it, if a thread is at work on it.
        """
        future = self._found.pop(path, None)
        return None if future is None or future.cancel() else future.result()

    def stop(self) -> None:
        """Forget all hashes, and wait until no file is open."""
        self._found.clear()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
            self._threads = None
            sys.setswitchinterval(self._turn)


def is_large(path: Path) -> bool:
    """Whether a file is one that a thread should hash; a missing one is not."""
    try:
        return path.stat().st_size >= _LARGE
    except OSError:
        return False


def _sha256(path: Path, buffers: list[bytearray]) -> str | None:
    sha256, into = hashlib.sha256(), buffers.pop()
    buffer = memoryview(into)
    try:
        with path.open("rb", buffering=0) as stream:
            while count := stream.readinto(buffer):
                sha256.update(buffer[:count])
    except OSError:
        return None
    finally:
        buffers.append(into)
    return sha256.hexdigest()
