r"""Letting Python open files whose paths are longer than Windows' old limit of 260 characters.

Windows bears such paths if they begin with ``\\?\``, whatever the machine's settings are. The runtime knows
nothing of that: here every function of `os` that it opens or changes files with learns to add it.
"""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable
from typing import Any

# A folder must leave room for a file's name of the old form, 8.3.
_LONG = 240
_START, _SHARE = "\\\\?\\", "\\\\?\\UNC\\"
_OS = (
    "access", "chmod", "link", "listdir", "lstat", "mkdir", "open", "readlink", "remove", "rename", "replace",
    "rmdir", "scandir", "stat", "unlink", "utime",
)  # fmt: skip
_PATHS = ("exists", "lexists", "isdir", "isfile", "islink")


def allow() -> None:
    """Let the functions of this process bear long paths; elsewhere than on Windows nothing is done."""
    if os.name != "nt":
        return
    for name in _OS:
        setattr(os, name, _bearing(getattr(os, name)))
    for name in _PATHS:
        setattr(os.path, name, _bearing(getattr(os.path, name)))
    builtins.open = _bearing(builtins.open)


def extended(path: Any, absolute: Callable[[str], str] = os.path.abspath) -> Any:
    r"""Give a long path in the form that begins with ``\\?\``; all else as it is."""
    if not isinstance(path, str) or len(path) < _LONG or path.startswith(_START):
        return path
    whole = absolute(path)  # this form knows no slashes and no dots
    return _SHARE + whole[2:] if whole.startswith("\\\\") else _START + whole


def _bearing(function: Callable[..., Any]) -> Callable[..., Any]:
    def bear(*arguments: Any, **named: Any) -> Any:
        return function(*map(extended, arguments), **named)

    return bear
