"""Finishing what an installer did that was killed: the names beside a prefix are the journal.

Beside a prefix ``p``, an installer names what it works with ``.p.cuvee-N.KIND``. N is the number of its
process, with a second number behind it where that was taken already:

``partial``
    Was never finished, or is being removed: it goes.
``old``
    The release that was in place before. It goes back if there is no prefix; otherwise the new release is
    complete, and this one becomes ``.p.cuvee-kept``, which is for `rollback`.
``moved``
    A copy of a prefix that is being removed, since overlayfs cannot rename it: it goes back.
``removing``
    What a removal has taken out of the prefix so far: it goes back, see `prefix_removal`.
``back``
    The release that goes back instead of one that is withdrawn, and then that one: it goes.
``run``
    Where Windows' own part runs from: it goes.
``open``
    The command that started a removal, which its shell had open: it goes.
``swept``, ``copy``
    One of these that is being removed, and a copy that is not whole: it goes.

A release with the file `prefix_state.UNPROVED` waits for its post_install to end; without its installer it is
withdrawn. All of this is done only by who has the lock of the prefix, see `prefix_lock`. What others make
before they have it stays while they run, see `staged_folder`; and so is what is not ours.
"""

from __future__ import annotations

import contextlib
import os
import re

from . import prefix_removal, prefix_swap
from .file_operations import quietly, remove_tree
from .installer_log import warn
from .prefix_state import MARKER, OLD_MARKER, UNPROVED, beside, is_ours
from .staged_folder import is_left_over, settle_in, token_of

_TOKEN = re.compile("[0-9]+(?:-[0-9]+)?")
_ASIDE = re.compile(r"cuvee-[0-9]+(?:-[0-9]+)?\.(?:partial|swept)")
_BEFORE_THE_LOCK = frozenset(("partial", "run"))


def recover(prefix: str, staged: str = "") -> None:
    """Put back what had been moved aside, and remove what was never finished.

    The caller has the lock; ``staged`` is its own folder.
    """
    prefix_removal.put_back(prefix)
    prefix_swap.put_back(prefix)
    withdraw(prefix)
    parent, name = os.path.split(prefix)
    start = f".{name}.cuvee-"
    found = sorted(left[len(start) :] for left in os.listdir(parent) if left.startswith(start))
    lefts = [(*left.partition("."), beside(prefix, left)) for left in found]
    for token, _, kind, path in lefts:
        if not _TOKEN.fullmatch(token) or not is_ours(path):
            continue
        if kind == "old" and not os.path.lexists(prefix):
            prefix_swap.move(path, prefix, prefix)
        elif kind == "old":
            remove_tree(beside(prefix, "kept"))
            prefix_swap.move(path, beside(prefix, "kept"), prefix)
        elif kind in _BEFORE_THE_LOCK and token != token_of(staged):
            runs_from = beside(prefix, f"{token}.run")
            _sweep(path, runs_from if os.path.isdir(runs_from) else path)
        elif kind in {"back", "copy", "swept"}:
            remove_tree(path)
        elif kind == "open":
            quietly(os.unlink, path)
    settle_in(staged)


def recover_aside(staged: str) -> None:
    """Remove what installers that were killed have left in the folder for temporary files."""
    parent = os.path.dirname(staged)
    for left in os.listdir(parent):
        path = os.path.join(parent, left)
        if _ASIDE.fullmatch(left) and path != staged and is_ours(path):
            _sweep(path, path)


def _sweep(path: str, claimed: str) -> None:
    """Remove a folder, unless its installer, which has claimed a folder, is at work without the lock yet."""
    left_over = is_left_over(claimed)
    if left_over is None:
        warn([f"{path} stays: it may belong to an installer on another machine. If none runs, remove it."])
    if not left_over:
        return
    swept = f"{path.rpartition('.')[0]}.swept"
    remove_tree(swept)
    with contextlib.suppress(OSError):
        os.rename(path, swept)
        # Its installer may have claimed it in between: then it makes another folder, or goes on with this.
        if os.name == "posix" and not is_left_over(swept):
            os.rename(swept, path)
        else:
            remove_tree(swept)


def withdraw(prefix: str) -> None:
    """Remove a release whose post_install did not end well, and put back the one that was there before."""
    owner = _owner(prefix)
    if owner is None or not is_ours(prefix):
        return
    old, aside = beside(prefix, f"{owner}.old"), beside(prefix, f"{owner}.back")
    # Killed right after the two were exchanged, the older release still has the newer one's name.
    for place in (old, beside(prefix, f"{owner}.partial")):
        if _holds_release(place) and not os.path.lexists(aside) and is_ours(place):
            prefix_swap.move(place, aside, prefix)
    if not _holds_release(aside):  # there was no release before
        prefix_swap.set_aside(prefix, aside)
    elif not prefix_swap.exchange(aside, prefix):
        prefix_swap.rename_folder(aside, old)
        prefix_swap.set_aside(prefix, aside)
        prefix_swap.rename_folder(old, prefix)
    remove_tree(aside)


def _holds_release(folder: str) -> bool:
    return any(os.path.lexists(f"{folder}/{marker}") for marker in (MARKER, OLD_MARKER))


def abandon(staged: str, prefix: str) -> None:
    """Remove what was staged, unless it is the old release, because `withdraw` could not put it back."""
    if _owner(prefix) != token_of(staged):
        settle_in(staged)  # Windows removes no file that is open
        remove_tree(staged)


def _owner(prefix: str) -> str | None:
    """Return the token of the installer that put a release there that is unproved; "0" if it has none."""
    try:
        with open(f"{prefix}/{UNPROVED}", encoding="ascii") as stream:
            text = stream.read()
    except (OSError, ValueError):
        return None
    return text if _TOKEN.fullmatch(text) else "0"
