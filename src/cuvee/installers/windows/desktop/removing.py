"""Uninstalling: what was installed goes, what the user made stays."""

# Stage 0 has no pathlib.
# ruff: noqa: PTH101, PTH103, PTH104, PTH106, PTH108, PTH112, PTH118, PTH120, PTH123, PTH208, PTH116

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
from typing import Any

from . import registry, search_path

STATE = "conda-meta/cuvee-windows.json"
"""What the uninstaller must know: scope, registry keys, PATH entries, own files, and stage 0's."""

KEPT = "conda-meta/cuvee"
"""Where the prefix keeps this code and the runtime, for its uninstaller."""

_MARKER = "conda-meta/cuvee.json"
_SHOWN = 20


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
    for path in _state(prefix)["stage0"]:
        copy(f"{prefix}/{path}", f"{run}/{path}")
    for path in files_below(f"{prefix}/{KEPT}"):
        copy(f"{prefix}/{KEPT}/{path}", f"{run}/.cuvee/{path}")


def is_machine(prefix: str) -> bool:
    """Whether the release was installed for all users."""
    return bool(_state(prefix)["machine"])


def uninstall(prefix: str) -> int:
    """Remove the release from ``prefix`` and from the registry; give the exit code."""
    state = _state(prefix)
    _check_unused(prefix)
    machine = state["machine"]
    if "path" in state:
        search_path.remove(state["path"], machine=machine)
    if "python" in state:
        registry.forget_python(state["python"], prefix, machine=machine)
    if "program" in state:
        registry.forget_program(state["program"], prefix, machine=machine)
    kept = _remove(prefix, state)
    if kept:
        sys.stdout.write(f"These files are not the release's, so they were kept in {prefix}:\n")
        sys.stdout.write("".join(f"  {path}\n" for path in kept[:_SHOWN]))
        if len(kept) > _SHOWN:
            sys.stdout.write(f"  and {len(kept) - _SHOWN} more\n")
    return 0


def _state(prefix: str) -> dict[str, Any]:
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


def _remove(prefix: str, state: dict[str, Any]) -> list[str]:
    """Remove the release's files, then every folder that became empty; give the files that are left."""
    with open(f"{prefix}/{_MARKER}", encoding="utf-8") as stream:
        packages = json.load(stream)["packages"]
    sources = set()
    for package in packages:
        record = f"{prefix}/conda-meta/{package}.json"
        with contextlib.suppress(OSError, ValueError), open(record, encoding="utf-8") as stream:
            for path in json.load(stream)["files"]:
                _unlink(f"{prefix}/{path}")
                if path.endswith(".py"):
                    sources.add(path[:-3])
    _remove_byte_code(prefix, sources)
    for path in state["own"]:
        _unlink(f"{prefix}/{path}")
    for path in files_below(f"{prefix}/{KEPT}"):
        _unlink(f"{prefix}/{KEPT}/{path}")
    # The records go last, so that an interrupted removal can be started again.
    for package in packages:
        _unlink(f"{prefix}/conda-meta/{package}.json")
    for path in ("conda-meta/history", _MARKER, STATE):
        _unlink(f"{prefix}/{path}")
    _remove_empty_folders(prefix)
    return files_below(prefix) if os.path.isdir(prefix) else []


def _remove_byte_code(prefix: str, sources: set[str]) -> None:
    """Remove what Python compiled later from sources that are gone."""
    for folder in {source.rpartition("/")[0] for source in sources}:
        cache = f"{prefix}/{folder}/__pycache__"
        with contextlib.suppress(OSError):
            for name in os.listdir(cache):
                if name.endswith(".pyc") and f"{folder}/{name.partition('.')[0]}".lstrip("/") in sources:
                    _unlink(f"{cache}/{name}")


def _remove_empty_folders(prefix: str) -> None:
    for parent, folders, _ in os.walk(prefix, topdown=False):
        for name in folders:
            with contextlib.suppress(OSError):
                os.rmdir(os.path.join(parent, name))
    with contextlib.suppress(OSError):
        os.rmdir(prefix)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except PermissionError:
        # A read-only file can't be removed on Windows.
        os.chmod(path, 0o600)
        os.unlink(path)
