"""Uninstalling: what was installed goes, what the user made stays."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, BinaryIO

from .. import main as runtime
from ..failure import InstallError, damaged
from ..state import read_marker
from ..upgrade import refuse_downgrade
from . import menu, registry, search_path
from .container import DamagedError, open_container
from .kept import INSTALLER, KEPT, STATE

if TYPE_CHECKING:
    from .main import Place


def files_below(folder: str) -> list[str]:
    """Give the files below a folder, relative, with ``/``, sorted."""
    found = []
    for parent, _, names in os.walk(folder):
        relative = os.path.relpath(parent, folder).replace(os.sep, "/")
        found += [name if relative == "." else f"{relative}/{name}" for name in names]
    return sorted(found)


def copy(source: str, target: str) -> None:
    """Copy a file and its time, which byte code names."""
    with open(source, "rb", buffering=0) as read, _create(target) as write:
        while data := read.read(1 << 20):
            write.write(data)
        time = os.fstat(read.fileno()).st_mtime_ns
    os.utime(target, ns=(time, time))


def _create(path: str) -> BinaryIO:
    try:
        return open(path, "wb")
    except FileNotFoundError:  # most of the time the folder is there, and to ask first costs as much
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return open(path, "wb")


def stage(prefix: str, run: str) -> int:
    """Copy the interpreter's smallest part and this code into ``run``; give 0."""
    for path in read_state(prefix)["stage0"]:
        copy(f"{prefix}/{path}", f"{run}/{path}")
    for path in files_below(f"{prefix}/{KEPT}"):
        if f"{KEPT}/{path}" != INSTALLER:
            copy(f"{prefix}/{KEPT}/{path}", f"{run}/.cuvee/{path}")
    return 0


def is_machine(prefix: str) -> bool:
    """Whether the release was installed for all users."""
    return not os.path.exists(f"{prefix}/.nonadmin")


def uninstall(product: registry.Product, place: Place, options: list[str]) -> int:
    """Remove the release, for the installer, or the uninstaller, which gives no options."""
    prefix = place.prefix
    sha256 = next((option.partition("=")[2] for option in options if option.startswith("--manifest=")), "")
    marker = read_marker(prefix) or {}
    if "--managed" in options and _is_others(product, prefix, marker):
        sys.stdout.write(f"{prefix} holds what this package did not bring; it stays.\n")
        return 0
    if not sha256 or marker.get("manifest_sha256", sha256) != sha256:
        return remove(prefix, ["uninstall"], product=product)
    # The installer of the very release knows what is in it, even if the prefix does not any more.
    try:
        container = open_container(place.installer)
    except DamagedError:
        raise damaged("The installer") from None
    arguments = ["uninstall", place.installer, place.staged, prefix, place.anchor, "-"]
    return remove(prefix, [*arguments, *map(str, container), sha256, *place.key_options()], product=product)


def _is_others(product: registry.Product, prefix: str, marker: dict[str, Any]) -> bool:
    """Whether Windows Installer, which ends with an older product after an upgrade, must leave what is there.

    That is a newer release, or one that an `.exe` has listed among the programs by itself.
    """
    try:
        refuse_downgrade(marker.get("version", product.version), product.version, forced=False)
        return bool(read_state(prefix)["program"])
    except InstallError:
        return os.path.isfile(f"{prefix}/{STATE}")


def remove(prefix: str, arguments: list[str], *, product: registry.Product | None = None) -> int:
    """Let the runtime remove the release from ``prefix``, and take it out of Windows; give the exit code."""
    try:
        state = read_state(prefix)
    except InstallError:
        if product is None:
            raise
        state = guess_state(product, prefix)
    dry = "--dry-run" in arguments
    if not dry:
        _check_unused(prefix)
    links = menu.entries(prefix)
    # The installer's arguments tell its own places; those of the command are options.
    from_installer = len(arguments) > 1 and not arguments[1].startswith("-")
    code = runtime.main(arguments) if from_installer else runtime.administer(prefix, arguments)
    if code == 0 and not dry:
        for path in links:
            menu.remove(path, prefix)
        forget(state, prefix)
    return code


def guess_state(product: registry.Product, prefix: str) -> dict[str, Any]:
    """Say what the registry may hold of a release that has lost its own list; what is not its own stays."""
    machine = is_machine(prefix)
    return {
        "machine": machine,
        "program": registry.program_key(product, prefix, machine=machine),
        "python": registry.python_key(product),
        "path": [prefix, f"{prefix}\\Scripts"],
    }


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
        raise InstallError(f"{prefix} holds no release that this uninstaller knows.") from None
    return value


def _check_unused(prefix: str) -> None:
    """Refuse while any of the release's programs runs: Windows renames no folder that is in use."""
    aside = f"{prefix}.cuvee-check"
    try:
        os.rename(prefix, aside)
    except OSError as error:
        raise InstallError(
            f"{prefix} is in use ({error.strerror}). Close its programs and try again; nothing was removed."
        ) from error
    os.rename(aside, prefix)
