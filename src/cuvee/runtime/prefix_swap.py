"""The last step: one rename puts the finished prefix where it belongs, or nothing happens at all.

Whatever is killed between two renames here is put right by `crash_recovery`, which reads the names.

In a container whose image has the release, overlayfs renames no folder of the image, but fails with EXDEV.
Such a folder is copied beside itself, and removed when the copy is whole:
https://docs.kernel.org/filesystems/overlayfs.html#renaming-directories
"""

from __future__ import annotations

import errno
import os

from .file_operations import WAITS, carry, copy_tree, files_below, pause, quietly, remove_tree
from .prefix_state import MARKER, OLD_MARKER, beside, is_ours

# https://man7.org/linux/man-pages/man2/rename.2.html: paths are relative to here; both must exist.
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def move_in(staged: str, prefix: str) -> None:
    """Rename ``staged`` to ``prefix``, where nothing is, or an empty folder."""
    if os.name == "nt" and os.path.isdir(prefix):
        os.rmdir(prefix)  # elsewhere a folder takes the place of an empty one
    rename_folder(staged, prefix)
    _sync_folder(os.path.dirname(prefix))


def swap_in(staged: str, prefix: str) -> None:
    """Put ``staged`` in the place of the release at ``prefix``, which gets the ending ``.old``."""
    _replace(staged, prefix, _old_name(staged))


def settle(staged: str, prefix: str, *, keep: bool) -> None:
    """Keep or remove the release that `swap_in` has replaced."""
    old, kept = _old_name(staged), beside(prefix, "kept")
    discard(kept, staged)
    if keep:
        rename_folder(old, kept)
    else:
        remove_tree(old)


def rotate(kept: str, prefix: str) -> None:
    """Exchange the release at ``prefix`` with the one that is kept."""
    old = beside(prefix, "0.old")
    _replace(kept, prefix, old)
    rename_folder(old, kept)


def discard(folder: str, aside: str) -> None:
    """Remove a folder; it gets the name ``aside`` first, by which the next start knows to go on."""
    if os.path.lexists(folder):
        _remove(aside if _renames(folder, aside) else folder)


def exchange(first: str, second: str) -> bool:
    """Exchange two folders in one step, where the system can: then there is no moment without a release."""
    try:
        import ctypes  # which stage 0 does not carry; by now the whole library is there

        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
        paths = (_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second))
        return bool(renameat2(*paths, _RENAME_EXCHANGE) == 0)
    except (ImportError, AttributeError, OSError, TypeError):
        return False


def set_aside(prefix: str, target: str) -> None:
    """Rename the prefix to ``target``, or copy it before it is removed, and rename the copy."""
    if _renames(prefix, target):
        return
    moved = beside(prefix, "0.moved")
    _copy(prefix, moved, prefix)
    remove_tree(prefix)
    if os.path.lexists(prefix):
        put_back(prefix)
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), prefix)
    rename_folder(moved, target)


def put_back(prefix: str) -> None:
    """Undo `set_aside`, which was killed, or could not remove all of the prefix."""
    moved = beside(prefix, "0.moved")
    if not os.path.isdir(moved) or not is_ours(moved):
        return
    if files_below(prefix):  # no folder has been removed yet
        carry(moved, prefix, files_below(moved))
        remove_tree(moved)
    else:
        remove_tree(prefix)
        rename_folder(moved, prefix)


def move(source: str, target: str, prefix: str) -> None:
    """Rename a folder that belongs to a prefix, or copy it, and remove it then."""
    if not _renames(source, target):
        _copy(source, target, prefix)
        _remove(source)


def _remove(folder: str) -> None:
    """Remove a folder; its marker goes first, so that the rest is not taken for a release."""
    for marker in (MARKER, OLD_MARKER):
        quietly(os.unlink, f"{folder}/{marker}")
    remove_tree(folder)


def _renames(source: str, target: str) -> bool:
    """Rename a folder, if the system can."""
    try:
        rename_folder(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return False
    return True


def _copy(source: str, target: str, prefix: str) -> None:
    """Make ``target`` a copy of a folder, or nothing at all."""
    copy = beside(prefix, "0.copy")
    remove_tree(copy)
    try:
        copy_tree(source, copy)
        os.sync()
    except BaseException:
        remove_tree(copy)
        raise
    rename_folder(copy, target)


def rename_folder(source: str, target: str) -> None:
    """Rename a folder; on Windows a virus scanner that reads a new file in it holds it for a while."""
    for _ in range(WAITS):
        try:
            os.rename(source, target)
        except PermissionError:
            pause()
        else:
            return
    os.rename(source, target)


def _replace(new: str, prefix: str, old: str) -> None:
    if exchange(new, prefix):
        rename_folder(new, old)
    else:
        set_aside(prefix, old)
        try:
            move(new, prefix, prefix)
        except OSError:
            rename_folder(old, prefix)
            raise
    _sync_folder(os.path.dirname(prefix))


def _old_name(staged: str) -> str:
    return staged.removesuffix(".partial") + ".old"


def _sync_folder(folder: str) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
