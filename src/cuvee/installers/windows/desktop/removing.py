"""Uninstalling: what was installed goes, what the user made stays."""

# Stage 0 has no pathlib.
# ruff: noqa: PTH103, PTH104, PTH120, PTH123, PTH116

from __future__ import annotations

import importlib
import json
import os
from typing import Any

from . import registry, search_path

KEPT = "conda-meta/cuvee"
"""Where the prefix keeps this code and the runtime, for its uninstaller."""

STATE = f"{KEPT}/windows.json"
"""What the uninstaller must know: scope, registry keys, PATH entries, and stage 0's files."""


def files_below(folder: str) -> list[str]:
    """Give the files below a folder, relative, with ``/``, sorted."""
    found = []
    for parent, _, names in os.walk(folder):
        relative = os.path.relpath(parent, folder).replace(os.sep, "/")
        found += [name if relative == "." else f"{relative}/{name}" for name in names]
    return sorted(found)


def copy(source: str, target: str) -> None:
    """Copy a file and its time, which byte code names."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(source, "rb") as read, open(target, "wb") as write:
        while data := read.read(1 << 20):
            write.write(data)
    time = os.stat(source).st_mtime_ns
    os.utime(target, ns=(time, time))


def stage(prefix: str, run: str) -> None:
    """Copy the interpreter's smallest part and this code into ``run``."""
    for path in read_state(prefix)["stage0"]:
        copy(f"{prefix}/{path}", f"{run}/{path}")
    for path in files_below(f"{prefix}/{KEPT}"):
        copy(f"{prefix}/{KEPT}/{path}", f"{run}/.cuvee/{path}")


def is_machine(prefix: str) -> bool:
    """Whether the release was installed for all users."""
    return bool(read_state(prefix)["machine"])


def uninstall(prefix: str) -> int:
    """Remove the release from ``prefix`` and from the registry; give the exit code."""
    state = read_state(prefix)
    _check_unused(prefix)
    code: int = importlib.import_module("runtime.main").administer(prefix, ["uninstall"])
    if code == 0:
        forget(state, prefix)
    return code


def forget(state: dict[str, Any], prefix: str) -> None:
    """Take the release out of the registry."""
    machine = state["machine"]
    if state["path"]:
        search_path.remove(state["path"], machine=machine)
    if state["python"]:
        registry.forget_python(state["python"], prefix, machine=machine)
    if state["program"]:
        registry.forget_program(state["program"], prefix, machine=machine)


def read_state(prefix: str) -> dict[str, Any]:
    """Read what the installer left for us."""
    try:
        with open(f"{prefix}/{STATE}", encoding="utf-8") as stream:
            value: dict[str, Any] = json.load(stream)
    except (OSError, ValueError):
        failure = importlib.import_module("runtime.failure")
        raise failure.InstallError(f"{prefix} holds no release that this uninstaller knows.") from None
    return value


def _check_unused(prefix: str) -> None:
    """Refuse while any of the release's programs runs: Windows renames no folder that is in use."""
    aside = f"{prefix}.cuvee-check"
    try:
        os.rename(prefix, aside)
    except OSError as error:
        failure = importlib.import_module("runtime.failure")
        raise failure.InstallError(
            f"{prefix} is in use ({error.strerror}). Close its programs and try again; nothing was removed."
        ) from error
    os.rename(aside, prefix)
