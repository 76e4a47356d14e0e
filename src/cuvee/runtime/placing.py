"""The last step: one rename puts the finished prefix where it belongs, or nothing happens at all."""

from __future__ import annotations

import contextlib
import importlib
import os
import time
from collections.abc import Callable
from typing import Any

from .failure import InstallError
from .sharing import share_in_runs
from .state import MARKER, UNPROVED, beside, is_ours, read_marker

_WAITS = 60
_SYNCHRONIZE, _DENIED = 0x100000, 5
_SPARE = 50 << 20
# https://man7.org/linux/man-pages/man2/rename.2.html: paths are relative to here; both must exist.
_HERE, _EXCHANGE = -100, 2


def older_release(target: str, distribution: str, *, replace: bool) -> bool:
    """Whether ``target`` holds an older release to upgrade; refuse one that holds anything else."""
    if not os.path.lexists(target):
        return False
    if not replace:
        raise InstallError(
            f"{target} exists already. Choose another folder, or give -u to upgrade an older release there."
        )
    if not os.path.isdir(target) or os.path.islink(target):
        raise InstallError(f"{target} is not a folder. Choose another one.")
    if not os.listdir(target):
        return False
    if not is_ours(target):
        raise InstallError(
            f"{target} lies where everybody may write, and is somebody else's. Choose another one."
        )
    marker = read_marker(target)
    if marker is None:
        raise InstallError(
            f"{target} holds files that this installer did not make, so it is left alone, even with -f. "
            "Move it away, or choose another folder."
        )
    if marker["distribution"] != distribution:
        raise InstallError(
            f"{target} holds {marker.get('title')}, not {distribution}. Choose another folder."
        )
    return True


def check_space(folder: str, needed: int) -> None:
    """Refuse to begin what the disk can't hold."""
    if hasattr(os, "statvfs"):
        found = os.statvfs(folder)
        free = found.f_bavail * found.f_frsize
    else:
        free = importlib.import_module("nt")._getdiskusage(folder)[1]  # noqa: SLF001 - what shutil calls
    if free < needed + _SPARE:
        raise InstallError(
            f"{(needed + _SPARE) >> 20} MB are needed in {os.path.dirname(folder)}, but only "
            f"{free >> 20} MB are free."
        )


def recover(target: str) -> None:
    """Finish what was killed: put back what had been moved aside, remove what was never finished."""
    withdraw(target)
    parent, name = os.path.split(target)
    start = f".{name}.cuvee-"
    for left in sorted(os.listdir(parent)):
        process, _, kind = left[len(start) :].partition(".")
        if not left.startswith(start) or not process.isdigit() or _is_alive(int(process)):
            continue
        place = os.path.join(parent, left)
        if not is_ours(place):
            continue
        if kind == "old" and not os.path.lexists(target):
            os.rename(place, target)
        elif kind == "old":
            remove_tree(beside(target, "kept"))
            os.rename(place, beside(target, "kept"))
        elif kind in {"partial", "run"}:
            remove_tree(place)


def withdraw(target: str, staged: str = "") -> None:
    """Take back a release whose post_install did not end well: what was there before returns.

    Only one whose installer is dead, or that was put there from ``staged``.
    """
    owner = _owner(target)
    if owner is None or (owner != number(staged) if staged else _is_alive(owner)) or not is_ours(target):
        return
    old, aside = beside(target, f"{owner}.old"), beside(target, f"{owner}.partial")
    if os.path.lexists(old) and not os.path.lexists(aside):
        _rename(old, aside)
    if not os.path.lexists(f"{aside}/{MARKER}"):  # there was nothing before
        _rename(target, aside)
    elif not _exchange(aside, target):
        _rename(aside, old)
        _rename(target, aside)
        _rename(old, target)
    remove_tree(aside)


def abandon(staged: str, target: str) -> None:
    """Remove what was staged, unless it is the old release, because `withdraw` could not put it back."""
    if _owner(target) != number(staged):
        remove_tree(staged)


def number(staged: str) -> int:
    """Give the process number in the name of a folder beside the prefix."""
    text = staged.rpartition("cuvee-")[2].partition(".")[0]  # one that only looks has no dot in front
    return int(text) if text.isdigit() else -1


def _owner(target: str) -> int | None:
    """Say which process put a release there that is unproved."""
    try:
        with open(f"{target}/{UNPROVED}", encoding="ascii") as stream:
            text = stream.read()
    except (OSError, ValueError):
        return None
    return int(text) if text.isdigit() else 0


def _is_alive(process: int) -> bool:
    if process <= 0:
        return False
    if os.name == "nt":
        return _is_alive_on_windows(process)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _is_alive_on_windows(process: int) -> bool:
    # `os.kill` would end it.
    winapi: Any = importlib.import_module("_winapi")
    try:
        handle = winapi.OpenProcess(_SYNCHRONIZE, False, process)
    except OSError as error:
        return getattr(error, "winerror", 0) == _DENIED
    try:
        return bool(winapi.WaitForSingleObject(handle, 0) == winapi.WAIT_TIMEOUT)
    finally:
        winapi.CloseHandle(handle)


def put(staged: str, target: str) -> None:
    """Put ``staged`` in the place of the release at ``target``, which gets the ending ``.old``.

    Whenever this or `settle` is killed, the names tell the next start how far it was, see `recover`.
    """
    old = _old_name(staged)
    if _exchange(staged, target):
        _rename(staged, old)
    else:
        _rename(target, old)
        try:
            _rename(staged, target)
        except OSError:
            _rename(old, target)
            raise
    _sync_folder(os.path.dirname(target))


def settle(staged: str, target: str, *, keep: bool) -> None:
    """Keep or remove the release that `put` has replaced."""
    old, kept = _old_name(staged), beside(target, "kept")
    # The name has become free; whatever bears it is removed by the next start.
    if os.path.lexists(kept):
        _rename(kept, staged)
    if keep:
        _rename(old, kept)
    else:
        remove_tree(old)
    remove_tree(staged)


def _old_name(staged: str) -> str:
    return staged.removesuffix(".partial") + ".old"


def rotate(kept: str, target: str) -> None:
    """Exchange the release at ``target`` with the one that is kept."""
    if _exchange(kept, target):
        return
    old = beside(target, f"{os.getpid()}.old")
    _rename(target, old)
    try:
        _rename(kept, target)
    except OSError:
        _rename(old, target)
        raise
    _rename(old, kept)


def discard(folder: str, aside: str) -> None:
    """Remove a folder; it gets the name ``aside`` first, by which the next start knows to go on."""
    if os.path.lexists(folder):
        _rename(folder, aside)
        remove_tree(aside)


def place(staged: str, target: str) -> None:
    """Rename ``staged`` to ``target``, where nothing is, or an empty folder."""
    if os.name == "nt" and os.path.isdir(target):
        os.rmdir(target)  # elsewhere a folder takes the place of an empty one
    _rename(staged, target)
    _sync_folder(os.path.dirname(target))


def _exchange(first: str, second: str) -> bool:
    """Exchange two folders in one step, where the system can: then there is no moment without a release."""
    try:
        ctypes: Any = importlib.import_module("ctypes")
        rename = ctypes.CDLL(None, use_errno=True).renameat2
        return bool(rename(_HERE, os.fsencode(first), _HERE, os.fsencode(second), _EXCHANGE) == 0)
    except (ImportError, AttributeError, OSError, TypeError):
        return False


def _rename(source: str, target: str) -> None:
    """Rename a folder; on Windows a virus scanner that reads a new file in it holds it for a while."""
    for _ in range(_WAITS if os.name == "nt" else 0):
        try:
            os.rename(source, target)
        except PermissionError:
            time.sleep(0.25)
        else:
            return
    os.rename(source, target)


def write_whole(place: str, data: bytes, mode: int = 0o644) -> None:
    """Write a file, whole or not at all; the folders above it are made."""
    os.makedirs(os.path.dirname(place), exist_ok=True)
    aside = f"{place}.cuvee-{os.getpid()}"
    try:
        with open(aside, "xb") as stream:
            stream.write(data)
        os.chmod(aside, mode)
        os.replace(aside, place)
    except OSError:
        _quietly(os.unlink, aside)
        raise


def remove_tree(folder: str) -> None:
    """Remove a folder of ours and all below it, as far as that is possible; links are not followed."""
    if os.path.islink(folder) or not is_ours(folder):
        return
    files: list[str] = []
    folders = [folder]
    for parent in folders:
        with contextlib.suppress(OSError), os.scandir(parent) as entries:
            # What a listing tells of its entries costs nothing; to ask once more costs much on Windows.
            for entry in entries:
                found = folders if entry.is_dir(follow_symlinks=False) else files
                found.append(f"{parent}/{entry.name}")
    share_in_runs(files, lambda path: _quietly(os.unlink, path))
    for path in reversed(folders):
        _quietly(os.rmdir, path)


def remove_empty(folder: str, stop: str) -> None:
    """Remove ``folder`` and its parents up to ``stop`` as long as they are empty: they were made for us."""
    while len(folder) > len(stop) and folder.startswith(stop):
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)


def _quietly(action: Callable[[str], None], path: str) -> None:
    with contextlib.suppress(OSError):
        action(path)


def _sync_folder(folder: str) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
