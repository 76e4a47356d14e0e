"""What Windows is told of an installed release: Add or Remove Programs, and PEP 514."""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any, NamedTuple

_UNINSTALL = r"Software\Microsoft\Windows\CurrentVersion\Uninstall"
_PYTHON = r"Software\Python"
_MOST_NAMES = 100


class Product(NamedTuple):
    """What the registry shows of a release; ``name`` is short, such as ``Starter``."""

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
    keep: bool = False


def read_product(path: str) -> Product:
    """Read what the build wrote of the release."""
    with open(path, encoding="utf-8") as stream:
        return Product(**json.load(stream))


def program_key(product: Product, prefix: str, *, machine: bool) -> str:
    """Give the key in Add or Remove Programs: the short name, unless that belongs to another prefix."""
    for number in range(1, _MOST_NAMES):
        key = f"{_UNINSTALL}\\{product.name}" + (f" {number}" if number > 1 else "")
        owner = _value(key, "InstallLocation", machine)
        if not owner or _same(owner, prefix) or not os.path.isdir(owner):
            return key
    raise OSError(f"Add or Remove Programs has {_MOST_NAMES} entries named {product.name} already")


def python_key(product: Product) -> str:
    """Give the key where PEP 514 wants a company's Python."""
    return f"{_PYTHON}\\{product.name}\\{product.version}"


def list_program(key: str, product: Product, prefix: str, *, machine: bool) -> None:
    """Make the entry in Add or Remove Programs."""
    uninstaller = f'"{prefix}\\{product.uninstaller}"'
    texts = {
        "DisplayName": f"{product.title} {product.version}",
        "DisplayVersion": product.version,
        "Publisher": product.publisher,
        "URLInfoAbout": product.url,
        "InstallLocation": prefix,
        "DisplayIcon": f"{prefix}\\{product.uninstaller},0",
        "UninstallString": uninstaller,
        "QuietUninstallString": f"{uninstaller} /S",
        "InstallDate": time.strftime("%Y%m%d"),
    }
    numbers = {"EstimatedSize": product.needed // 1024, "NoModify": 1, "NoRepair": 1}
    _write(key, {name: text for name, text in texts.items() if text}, numbers, machine=machine)


def register_python(key: str, product: Product, prefix: str, *, machine: bool) -> None:
    """Tell launchers and editors of the interpreter, as PEP 514 says."""
    texts = {
        "DisplayName": f"{product.title} {product.version}",
        "SupportUrl": product.url,
        "Version": ".".join(map(str, sys.version_info[:3])),
        "SysVersion": ".".join(map(str, sys.version_info[:2])),
        "SysArchitecture": "64bit",
    }
    _write(key, {name: text for name, text in texts.items() if text}, {}, machine=machine)
    place = {"": f"{prefix}\\", "ExecutablePath": f"{prefix}\\python.exe"}
    if os.path.isfile(f"{prefix}\\pythonw.exe"):
        place["WindowedExecutablePath"] = f"{prefix}\\pythonw.exe"
    _write(f"{key}\\InstallPath", place, {}, machine=machine)


def forget_program(key: str, prefix: str, *, machine: bool) -> None:
    """Remove an entry that `list_program` made, unless it belongs to another prefix by now."""
    if _same(_value(key, "InstallLocation", machine), prefix):
        _delete(key, machine)


def forget_python(key: str, prefix: str, *, machine: bool) -> None:
    """Remove what `register_python` made, and the company's key when it becomes empty."""
    if _same(_value(f"{key}\\InstallPath", "", machine), prefix):
        _delete(key, machine)
        company = key.rpartition("\\")[0]
        if not _children(company, machine):
            _delete(company, machine)


def _same(one: str, other: str) -> bool:
    return one.rstrip("\\").lower() == other.rstrip("\\").lower()


def _write(key: str, texts: dict[str, str], numbers: dict[str, int], *, machine: bool) -> None:
    winreg = _winreg()
    with winreg.CreateKeyEx(_root(machine), key, 0, winreg.KEY_WRITE) as handle:
        for name, text in texts.items():
            winreg.SetValueEx(handle, name, 0, winreg.REG_SZ, text)
        for name, number in numbers.items():
            winreg.SetValueEx(handle, name, 0, winreg.REG_DWORD, number)


def _value(key: str, name: str, machine: bool) -> str:
    winreg = _winreg()
    try:
        with winreg.OpenKey(_root(machine), key) as handle:
            return str(winreg.QueryValueEx(handle, name)[0])
    except OSError:
        return ""


def _children(key: str, machine: bool) -> list[str]:
    winreg = _winreg()
    try:
        with winreg.OpenKey(_root(machine), key) as handle:
            return [winreg.EnumKey(handle, number) for number in range(winreg.QueryInfoKey(handle)[0])]
    except OSError:
        return []


def _delete(key: str, machine: bool) -> None:
    for child in _children(key, machine):
        _delete(f"{key}\\{child}", machine)
    try:
        _winreg().DeleteKey(_root(machine), key)
    except FileNotFoundError:
        return


def _root(machine: bool) -> Any:
    winreg = _winreg()
    return winreg.HKEY_LOCAL_MACHINE if machine else winreg.HKEY_CURRENT_USER


def _winreg() -> Any:
    return importlib.import_module("winreg")
