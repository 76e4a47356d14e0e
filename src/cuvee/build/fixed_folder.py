"""Folders for builds, with the same path on every machine: compilers and installers write it into files."""

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cuvee import process
from cuvee.errors import StorageError
from cuvee.files import storage_errors

_ROOT = Path("/tmp") if sys.platform != "win32" else Path(tempfile.gettempdir())  # noqa: S108 - its folders are made for this user only
_LOOK_EVERY = 0.2
"""Seconds between two looks at a folder in which another process builds."""


@contextmanager
def fixed_folder(key: str) -> Iterator[Path]:
    """Yield an empty folder named by a build key, which is removed afterwards.

    If another process builds the same, as for a release of another platform, this waits until it has ended.

    Raises
    ------
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
    while True:
        folder.mkdir(mode=0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # who had the lock has removed it
            found = folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or (os.name == "posix" and found.st_uid != os.geteuid()):
                raise StorageError(
                    f"{folder} belongs to somebody else, and builds need a folder of that name",
                    hint="Remove it, or ask who has made it to do that.",
                )
            if os.name == "nt":  # where nothing is built yet
                return None
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            if _has_lock(folder, handle):
                return handle
            process.pause(_LOOK_EVERY)


def _has_lock(folder: Path, handle: int) -> bool:
    """Lock an opened folder, or close it: another process has locked it, or removed it and made a new one."""
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(folder.lstat(), os.fstat(handle)):
            return True
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError:
        os.close(handle)
        raise
    os.close(handle)
    return False
