"""Installing on Windows: checks, the runtime's work, then the registry."""

# Stage 0 has no pathlib.
# ruff: noqa: PTH112, PTH113, PTH120, PTH123

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from . import registry, removing, search_path
from .container import DamagedError, open_container
from .removing import KEPT, STATE

if TYPE_CHECKING:
    from .main import Place

_MAX_PATH = 259
_SPARE = 50 << 20
_FIRST_WINDOWS_11 = 22000


def install(product: registry.Product, place: Place, options: list[str]) -> int:
    """Install; give the exit code. Unless it is 0, nothing has been installed."""
    failure = importlib.import_module("runtime.failure")
    _check_system(product, place, failure)
    try:
        container = open_container(place.installer)
    except DamagedError:
        raise failure.damaged("The installer") from None
    # An installer that was killed may have left something, even the release itself, beside its place.
    importlib.import_module("runtime.placing").recover(place.prefix)
    old = removing.read_state(place.prefix) if os.path.isfile(f"{place.prefix}/{STATE}") else None
    state = _state(product, place.prefix, options)
    _stage(product, place, state)
    sha256 = next(option.partition("=")[2] for option in options if option.startswith("--manifest="))
    arguments = ["install", place.installer, place.staged, place.prefix, place.anchor, "-"]
    arguments += [*map(str, container), sha256]
    if os.path.isdir(place.prefix):
        arguments.append("--replace")
    if "--force" in options:
        arguments.append("--force")
    code: int = importlib.import_module("runtime.main").main(arguments)
    if code:
        return code
    try:
        _register(product, place.prefix, state)
        if old is not None and old["python"] != state["python"]:
            removing.forget({**old, "path": [], "program": ""}, place.prefix)
    except OSError as error:
        if old is not None:
            raise
        removing.uninstall(place.prefix)
        raise failure.InstallError(
            f"Windows refused an entry in its registry: {error}. Nothing was installed."
        ) from error
    return 0


def _state(product: registry.Product, prefix: str, options: list[str]) -> dict[str, Any]:
    """Decide what will be in the registry."""
    machine, listed = "--machine" in options, "--no-registry" not in options
    folders = [prefix, f"{prefix}\\Scripts"] if "--path" in options and not machine else []
    return {
        "machine": machine,
        "program": registry.program_key(product, prefix, machine=machine)
        if listed and "--no-program" not in options
        else "",
        "python": registry.python_key(product) if listed and "--register" in options else "",
        "path": folders,
    }


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


def _stage(product: registry.Product, place: Place, state: dict[str, Any]) -> None:
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
    if not state["machine"]:
        # conda and menuinst look for it.
        with open(f"{place.staged}/.nonadmin", "w", encoding="utf-8"):
            pass
    with open(f"{place.staged}/{STATE}", "w", encoding="utf-8") as stream:
        stream.write(json.dumps({**state, "stage0": early}, indent=1, ensure_ascii=False) + "\n")


def _register(product: registry.Product, prefix: str, state: dict[str, Any]) -> None:
    machine = state["machine"]
    if state["program"]:
        registry.list_program(state["program"], product, prefix, machine=machine)
    if state["python"]:
        registry.register_python(state["python"], product, prefix, machine=machine)
    if state["path"] and not search_path.add(state["path"], machine=machine):
        sys.stderr.write("Warning: PATH is too long already, so it was left as it is.\n")
