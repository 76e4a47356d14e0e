"""Checks before anything is written: the system, the length of paths, the disk."""

from __future__ import annotations

import os
import sys

from ..failure import MISSING, InstallError
from ..install_checks import check_space
from . import registry_values
from .nsis_call import NsisCall
from .registry import Product

_MAX_PATH = 259
_FIRST_WINDOWS_11 = 22000


def check_system(product: Product, call: NsisCall, *, keep: bool, upgrade: bool) -> None:
    """Raise if the system lacks something.

    ``keep`` is whether a copy of the installer stays. An upgrade needs less of the disk: the runtime checks
    that when it knows how much.
    """
    found = _windows_version()
    if product.floor.isdigit() and found < int(product.floor):
        raise InstallError(
            f"{product.title} needs Windows {product.floor}, but this is Windows {found}.", MISSING
        )
    longest = len(call.prefix) + 1 + product.longest_path
    if longest > _MAX_PATH and not allows_long_paths():
        fits = _MAX_PATH - product.longest_path - 1 - len(os.path.basename(call.prefix)) - 1
        raise InstallError(
            f"{call.prefix} is too long: the longest file in it would have {longest} characters, and "
            f"programs on this Windows open {_MAX_PATH} at most. Choose a folder in one of at most {fits} "
            "characters, or have an administrator allow long paths (LongPathsEnabled)."
        )
    if not upgrade:
        needed = product.needed + (os.stat(call.installer).st_size if keep else 0)
        check_space(call.run, call.anchor, product.label, needed)


def _windows_version() -> int:
    if sys.platform == "win32":
        version = sys.getwindowsversion()
        # 11 calls itself 10: https://learn.microsoft.com/windows/release-health/windows11-release-information
        is_11 = version.major == 10 and version.build >= _FIRST_WINDOWS_11  # noqa: PLR2004
        return 11 if is_11 else version.major
    raise NotImplementedError


def allows_long_paths() -> bool:
    """Return whether programs on this machine may open paths of more than 260 characters.

    https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation
    """
    key = r"SYSTEM\CurrentControlSet\Control\FileSystem"
    return registry_values.text(key, "LongPathsEnabled", machine=True) not in {"", "0"}
