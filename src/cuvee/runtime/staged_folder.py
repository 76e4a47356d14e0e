"""The folder beside a prefix that an installer works in, and whether that installer still runs.

The number of a process does not say that: containers that share a folder each have numbers of their own, and
in most of them an installer is process 1. So whoever makes such a folder keeps a file in it open, and the
system closes that file when its process dies. The file's name begins with `ALIVE`.

On POSIX it is a FIFO, which a shell can make and open, and of which the kernel tells whether anybody has it
open. The rest of its name is the host's name and the boot's number, since another machine's kernel cannot
tell. A file system without FIFOs gets an empty file, which tells nothing. On Windows it is a file that
cannot be removed while it is open, in the folder that the installer's Python runs from.

The file is there until its installer has the lock of the prefix, see `prefix_lock`. So who has the lock
knows: a folder without the file is a left-over.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys

from .prefix_state import beside

ALIVE = ".alive"
_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_held: list[int] = []
_FIELDS = re.compile(re.escape(ALIVE) + r"\.(.*)\.([^.]*)")


def host_name() -> str:
    """Return the host's name as the shell text writes it: no other letters can be in a file's name."""
    name = os.environ.get("COMPUTERNAME", "") if os.name == "nt" else os.uname().nodename
    return re.sub(rb"[^A-Za-z0-9.-]", b"_", os.fsencode(name)).decode()


def boot_id() -> str:
    """Return what tells one boot of a Linux kernel from all others; empty elsewhere."""
    try:
        with open(_BOOT_ID, encoding="ascii") as stream:
            return stream.read().strip()
    except (OSError, ValueError):
        return ""


def claim(prefix: str) -> str:
    """Make a new folder beside the prefix, as the shell text of an installer does; return its path.

    It is claimed for as long as this process, or the program that it becomes, runs.
    """
    number = 0
    while True:
        token = f"{os.getpid()}-{number}" if number else f"{os.getpid()}"
        staged = beside(prefix, f"{token}.partial")
        number += 1
        with contextlib.suppress(FileExistsError):
            os.mkdir(staged, 0o700)
            with contextlib.suppress(FileNotFoundError):  # taken for a left-over, since it had no file yet
                _open_alive(staged)
                if os.path.isdir(staged):
                    return staged


def make_claim(run: str) -> None:
    """Make the file that `stay_claimed` opens."""
    os.close(os.open(f"{run}/{ALIVE}", os.O_CREAT | os.O_EXCL, 0o600))


def stay_claimed(run: str) -> None:
    """Keep a folder claimed until this process ends, if that runs from there, as it does on Windows."""
    if os.path.abspath(__file__).lower().startswith(run.lower() + os.sep):
        with contextlib.suppress(OSError):
            os.open(f"{run}/{ALIVE}", os.O_RDONLY)


def _open_alive(staged: str) -> None:
    if sys.platform == "win32":
        _held.append(os.open(f"{staged}/{ALIVE}", os.O_CREAT | os.O_EXCL, 0o600))
        return
    alive = f"{staged}/{ALIVE}.{host_name()}.{boot_id()}"
    try:
        os.mkfifo(alive, 0o600)
    except FileNotFoundError:
        raise
    except OSError:
        os.close(os.open(alive, os.O_CREAT | os.O_EXCL, 0o600))
    else:
        os.set_inheritable(os.open(alive, os.O_RDWR | os.O_NONBLOCK), True)


def token_of(staged: str) -> str:
    """Return what tells the folders of one installer from those of others; empty if the name has none."""
    return staged.rpartition("cuvee-")[2].partition(".")[0]


def settle_in(staged: str) -> None:
    """Remove the file that claims a folder: who has the lock of the prefix needs none."""
    while _held:
        os.close(_held.pop())
    for path in _claims(staged):
        os.unlink(path)


def is_left_over(folder: str) -> bool | None:
    """Return whether no process works in a folder any more; `None` if this machine cannot know."""
    found: bool | None = True
    try:
        claims = _claims(folder)
    except PermissionError:  # it is another user's, and theirs only as long as they work in it
        return None
    for path in claims:
        found = _is_closed(path)
        if not found:
            break
    return found


def _claims(folder: str) -> list[str]:
    try:
        return [os.path.join(folder, name) for name in os.listdir(folder) if name.startswith(ALIVE)]
    except PermissionError:
        raise
    except OSError:
        return []


def _is_closed(path: str) -> bool | None:
    if sys.platform == "win32":
        try:
            os.unlink(path)
        except OSError:
            return False
        return True
    try:
        fields = _FIELDS.fullmatch(os.path.basename(path))
        if fields is None or not stat.S_ISFIFO(os.lstat(path).st_mode):
            return None
        host, boot = fields.groups()
        if host != host_name() and (not boot or boot != boot_id()):
            return None
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW))
    except OSError as error:
        # https://man7.org/linux/man-pages/man7/fifo.7.html: no process has it open.
        return True if error.errno == errno.ENXIO else None
    return False
