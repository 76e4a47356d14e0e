"""Reading and writing values of Windows' registry, for one user or with ``machine`` for all.

`winreg` exists on Windows only, so this is the one module that imports it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

TEXT, EXPANDABLE_TEXT, NUMBER = 1, 2, 4
"""REG_SZ, REG_EXPAND_SZ and REG_DWORD: https://learn.microsoft.com/windows/win32/sysinfo/registry-value-types."""


def read(key: str, name: str, *, machine: bool) -> tuple[str | int, int] | None:
    """Return a value and its type, `None` if there is none."""
    winreg = _winreg()
    try:
        with winreg.OpenKey(_root(machine), key) as handle:
            value: tuple[str | int, int] = winreg.QueryValueEx(handle, name)
    except FileNotFoundError:
        return None
    return value


def text(key: str, name: str, *, machine: bool) -> str:
    """Return a value as text, empty if there is none or it cannot be read."""
    try:
        found = read(key, name, machine=machine)
    except OSError:
        return ""
    return str(found[0]) if found else ""


def write(key: str, values: Mapping[str, str | int], *, machine: bool, kind: int = TEXT) -> None:
    """Write the values that are not empty of a key, which is made if need be; ``kind`` is that of texts."""
    winreg = _winreg()
    with winreg.CreateKeyEx(_root(machine), key, 0, winreg.KEY_WRITE) as handle:
        for name, value in values.items():
            if value != "":
                winreg.SetValueEx(handle, name, 0, NUMBER if isinstance(value, int) else kind, value)


def delete_value(key: str, name: str, *, machine: bool) -> None:
    """Delete a value."""
    winreg = _winreg()
    with winreg.CreateKeyEx(_root(machine), key, 0, winreg.KEY_WRITE) as handle:
        winreg.DeleteValue(handle, name)


def children(key: str, *, machine: bool) -> list[str]:
    """Return the names of the keys below a key."""
    winreg = _winreg()
    try:
        with winreg.OpenKey(_root(machine), key) as handle:
            return [winreg.EnumKey(handle, number) for number in range(winreg.QueryInfoKey(handle)[0])]
    except OSError:
        return []


def delete(key: str, *, machine: bool) -> None:
    """Delete a key and all below it, if it is there."""
    for child in children(key, machine=machine):
        delete(f"{key}\\{child}", machine=machine)
    try:
        _winreg().DeleteKey(_root(machine), key)
    except FileNotFoundError:
        return


def _root(machine: bool) -> int:
    winreg = _winreg()
    root: int = winreg.HKEY_LOCAL_MACHINE if machine else winreg.HKEY_CURRENT_USER
    return root


def _winreg() -> Any:
    return importlib.import_module("winreg")
