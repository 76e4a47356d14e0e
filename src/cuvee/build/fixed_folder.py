"""Folders for builds, with the same path on every machine: compilers and installers write it into files."""

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cuvee.errors import BusyError, StorageError
from cuvee.files import storage_errors

_ROOT = Path("/tmp") if sys.platform != "win32" else Path(tempfile.gettempdir())  # noqa: S108 - its folders are made for this user only


@contextmanager
def fixed_folder(key: str) -> Iterator[Path]:
    """Yield an empty folder named by a build key, which is removed afterwards.

    Raises
    ------
    BusyError
        If another process builds the same.
    StorageError
        If the folder cannot be made, or belongs to somebody else.
    """
    folder = _ROOT / f"cuvee-build-{key[:20]}"
    with storage_errors(folder):
        lock = _locked(folder)
        try:
            for entry in folder.iterdir():  # what a killed run has left
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if lock is not None:
                os.close(lock)


def _locked(folder: Path) -> int | None:
    """Make a folder if there is none, and lock it until what is returned is closed."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or (os.name == "posix" and found.st_uid != os.geteuid()):
        raise StorageError(
            f"{folder} belongs to somebody else, and builds need a folder of that name",
            hint="Remove it, or ask who has made it to do that.",
        )
    try:
        import fcntl
    except ImportError:  # Windows, where nothing is built yet
        return None
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise BusyError(
            f"Another cuvee builds in {folder}", hint="Wait until it has finished, or stop it."
        ) from None
    return handle
