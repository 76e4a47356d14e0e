r"""Letting Python open files whose paths are longer than Windows' old limit of 260 characters.

Windows opens such paths if they begin with ``\\?\``, whatever the machine's settings are. The runtime joins
paths in many places and knows nothing of that, so here the functions of `os` that open or change files learn
to add it. See https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation.
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
    """Let the functions of this process accept long paths; elsewhere than on Windows nothing is done."""
    if os.name != "nt":
        return
    for name in _OS:
        setattr(os, name, _with_long_paths(getattr(os, name)))
    for name in _PATHS:
        setattr(os.path, name, _with_long_paths(getattr(os.path, name)))
    builtins.open = _with_long_paths(builtins.open)


def extended(path: Any, absolute: Callable[[str], str] = os.path.abspath) -> Any:
    r"""Return a long path in the form that begins with ``\\?\``; all else as it is."""
    if not isinstance(path, str) or len(path) < _LONG or path.startswith(_START):
        return path
    full = absolute(path)  # this form knows no slashes and no dots
    return _SHARE + full[2:] if full.startswith("\\\\") else _START + full


def _with_long_paths(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        return function(*map(extended, arguments), **named)

    return call
