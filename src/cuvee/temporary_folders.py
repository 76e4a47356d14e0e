"""Temporary folders. What a killed run has left of them, the next run removes.

Each folder is locked by the process that has made it, and the system releases the lock when that dies. So a
folder that can be locked is a left-over, whatever the numbers of processes say in this container.
"""

import logging
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cuvee.files import storage_errors

_NAME = re.compile(r"\.?cuvee-[a-z]+-[a-z0-9_]{8}\.tmp")
_swept: set[Path] = set()


@contextmanager
def temporary_folder(purpose: str, *, within: Path | None = None) -> Iterator[Path]:
    """Yield a new folder, which is removed afterwards.

    The first time that a process makes one, it also removes the left-overs beside it.

    Parameters
    ----------
    purpose
        A word for its name, in small letters.
    within
        The folder to make it in; `None` for the system's folder for temporary files.

    Raises
    ------
    StorageError
        If it cannot be made.
    """
    parent = Path(tempfile.gettempdir()) if within is None else within
    with storage_errors(parent):
        sweep(parent)
        folder, handle = _make(f"{'' if within is None else '.'}cuvee-{purpose}-", parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if handle is not None:
            os.close(handle)


def sweep(parent: Path) -> None:
    """Remove the left-overs in a folder, and log a line for each; once in a process."""
    if parent in _swept:
        return
    _swept.add(parent)
    with suppress(OSError):
        for path in sorted(parent.iterdir()):
            if _NAME.fullmatch(path.name) and _is_ours(path):
                _remove_left_over(path)


def _make(prefix: str, parent: Path) -> tuple[Path, int | None]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, suffix=".tmp", dir=parent))
        with suppress(FileNotFoundError):  # another run has taken it for a left-over: it was not locked yet
            handle = _lock(folder)
            if folder.exists():
                return folder, handle


def _remove_left_over(folder: Path) -> None:
    with suppress(OSError):
        handle = _lock(folder)
        if handle is not None:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(handle)
            logging.getLogger("cuvee").warning("Removed %s, which a killed run had left", folder)


def _lock(folder: Path) -> int | None:
    """Lock a folder, and return what must stay open; `None` if it is locked already, or has no locks."""
    try:
        import fcntl
    except ImportError:  # Windows, where nothing is swept
        return None
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle


def _is_ours(path: Path) -> bool:
    found = path.lstat()
    return stat.S_ISDIR(found.st_mode) and (os.name != "posix" or found.st_uid == os.geteuid())
