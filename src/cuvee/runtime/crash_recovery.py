"""Locking a prefix, and finishing what was killed: the names beside it are the journal.

Beside a prefix ``p``, the process N names what it works with ``.p.cuvee-N.KIND``:

``partial``
    Was never finished, or is being removed: it goes.
``old``
    The release that was in place before. It goes back if there is no prefix; otherwise the new release is
    complete, and this one becomes ``.p.cuvee-kept``, which is for `rollback`.
``run``
    Where Windows' own part runs from: it goes.

A release with the file `prefix_state.UNPROVED` waits for its post_install to end; without its installer it is
withdrawn. Only what no living process works with is touched, and only what is ours.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from . import prefix_swap
from .failure import InstallError
from .file_operations import quietly, remove_tree
from .prefix_state import MARKER, OLD_MARKER, UNPROVED, beside, is_ours

if sys.platform == "win32":
    import _winapi
    import msvcrt
else:
    import fcntl

# https://learn.microsoft.com/windows/win32/procthread/process-security-and-access-rights
_SYNCHRONIZE, _ERROR_ACCESS_DENIED = 0x100000, 5


@contextlib.contextmanager
def hold(prefix: str) -> Iterator[None]:
    """Hold the lock beside a prefix, which the system releases when its holder dies; raise if it is taken."""
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


def recover(prefix: str) -> None:
    """Put back what had been moved aside, and remove what was never finished."""
    withdraw(prefix)
    parent, name = os.path.split(prefix)
    start = f".{name}.cuvee-"
    for left in sorted(os.listdir(parent)):
        process, _, kind = left[len(start) :].partition(".")
        if not left.startswith(start) or not process.isdigit() or _is_alive(int(process)):
            continue
        path = os.path.join(parent, left)
        if not is_ours(path):
            continue
        if kind == "old" and not os.path.lexists(prefix):
            os.rename(path, prefix)
        elif kind == "old":
            remove_tree(beside(prefix, "kept"))
            os.rename(path, beside(prefix, "kept"))
        elif kind in {"partial", "run"}:
            remove_tree(path)


def withdraw(prefix: str, staged: str = "") -> None:
    """Remove a release whose post_install did not end well, and put back the one that was there before.

    Only a release whose installer is dead, or that was put there from ``staged``.
    """
    owner = _owner(prefix)
    if owner is None or (owner != process_of(staged) if staged else _is_alive(owner)) or not is_ours(prefix):
        return
    old, aside = beside(prefix, f"{owner}.old"), beside(prefix, f"{owner}.partial")
    if os.path.lexists(old) and not os.path.lexists(aside):
        prefix_swap.rename_folder(old, aside)
    if not any(
        os.path.lexists(f"{aside}/{path}") for path in (MARKER, OLD_MARKER)
    ):  # there was no release before
        prefix_swap.rename_folder(prefix, aside)
    elif not prefix_swap.exchange(aside, prefix):
        prefix_swap.rename_folder(aside, old)
        prefix_swap.rename_folder(prefix, aside)
        prefix_swap.rename_folder(old, prefix)
    remove_tree(aside)


def abandon(staged: str, prefix: str) -> None:
    """Remove what was staged, unless it is the old release, because `withdraw` could not put it back."""
    if _owner(prefix) != process_of(staged):
        remove_tree(staged)


def process_of(staged: str) -> int:
    """Return the process number in the name of a folder beside the prefix, -1 without one."""
    text = staged.rpartition("cuvee-")[2].partition(".")[0]
    return int(text) if text.isdigit() else -1


def _owner(prefix: str) -> int | None:
    """Return which process put a release there that is unproved; 0 if the file does not say."""
    try:
        with open(f"{prefix}/{UNPROVED}", encoding="ascii") as stream:
            text = stream.read()
    except (OSError, ValueError):
        return None
    return int(text) if text.isdigit() else 0


def _is_alive(process: int) -> bool:
    if process <= 0:
        return False
    if sys.platform == "win32":  # where `os.kill` would end it
        try:
            handle = _winapi.OpenProcess(_SYNCHRONIZE, False, process)
        except OSError as error:
            return error.winerror == _ERROR_ACCESS_DENIED
        try:
            return _winapi.WaitForSingleObject(handle, 0) == _winapi.WAIT_TIMEOUT
        finally:
            _winapi.CloseHandle(handle)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
