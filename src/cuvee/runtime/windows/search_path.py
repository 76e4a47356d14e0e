"""Editing PATH in the registry. The whole value is read and written, so nothing is ever cut off."""

from __future__ import annotations

import importlib
from typing import Any

# What CreateProcess and the registry editor bear.
LIMIT = 32_000
_USER = "Environment"
_MACHINE = r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment"


def joined(value: str, folders: list[str]) -> str:
    """Give ``value`` with ``folders`` in front; those that it holds already move there."""
    rest = without(value, folders)
    return ";".join([*folders, rest] if rest else folders)


def without(value: str, folders: list[str]) -> str:
    """Give ``value`` without ``folders``; all else stays as it is, empty entries too."""
    gone = {_plain(folder) for folder in folders}
    return ";".join(entry for entry in value.split(";") if _plain(entry) not in gone)


def add(folders: list[str], *, machine: bool) -> bool:
    """Put ``folders`` in front of PATH; false if the value would become too long, and nothing is changed."""
    value, kind = _read(machine)
    new = joined(value, folders)
    if len(new) > LIMIT:
        return False
    _write(new, kind, machine)
    return True


def remove(folders: list[str], *, machine: bool) -> None:
    """Take ``folders`` out of PATH."""
    value, kind = _read(machine)
    new = without(value, folders)
    if new != value:
        _write(new, kind, machine)


def _plain(entry: str) -> str:
    return entry.strip().strip('"').rstrip("\\/").replace("/", "\\").lower()


def _read(machine: bool) -> tuple[str, int]:
    winreg = _winreg()
    try:
        with winreg.OpenKey(*_place(machine), 0, winreg.KEY_READ) as key:
            value, kind = winreg.QueryValueEx(key, "Path")
    except FileNotFoundError:
        return "", winreg.REG_EXPAND_SZ
    if kind not in (winreg.REG_SZ, winreg.REG_EXPAND_SZ):
        raise OSError(f"PATH in the registry has the unexpected type {kind}")
    return str(value), kind


def _write(value: str, kind: int, machine: bool) -> None:
    winreg = _winreg()
    with winreg.CreateKeyEx(*_place(machine), 0, winreg.KEY_WRITE) as key:
        if value:
            winreg.SetValueEx(key, "Path", 0, kind, value)
        else:
            winreg.DeleteValue(key, "Path")


def _place(machine: bool) -> tuple[Any, str]:
    winreg = _winreg()
    return (winreg.HKEY_LOCAL_MACHINE, _MACHINE) if machine else (winreg.HKEY_CURRENT_USER, _USER)


def _winreg() -> Any:
    return importlib.import_module("winreg")
