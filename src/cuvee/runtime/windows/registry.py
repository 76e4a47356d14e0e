"""What is registered of an installed release: Add or Remove Programs, and the interpreter (PEP 514).

https://learn.microsoft.com/windows/win32/msi/uninstall-registry-key and https://peps.python.org/pep-0514/.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import NamedTuple

from . import registry_values

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
        owner = registry_values.text(key, "InstallLocation", machine=machine)
        if not owner or _same(owner, prefix) or not os.path.isdir(owner):
            return key
    raise OSError(f"Add or Remove Programs has {_MOST_NAMES} entries named {product.name} already")


def python_key(product: Product) -> str:
    """Return the key where PEP 514 wants a company's Python."""
    return f"{_PYTHON}\\{product.name}\\{product.version}"


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
    registry_values.write(key, values, machine=machine)


def register_python(key: str, product: Product, prefix: str, *, machine: bool) -> None:
    """Register the interpreter for launchers and editors, as PEP 514 says."""
    texts = {
        "DisplayName": product.label,
        "SupportUrl": product.url,
        "Version": ".".join(map(str, sys.version_info[:3])),
        "SysVersion": ".".join(map(str, sys.version_info[:2])),
        "SysArchitecture": "64bit",
    }
    registry_values.write(key, texts, machine=machine)
    paths = {"": f"{prefix}\\", "ExecutablePath": f"{prefix}\\python.exe"}
    if os.path.isfile(f"{prefix}\\pythonw.exe"):
        paths["WindowedExecutablePath"] = f"{prefix}\\pythonw.exe"
    registry_values.write(f"{key}\\InstallPath", paths, machine=machine)


def forget_program(key: str, prefix: str, *, machine: bool) -> None:
    """Remove an entry that `list_program` made, unless it belongs to another prefix by now."""
    if _same(registry_values.text(key, "InstallLocation", machine=machine), prefix):
        registry_values.delete(key, machine=machine)


def forget_python(key: str, prefix: str, *, machine: bool) -> None:
    """Remove what `register_python` made, and the company's key when it becomes empty."""
    if _same(registry_values.text(f"{key}\\InstallPath", "", machine=machine), prefix):
        registry_values.delete(key, machine=machine)
        company = key.rpartition("\\")[0]
        if not registry_values.children(company, machine=machine):
            registry_values.delete(company, machine=machine)


def _same(one: str, other: str) -> bool:
    return one.rstrip("\\").lower() == other.rstrip("\\").lower()
