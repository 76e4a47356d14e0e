"""Installing and repairing on Windows: checks, the runtime's work, then what Windows is told."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .. import keeping, placing
from .. import main as runtime
from ..failure import InstallError, damaged
from . import menu, registry, removing, search_path
from .checks import check_system
from .container import Container, DamagedError, open_container
from .kept import KEPT, STATE
from .staging import fill

if TYPE_CHECKING:
    from .main import Place

_FOR_RUNTIME = frozenset(("--force", "--new-key", "--no-keep", "--no-scripts", "--batch"))


def install(product: registry.Product, place: Place, options: list[str]) -> int:
    """Install or upgrade; give the exit code. Unless it is 0, nothing has been changed."""
    # An installer that was killed may have left something, even the release itself, beside its place.
    placing.recover(place.prefix)
    old = removing.read_state(place.prefix) if os.path.isfile(f"{place.prefix}/{STATE}") else None
    state = decide(product, place, options, old)
    check_system(product, place, keeps=state["installer"], upgrades=old is not None)
    container = _open(place.installer)
    fill(product, place, state)
    code = _run_runtime("install", place, container, options)
    if code:
        return code
    try:
        show(product, place.prefix, place.run, before=old)
    except OSError as error:
        message = f"Windows refused an entry in its registry: {error}."
        if old is not None:
            sys.stderr.write(f"Warning: {message}\n")
            return 0
        removing.remove(place.prefix, ["uninstall"])
        raise InstallError(f"{message} Nothing was installed.") from error
    return 0


def repair(product: registry.Product, place: Place, options: list[str]) -> int:
    """Restore what is damaged, and what Windows is told; install where there is nothing."""
    if not os.path.isdir(place.prefix) or not os.listdir(place.prefix):
        return install(product, place, options)
    container = _open(place.installer)
    old: dict[str, Any] | None = None
    with contextlib.suppress(InstallError):
        old = removing.read_state(place.prefix)
    state = old or decide(product, place, options, None)
    fill(product, place, {**state, "installer": _keeps(place.prefix)})
    code = _run_runtime("repair", place, container, options)
    if os.path.isfile(f"{place.prefix}/{STATE}"):
        show(product, place.prefix, place.run, before=None)
    return code


def _keeps(prefix: str) -> bool:
    return keeping.keeps(prefix)


def _open(installer: str) -> Container:
    try:
        return open_container(installer)
    except DamagedError:
        raise damaged("The installer") from None


def _run_runtime(verb: str, place: Place, container: Container, options: Iterable[str]) -> int:
    options = list(options)
    sha256 = next(option.partition("=")[2] for option in options if option.startswith("--manifest="))
    arguments = [verb, place.installer, place.staged, place.prefix, place.anchor, "-"]
    # Shortcuts are made by this part, since the runtime's own menu entries are those of Linux.
    arguments += [*map(str, container), sha256, "--no-menus"]
    if verb == "install" and os.path.isdir(place.prefix):
        arguments.append("--replace")
    if verb == "repair" and "--json" in options:
        arguments.append("--json")
    arguments += [option for option in options if option in _FOR_RUNTIME] + place.key_options()
    return runtime.main(arguments)


def decide(
    product: registry.Product, place: Place, options: list[str], old: dict[str, Any] | None
) -> dict[str, Any]:
    """Decide what Windows will be told. What is not said is as it was, or else as it is by default."""
    given = dict(option[2:].split("=", 1) for option in options if "=" in option)
    machine, prefix = "--machine" in options, place.prefix
    listed = "--no-registry" not in options
    path = given["path"] == "1" if "path" in given else bool(old and old["path"])
    python = bool(old["python"]) if old else product.register
    python = given["register"] == "1" if "register" in given else python
    keep = _keeps(prefix) if old else product.keep
    keep = given["keep-installer"] == "1" if "keep-installer" in given else keep
    menus = bool(old.get("folders")) if old else True
    menus = given["no-shortcuts"] != "1" if "no-shortcuts" in given else menus
    program = "--no-program" not in options and listed
    return {
        "machine": machine,
        "program": registry.program_key(product, prefix, machine=machine) if program else "",
        "python": registry.python_key(product) if python and listed else "",
        # What all users' programs find must not be writable for one: everybody's PATH is left alone.
        "path": [prefix, f"{prefix}\\Scripts"] if path and not machine else [],
        "folders": [place.menu, place.desktop] if menus and place.menu else [],
        "installer": keep,
    }


def show(
    product: registry.Product,
    prefix: str,
    run: str,
    *,
    before: dict[str, Any] | None,
    others: list[str] | None = None,
) -> None:
    """Tell Windows of the release in ``prefix``, and take back what ``before`` says and it does not."""
    state = removing.read_state(prefix)
    machine = state["machine"]
    if state["program"]:
        registry.list_program(state["program"], product, prefix, machine=machine)
    if state["python"]:
        registry.register_python(state["python"], product, prefix, machine=machine)
    if before is not None:
        gone = {key: before[key] if before[key] != state[key] else "" for key in ("program", "python")}
        paths = before["path"] if not state["path"] else []
        removing.forget({**before, **gone, "path": paths}, prefix)
    if state["path"] and not search_path.add(state["path"], machine=machine):
        sys.stderr.write("Warning: PATH is too long already, so it was left as it is.\n")
    menu.show(prefix, state.get("folders", []), run, others or [])


def show_again(prefix: str, run: str, before: dict[str, Any], links: list[str]) -> None:
    """Tell Windows of a release that has come back; ``links`` are the other one's shortcuts."""
    show(registry.read_product(f"{prefix}/{KEPT}/product.json"), prefix, run, before=before, others=links)
