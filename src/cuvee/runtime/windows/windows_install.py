"""Installing and repairing on Windows: checks, the runtime's work, then what is registered."""

from __future__ import annotations

import contextlib
import os
import sys

from .. import kept_installer
from ..command_line import run_installer
from ..crash_recovery import recover
from ..failure import InstallError
from . import registry
from .nsis_call import NsisCall
from .registration import STATE, Registration, read_registration
from .registry import Product
from .staged_files import fill
from .system_check import check_system
from .windows_uninstall import remove

_FOR_RUNTIME = frozenset(("--force", "--new-key", "--no-keep", "--no-scripts", "--batch"))


def install(product: Product, call: NsisCall) -> int:
    """Install or upgrade; return the exit code. Unless it is 0, nothing has been changed."""
    # An installer that was killed may have left something, even the release itself, beside its prefix.
    recover(call.prefix)
    old = read_registration(call.prefix) if os.path.isfile(f"{call.prefix}/{STATE}") else None
    new, keep = decide(product, call, old)
    check_system(product, call, keep=keep, upgrade=old is not None)
    run = call.installer_run("install", _options(call, replace=os.path.isdir(call.prefix)))
    fill(product, call, new, keep=keep)
    code = run_installer(run)
    if code:
        return code
    try:
        _register(call, before=old)
    except OSError as error:
        message = f"Windows refused an entry in its registry: {error}."
        if old is not None:
            sys.stderr.write(f"Warning: {message}\n")
            return 0
        remove(call.prefix, ["uninstall"])
        raise InstallError(f"{message} Nothing was installed.") from error
    return 0


def repair(product: Product, call: NsisCall) -> int:
    """Restore what is damaged, and what is registered; install where there is nothing."""
    if not os.path.isdir(call.prefix) or not os.listdir(call.prefix):
        return install(product, call)
    run = call.installer_run("repair", _options(call, replace=False))
    old: Registration | None = None
    with contextlib.suppress(InstallError):
        old = read_registration(call.prefix)
    fill(product, call, old or decide(product, call, None)[0], keep=kept_installer.keeps(call.prefix))
    code = run_installer(run)
    if os.path.isfile(f"{call.prefix}/{STATE}"):
        _register(call, before=None)
    return code


def _options(call: NsisCall, *, replace: bool) -> list[str]:
    # The runtime's own menu entries are those of Linux.
    options = ["--no-menus", *(["--replace"] if replace else [])]
    return options + [option for option in call.options if option in _FOR_RUNTIME or option == "--json"]


def _register(call: NsisCall, *, before: Registration | None) -> None:
    read_registration(call.prefix).add(call.prefix, call.run, before=before, others=[])


def decide(product: Product, call: NsisCall, old: Registration | None) -> tuple[Registration, bool]:
    """Return what will be registered, and whether the installer stays.

    What no option says is as it was, or else as it is by default.
    """
    given, prefix = call.values(), call.prefix

    def choice(name: str, default: object, *, chosen: str = "1") -> bool:
        return given[name] == chosen if name in given else bool(default)

    machine = "--machine" in call.options
    listed = "--no-registry" not in call.options
    path = choice("path", old and old.path)
    python = choice("register", old.python if old else product.register)
    menus = choice("no-shortcuts", old.folders if old else True, chosen="0")
    keep = choice("keep-installer", kept_installer.keeps(prefix) if old else product.keep)
    program = listed and "--no-program" not in call.options
    registration = Registration(
        machine=machine,
        program=registry.program_key(product, prefix, machine=machine) if program else "",
        python=registry.python_key(product) if python and listed else "",
        # What all users' programs find must not be writable for one: the PATH of all users stays as it is.
        path=[prefix, f"{prefix}\\Scripts"] if path and not machine else [],
        folders=[call.menu, call.desktop] if menus and call.menu else [],
    )
    return registration, keep


def show_again(prefix: str, run: str, before: Registration, links: list[str]) -> None:
    """Register a release that has come back; ``links`` are the other one's shortcuts."""
    read_registration(prefix).add(prefix, run, before=before, others=links)
