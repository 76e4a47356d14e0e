"""The modes that new files and folders get in a place, where the umask or default ACLs take bits away.

With default ACLs, the umask has no effect, see https://man7.org/linux/man-pages/man5/acl.5.html. So the place
is asked: a file and a folder are made there and removed again. Nothing is made that others could write to.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable
from typing import NamedTuple

FOLDER = 0o775
"""What is asked for when a folder is made: with a default ACL, no umask takes the right of others away."""
_PROBE = ".cuvee-probe"


class ImposedModes(NamedTuple):
    """The bits that no new file has, and the mode of a new folder, with its set-group-ID bit."""

    mask: int
    folder: int

    def apply(self, folder: str, modes: Iterable[tuple[str, int]]) -> None:
        """Change files below a folder that another program has made: path and mode of each, without the mask.

        The folders above them are changed too.
        """
        if os.name != "posix":
            return
        above: set[str] = set()
        for path, mode in modes:
            change(f"{folder}/{path}", mode & ~self.mask)
            while path := path.rpartition("/")[0]:
                above.add(path)
        for path in above:
            change(f"{folder}/{path}", self.folder)


def change(path: str, mode: int) -> None:
    """Change the mode of a file or folder, unless it has it."""
    if os.name == "posix" and stat.S_IMODE(os.stat(path).st_mode) != mode:
        os.chmod(path, mode)


def imposed_modes(folder: str) -> ImposedModes:
    """Return what a folder, in which the caller may write, imposes. On Windows, that is nothing."""
    if os.name != "posix":
        return ImposedModes(0, FOLDER)
    probe = f"{folder}/{_PROBE}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(probe)
    handle = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o775)
    try:
        mask = 0o777 & ~stat.S_IMODE(os.fstat(handle).st_mode)
    finally:
        os.close(handle)
        os.unlink(probe)
    os.mkdir(probe, FOLDER)
    try:
        return ImposedModes(mask, stat.S_IMODE(os.stat(probe).st_mode))
    finally:
        os.rmdir(probe)
