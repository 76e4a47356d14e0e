"""Windows' registry, and what it has of an installed release: its program and interpreter (PEP 514).

https://learn.microsoft.com/windows/win32/msi/uninstall-registry-key and https://peps.python.org/pep-0514/.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

TEXT, EXPANDABLE_TEXT, NUMBER = 1, 2, 4
"""REG_SZ, REG_EXPAND_SZ and REG_DWORD: https://learn.microsoft.com/windows/win32/sysinfo/registry-value-types."""
_UNINSTALL = r"Software\Microsoft\Windows\CurrentVersion\Uninstall"
_PYTHON = r"Software\Python"
_MOST_NAMES = 100


class Product(NamedTuple):
    """What Windows shows of a release, and what its installation needs; ``name`` is short: ``Starter``."""

    name: str
    distribution: str
    version: str
    title: str
    publisher: str
    url: str
    uninstaller: str
    floor: str
    needed: int
    longest_path: int
    interpreter: str
    register: bool
    keep: bool

    @property
    def label(self) -> str:
        """Return the title with the version."""
        return f"{self.title} {self.version}"


def read_product(path: str) -> Product:
    """Return what the build wrote of the release."""
    with open(path, encoding="utf-8") as stream:
        return Product(**json.load(stream))


def program_key(product: Product, prefix: str, *, machine: bool) -> str:
    """Return the key in Add or Remove Programs: the short name, unless that belongs to another prefix."""
    for number in range(1, _MOST_NAMES):
        key = f"{_UNINSTALL}\\{product.name}" + (f" {number}" if number > 1 else "")
        owner = text(key, "InstallLocation", machine=machine)
        if not owner or _same(owner, prefix) or not os.path.isdir(owner):
            return key
    raise OSError(f"Add or Remove Programs has {_MOST_NAMES} entries named {product.name} already")


def python_key(product: Product) -> str:
    """Return the key where PEP 514 wants a company's Python."""
    return f"{_PYTHON}\\{product.name}\\{product.version}"


def is_program_key(key: str) -> bool:
    """Return whether it is a key that `program_key` may return."""
    folder, _, name = key.rpartition("\\")
    return folder == _UNINSTALL and bool(name)


def is_python_key(key: str) -> bool:
    """Return whether it is a key that `python_key` may return."""
    return re.fullmatch(rf"{re.escape(_PYTHON)}\\[^\\]+\\[^\\]+", key) is not None


def list_program(key: str, product: Product, prefix: str, *, machine: bool) -> None:
    """Make the entry in Add or Remove Programs."""
    uninstaller = f'"{prefix}\\{product.uninstaller}"'
    values: dict[str, str | int] = {
        "DisplayName": product.label,
        "DisplayVersion": product.version,
        "Publisher": product.publisher,
        "URLInfoAbout": product.url,
        "InstallLocation": prefix,
        "DisplayIcon": f"{prefix}\\{product.uninstaller},0",
        "UninstallString": uninstaller,
        "QuietUninstallString": f"{uninstaller} /S",
        "InstallDate": time.strftime("%Y%m%d"),
        "EstimatedSize": product.needed // 1024,
        "NoModify": 1,
        "NoRepair": 1,
    }
    write(key, values, machine=machine)


def register_python(key: str, product: Product, prefix: str, *, machine: bool) -> None:
    """Register the interpreter for launchers and editors, as PEP 514 says."""
    texts = {
        "DisplayName": product.label,
        "SupportUrl": product.url,
        "Version": ".".join(map(str, sys.version_info[:3])),
        "SysVersion": ".".join(map(str, sys.version_info[:2])),
        "SysArchitecture": "64bit",
    }
    write(key, texts, machine=machine)
    paths = {"": f"{prefix}\\", "ExecutablePath": f"{prefix}\\python.exe"}
    if os.path.isfile(f"{prefix}\\pythonw.exe"):
        paths["WindowedExecutablePath"] = f"{prefix}\\pythonw.exe"
    write(f"{key}\\InstallPath", paths, machine=machine)


def forget_program(key: str, prefix: str, *, machine: bool) -> None:
    """Remove an entry that `list_program` made, unless it belongs to another prefix by now."""
    if _same(text(key, "InstallLocation", machine=machine), prefix):
        delete(key, machine=machine)


def forget_python(key: str, prefix: str, *, machine: bool) -> None:
    """Remove what `register_python` made, and the company's key when it becomes empty."""
    if _same(text(f"{key}\\InstallPath", "", machine=machine), prefix):
        delete(key, machine=machine)
        company = key.rpartition("\\")[0]
        if not children(company, machine=machine):
            delete(company, machine=machine)


def _same(one: str, other: str) -> bool:
    return one.rstrip("\\").lower() == other.rstrip("\\").lower()


def read(key: str, name: str, *, machine: bool) -> tuple[str | int, int] | None:
    """Return a value and its type, `None` if there is none; with ``machine`` from what all users share."""
    winreg, root = _winreg(machine=machine)
    try:
        with winreg.OpenKey(root, key) as handle:
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
    winreg, root = _winreg(machine=machine)
    with winreg.CreateKeyEx(root, key, 0, winreg.KEY_WRITE) as handle:
        for name, value in values.items():
            if value != "":
                winreg.SetValueEx(handle, name, 0, NUMBER if isinstance(value, int) else kind, value)


def delete_value(key: str, name: str, *, machine: bool) -> None:
    """Delete a value."""
    winreg, root = _winreg(machine=machine)
    with winreg.CreateKeyEx(root, key, 0, winreg.KEY_WRITE) as handle:
        winreg.DeleteValue(handle, name)


def children(key: str, *, machine: bool) -> list[str]:
    """Return the names of the keys below a key."""
    winreg, root = _winreg(machine=machine)
    try:
        with winreg.OpenKey(root, key) as handle:
            return [winreg.EnumKey(handle, number) for number in range(winreg.QueryInfoKey(handle)[0])]
    except OSError:
        return []


def delete(key: str, *, machine: bool) -> None:
    """Delete a key and all below it, if it is there."""
    for child in children(key, machine=machine):
        delete(f"{key}\\{child}", machine=machine)
    winreg, root = _winreg(machine=machine)
    try:
        winreg.DeleteKey(root, key)
    except FileNotFoundError:
        return


def _winreg(*, machine: bool) -> tuple[Any, int]:
    """Return the module, which only Windows has, and the key above all of one user or of the machine."""
    winreg = importlib.import_module("winreg")
    return winreg, winreg.HKEY_LOCAL_MACHINE if machine else winreg.HKEY_CURRENT_USER
