"""Installing on Windows: checks, the runtime's work, then the registry."""

# Stage 0 has no pathlib.
# ruff: noqa: PTH112, PTH120, PTH123, PTH105

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from . import registry, removing, search_path
from .container import DamagedError, open_container
from .removing import KEPT, STATE

if TYPE_CHECKING:
    from .main import Place

_MAX_PATH = 259
_SPARE = 50 << 20
_FIRST_WINDOWS_11 = 22000
_TRIES = 20


def install(product: registry.Product, place: Place, options: list[str]) -> int:
    """Install; give the exit code. Unless it is 0, nothing has been installed."""
    failure = importlib.import_module("runtime.failure")
    machine = "--machine" in options
    _check_system(product, place, failure)
    try:
        container = open_container(place.installer)
    except DamagedError:
        raise failure.damaged("The installer") from None
    _stage(product, place, machine=machine)
    sha256 = next(option.partition("=")[2] for option in options if option.startswith("--manifest="))
    arguments = ["install", place.installer, place.staged, place.prefix, place.anchor, "-"]
    arguments += [*map(str, container), sha256]
    if os.path.isdir(place.prefix):
        arguments.append("--replace")
    code: int = importlib.import_module("runtime.main").main(arguments)
    if code:
        return code
    try:
        _register(product, place.prefix, options)
    except OSError as error:
        removing.uninstall(place.prefix)
        raise failure.InstallError(
            f"Windows refused an entry in its registry: {error}. Nothing was installed."
        ) from error
    return 0


def _check_system(product: registry.Product, place: Place, failure: Any) -> None:
    version: Any = sys.getwindowsversion()  # type: ignore[attr-defined,unused-ignore]
    found = 11 if version.build >= _FIRST_WINDOWS_11 and version.major == 10 else version.major  # noqa: PLR2004
    if product.floor.isdigit() and found < int(product.floor):
        raise failure.InstallError(
            f"{product.title} needs Windows {product.floor}, but this is Windows {found}.", failure.MISSING
        )
    longest = len(place.staged) + 1 + product.longest_path
    if longest > _MAX_PATH and not _bears_long_paths():
        fits = _MAX_PATH - product.longest_path - 1 - (len(place.staged) - len(os.path.dirname(place.prefix)))
        raise failure.InstallError(
            f"{place.prefix} is too long: the longest file in it would have {longest} characters, and "
            f"Windows bears {_MAX_PATH}. Choose a place in a folder of at most {fits} characters, or have an "
            "administrator allow long paths (LongPathsEnabled)."
        )
    free = importlib.import_module("nt")._getdiskusage(place.run)[1]  # noqa: SLF001 - what shutil calls
    if free < product.needed + _SPARE:
        raise failure.InstallError(
            f"{product.title} needs {(product.needed + _SPARE) >> 20} MB in {place.anchor}, but only "
            f"{free >> 20} MB are free. Nothing was installed."
        )


def _bears_long_paths() -> bool:
    winreg: Any = importlib.import_module("winreg")
    try:
        with winreg.OpenKey(
            winreg.HKEY_LOCAL_MACHINE, r"SYSTEM\CurrentControlSet\Control\FileSystem"
        ) as handle:
            return bool(winreg.QueryValueEx(handle, "LongPathsEnabled")[0])
    except OSError:
        return False


def _stage(product: registry.Product, place: Place, *, machine: bool) -> None:
    """Fill the staged folder with stage 0 and what only Windows has.

    The runtime does not run from there: Windows renames no folder that a program runs from.
    """
    early = [path for path in removing.files_below(place.run) if not path.startswith(".cuvee/")]
    for path in early:
        removing.copy(f"{place.run}/{path}", f"{place.staged}/{path}")
    for path in removing.files_below(f"{place.run}/.cuvee"):
        if path != "uninstall.exe":
            removing.copy(f"{place.run}/.cuvee/{path}", f"{place.staged}/{KEPT}/{path}")
    removing.copy(f"{place.run}/.cuvee/uninstall.exe", f"{place.staged}/{product.uninstaller}")
    own = [product.uninstaller]
    if not machine:
        # conda and menuinst look for it.
        own.append(".nonadmin")
        with open(f"{place.staged}/.nonadmin", "w", encoding="utf-8"):
            pass
    _save(f"{place.staged}/{STATE}", {"machine": machine, "own": own, "stage0": early})


def _register(product: registry.Product, prefix: str, options: list[str]) -> None:
    machine = "--machine" in options
    path = f"{prefix}/{STATE}"
    with open(path, encoding="utf-8") as stream:
        state = json.load(stream)

    def remember(name: str, value: object) -> None:
        state[name] = value
        _save(path, state)

    if "--no-registry" not in options:
        remember("program", registry.list_program(product, prefix, machine=machine))
        if "--register" in options:
            remember("python", registry.register_python(product, prefix, machine=machine))
    if "--path" in options and not machine:
        folders = [prefix, f"{prefix}\\Library\\bin", f"{prefix}\\Scripts"]
        folders = [folder for folder in folders if os.path.isdir(folder)]
        remember("path", folders)
        if not search_path.add(folders, machine=False):
            sys.stderr.write("Warning: PATH is too long already, so it was left as it is.\n")


def _save(path: str, state: dict[str, object]) -> None:
    with open(f"{path}.part", "w", encoding="utf-8") as stream:
        stream.write(json.dumps(state, indent=1, ensure_ascii=False) + "\n")
    for _ in range(_TRIES):
        try:
            os.replace(f"{path}.part", path)
        except PermissionError:  # a virus scanner may be looking at it
            time.sleep(0.1)
        else:
            return
    os.replace(f"{path}.part", path)
