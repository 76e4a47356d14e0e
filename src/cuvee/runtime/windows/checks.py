"""Checks before anything is written: the system, the length of paths, the disk."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

from ..failure import MISSING, InstallError
from . import registry

if TYPE_CHECKING:
    from .main import Place

_MAX_PATH = 259
_SPARE = 50 << 20
_FIRST_WINDOWS_11 = 22000


def check_system(product: registry.Product, place: Place, *, keeps: bool, upgrades: bool) -> None:
    """Refuse a system that lacks something.

    ``keeps`` is whether a copy of the installer stays. What is upgraded needs less of the disk: the
    runtime asks for it when it knows how much.
    """
    version: Any = sys.getwindowsversion()  # type: ignore[attr-defined,unused-ignore]
    found = 11 if version.build >= _FIRST_WINDOWS_11 and version.major == 10 else version.major  # noqa: PLR2004
    if product.floor.isdigit() and found < int(product.floor):
        raise InstallError(
            f"{product.title} needs Windows {product.floor}, but this is Windows {found}.", MISSING
        )
    longest = len(place.prefix) + 1 + product.longest_path
    if longest > _MAX_PATH and not bears_long_paths():
        fits = _MAX_PATH - product.longest_path - 1 - len(os.path.basename(place.prefix)) - 1
        raise InstallError(
            f"{place.prefix} is too long: the longest file in it would have {longest} characters, and "
            f"programs on this Windows bear {_MAX_PATH}. Choose a place in a folder of at most {fits} "
            "characters, or have an administrator allow long paths (LongPathsEnabled)."
        )
    if not upgrades:
        _check_disk(product, place, keeps=keeps)


def _check_disk(product: registry.Product, place: Place, *, keeps: bool) -> None:
    free = importlib.import_module("nt")._getdiskusage(place.run)[1]  # noqa: SLF001 - what shutil calls
    needed = product.needed + _SPARE + (os.stat(place.installer).st_size if keeps else 0)
    if free < needed:
        raise InstallError(
            f"{product.title} needs {needed >> 20} MB in {place.anchor}, but only "
            f"{free >> 20} MB are free. Nothing was installed."
        )


def bears_long_paths() -> bool:
    """Whether programs on this machine may open paths of more than 260 characters."""
    winreg: Any = importlib.import_module("winreg")
    try:
        with winreg.OpenKey(
            winreg.HKEY_LOCAL_MACHINE, r"SYSTEM\CurrentControlSet\Control\FileSystem"
        ) as handle:
            return bool(winreg.QueryValueEx(handle, "LongPathsEnabled")[0])
    except OSError:
        return False
