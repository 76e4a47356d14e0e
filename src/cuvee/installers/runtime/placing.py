"""The last step: one rename puts the finished prefix where it belongs, or nothing happens at all."""

# Stage 0 has no pathlib.
# ruff: noqa: PTH104, PTH106, PTH112, PTH114, PTH118, PTH120, PTH123, PTH208

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable

from .completing import MARKER
from .failure import InstallError

_SHOWN = 5
_WAITS = 60


def check_target(target: str, distribution: str, *, replace: bool) -> None:
    """Refuse a target that holds anything that this installer could not put back."""
    if not os.path.lexists(target):
        return
    if not replace:
        raise InstallError(
            f"{target} exists already. Choose another folder, or give -f to replace an older release."
        )
    if not os.path.isdir(target) or os.path.islink(target):
        raise InstallError(f"{target} is not a folder. Choose another one.")
    if not os.listdir(target):
        return
    try:
        with open(f"{target}/{MARKER}", encoding="utf-8") as stream:
            marker = json.load(stream)
    except (OSError, ValueError):
        raise InstallError(
            f"{target} holds files that this installer did not make, so it is left alone, even with -f. "
            "Move it away, or choose another folder."
        ) from None
    if marker.get("distribution") != distribution:
        raise InstallError(
            f"{target} holds {marker.get('title')}, not {distribution}. Choose another folder."
        )
    foreign = foreign_files(target)
    if foreign:
        shown = "".join(f"\n  {path}" for path in foreign[:_SHOWN])
        more = f"\n  and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
        raise InstallError(
            f"{target} holds files that no release put there; they would be lost:{shown}{more}\n"
            "Move them away, or choose another folder."
        )


def foreign_files(target: str) -> list[str]:
    """Give the files of an installed prefix that no package's record lists; byte code does not count."""
    known = set()
    records = f"{target}/conda-meta"
    for name in os.listdir(records):
        if name.endswith(".json"):
            with open(f"{records}/{name}", encoding="utf-8") as stream:
                known.update(json.load(stream).get("files", ()))
    found = []
    for folder, folders, files in os.walk(target):
        relative = os.path.relpath(folder, target).replace(os.sep, "/")
        if relative == "conda-meta" or folder.endswith("__pycache__"):
            folders.clear()
            continue
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        start = "" if relative == "." else f"{relative}/"
        found += [start + name for name in files + links if start + name not in known]
    return sorted(found)


def place(staged: str, target: str) -> None:
    """Rename ``staged`` to ``target``; an older release there is moved aside first, and removed last."""
    old = None
    if os.path.isdir(target) and os.listdir(target):
        old = staged[: -len(".partial")] + ".old"
        _rename(target, old)
    elif os.name == "nt" and os.path.isdir(target):
        os.rmdir(target)  # elsewhere a folder takes the place of an empty one
    try:
        _rename(staged, target)
    except OSError:
        if old is not None:
            _rename(old, target)
        raise
    _sync_folder(os.path.dirname(target))
    if old is not None:
        remove_tree(old)


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


def remove_tree(folder: str) -> None:
    """Remove a folder and all below it, as far as that is possible; links are not followed."""
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in files:
            _quietly(os.unlink, os.path.join(parent, name))
        for name in folders:
            path = os.path.join(parent, name)
            _quietly(os.unlink if os.path.islink(path) else os.rmdir, path)
    _quietly(os.rmdir, folder)


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
