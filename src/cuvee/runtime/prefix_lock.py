"""The lock beside a prefix: only its holder changes the prefix, or what is beside it.

The system releases it when its holder dies, whichever container or machine that was in. The file names the
holder, for the message that the next one gets; nothing depends on what it says.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator

from .failure import InstallError
from .file_operations import pause, quietly
from .forked_work import LOCKS
from .installer_log import warn
from .prefix_state import beside
from .staged_folder import boot_id, host_name

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_TAKEN = frozenset((errno.EAGAIN, errno.EACCES, errno.EDEADLK))
_LONGEST_NAME = 200
_WAITS = 8
"""How often a lock is tried, with `pause` in between: children of a killed holder end within a moment."""


@contextlib.contextmanager
def hold(prefix: str) -> Iterator[None]:
    """Hold the lock beside a prefix; raise if it is taken, and say which process has it."""
    path = beside(prefix, "lock")
    handle = _take(path, prefix)
    LOCKS.add(handle)
    try:
        boot = boot_id()
        text = f"\nprocess {os.getpid()} on {host_name()}" + (f", boot {boot}" if boot else "")
        with contextlib.suppress(OSError):  # on a full disk, from which this may be to be removed
            os.ftruncate(handle, 0)
            os.write(handle, text.encode())
        yield
    finally:
        LOCKS.discard(handle)
        if os.name == "posix":
            quietly(os.unlink, path)
            os.close(handle)
        else:  # Windows removes no file that is open
            os.close(handle)
            quietly(os.unlink, path)


def _take(path: str, prefix: str) -> int:
    waits = _WAITS if sys.platform == "linux" else 0
    while True:
        handle, is_new = _open(path)
        try:
            if sys.platform == "win32":
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Its last holder may have removed it between opening and locking.
            if os.path.exists(path) and os.path.samestat(os.fstat(handle), os.stat(path)):
                return handle
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno not in _TAKEN and is_new:
                _warn_of(path, error)
                return handle
            if error.errno in _TAKEN and waits:
                waits -= 1
                os.close(handle)
                pause()
                continue
            holder = _holder(handle)
            os.close(handle)
            raise _refusal(path, prefix, holder, None if error.errno in _TAKEN else error) from None
        os.close(handle)


def _open(path: str) -> tuple[int, bool]:
    """Open the lock file; return also whether this has made it."""
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    while True:
        with contextlib.suppress(FileExistsError):
            return os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600), True
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, flags), False


def _warn_of(path: str, error: OSError) -> None:
    # The file itself keeps others out: making it is one step everywhere. Only nothing removes it when we die.
    folder, reason = os.path.dirname(path), error.strerror
    warn([f"{folder} has no locks ({reason}); if this is killed, remove {path} before the next try"])


def _refusal(path: str, prefix: str, holder: str, error: OSError | None) -> InstallError:
    by = f": {holder}" if holder else ""
    if error is None:
        return InstallError(
            f"Another installer is at work on {prefix}{by}. Try again when it has ended. Nothing was changed."
        )
    return InstallError(
        f"Another installer is at work on {prefix}, or was killed{by}. The file system has no locks "
        f"({error.strerror}) that would tell. If none is at work any more, remove {path} and try again."
    )


def _holder(handle: int) -> str:
    """Return who holds the lock, as one printable line; empty if it has not said so yet."""
    try:
        os.lseek(handle, 1, os.SEEK_SET)  # on Windows the byte that is locked cannot be read
        text = os.read(handle, _LONGEST_NAME).decode(errors="replace")
    except OSError:
        return ""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
