"""Filling the folder that becomes the prefix with what the runtime finds there, and what only Windows has."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ..failure import damaged
from . import registry
from .admin_command import command
from .container import DamagedError, open_container
from .kept import INSTALLER, KEPT, STATE
from .removing import copy, files_below

if TYPE_CHECKING:
    from .main import Place

_STATE = ("machine", "program", "python", "path", "folders")


def fill(product: registry.Product, place: Place, state: dict[str, Any]) -> None:
    """Fill the staged folder.

    The runtime does not run from there: Windows renames no folder that a program runs from.
    """
    staged = place.staged
    early = [path for path in files_below(place.run) if not path.startswith(".cuvee/")]
    for path in early:
        copy(f"{place.run}/{path}", f"{staged}/{path}")
    for path in files_below(f"{place.run}/.cuvee"):
        if path != "uninstall.exe":
            copy(f"{place.run}/.cuvee/{path}", f"{staged}/{KEPT}/{path}")
    copy(f"{place.run}/.cuvee/uninstall.exe", f"{staged}/{product.uninstaller}")
    if not state["machine"]:
        _write(f"{staged}/.nonadmin", "")  # conda and menuinst look for it
    os.makedirs(f"{staged}/Scripts", exist_ok=True)
    text = command(f"{product.title} {product.version}", product.distribution, product.interpreter)
    _write(f"{staged}/Scripts/{product.distribution}-admin.cmd", text)
    if state.get("installer"):
        _keep(place.installer, f"{staged}/{INSTALLER}")
    known = {key: state[key] for key in _STATE if key in state}
    _write(f"{staged}/{STATE}", json.dumps({**known, "stage0": early}, indent=1, ensure_ascii=False) + "\n")


def _keep(installer: str, target: str) -> None:
    """Let the installer stay for repairs: a copy, held to the hash that it states."""
    copy(installer, target)
    try:
        open_container(target)
    except DamagedError:
        raise damaged("The installer") from None


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8", newline="") as stream:
        stream.write(text)
