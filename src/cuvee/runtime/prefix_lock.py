"""One at a time: a lock beside the prefix, which the system releases when its holder dies."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from .failure import InstallError
from .file_operations import quietly
from .prefix_state import beside

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


@contextlib.contextmanager
def hold(prefix: str) -> Iterator[None]:
    """Hold the prefix's lock; raise if another process has it."""
    path = beside(prefix, "lock")
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            if sys.platform == "win32":
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its last holder may have removed it between opening and locking.
            if os.path.exists(path) and os.path.samestat(os.fstat(handle), os.stat(path)):
                break
        except FileNotFoundError:
            pass
        except OSError:
            os.close(handle)
            raise InstallError(
                f"Another installer is at work on {prefix}. Try again when it has ended."
            ) from None
        os.close(handle)
    try:
        yield
    finally:
        if os.name == "posix":
            quietly(os.unlink, path)
            os.close(handle)
        else:  # Windows removes no file that is open
            os.close(handle)
            quietly(os.unlink, path)
