"""Installing and repairing on Windows: checks, the runtime's work, then what is registered."""

from __future__ import annotations

import contextlib
import os
import sys

from .. import desktop_byte_code, kept_installer
from ..command_line import run_installer
from ..crash_recovery import recover
from ..failure import MISSING, USAGE, InstallError
from ..install_checks import check_space
from ..moved_prefix import refuse_moved
from ..prefix_lock import hold
from ..prefix_state import load
from . import registry
from .nsis_call import NsisCall
from .registration import STATE, Registration, read_registration
from .registry import Product
from .staged_files import fill
from .windows_uninstall import remove

_MAX_PATH = 259
_FIRST_WINDOWS_11 = 22000
_FOR_RUNTIME = frozenset(("--force", "--new-key", "--no-keep", "--no-scripts", "--batch"))


def install(product: Product, call: NsisCall) -> int:
    """Install or upgrade; return the exit code. Unless it is 0, nothing has been changed."""
    # An installer that was killed may have left something, even the release itself, beside its prefix.
    with hold(call.prefix):
        recover(call.prefix, call.staged)
    old = read_registration(call.prefix) if os.path.isfile(f"{call.prefix}/{STATE}") else None
    options = _options(call, replace=os.path.isdir(call.prefix))
    # Byte code is made when the release is registered: who ends that has all else.
    run = call.installer_run("install", [*options, "--compile-later"])
    new, keep = decide(product, call, old)
    if run.read_index() is not None:
        keep = False  # a delta could not repair the release
        if call.values().get("keep-installer") == "1":
            raise InstallError("A delta cannot be kept for repairs: leave /KeepInstaller away.", USAGE)
    _check_system(product, call, keep=keep, upgrade=old is not None)
    fill(product, call, new, keep=keep)
    code = run_installer(run)
    if code:
        return code
    try:
        read_registration(call.prefix).add(call.prefix, call.run, before=old)
    except OSError as error:
        message = f"Windows refused an entry in its registry: {error}."
        if old is None:
            remove(call.prefix, ["uninstall"])
            raise InstallError(f"{message} Nothing was installed.") from error
        sys.stderr.write(f"Warning: {message}\n")
    desktop_byte_code.complete_in(call.prefix)
    return 0


def repair(product: Product, call: NsisCall) -> int:
    """Restore what is damaged, and what is registered; install where there is nothing."""
    if not os.path.isdir(call.prefix) or not os.listdir(call.prefix):
        return install(product, call)
    installed = None
    with contextlib.suppress(InstallError):  # what else is wrong with it is found later
        installed = load(call.prefix)
    if installed is not None:
        refuse_moved(installed)
    run = call.installer_run("repair", _options(call, replace=False))
    old: Registration | None = None
    with contextlib.suppress(InstallError):
        old = read_registration(call.prefix)
    fill(product, call, old or decide(product, call, None)[0], keep=kept_installer.keeps(call.prefix))
    code = run_installer(run)
    if os.path.isfile(f"{call.prefix}/{STATE}"):
        read_registration(call.prefix).add(call.prefix, call.run, before=None)
    return code


def _options(call: NsisCall, *, replace: bool) -> list[str]:
    # The runtime's own menu entries are those of Linux.
    options = ["--no-menus", *(["--replace"] if replace else [])]
    return options + [option for option in call.options if option in _FOR_RUNTIME or option == "--json"]


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


def _check_system(product: Product, call: NsisCall, *, keep: bool, upgrade: bool) -> None:
    """Raise if the system lacks something.

    ``keep`` is whether a copy of the installer stays. An upgrade needs less of the disk: the runtime checks
    that when it knows how much.
    """
    found = _windows_version()
    if product.floor.isdigit() and found < int(product.floor):
        raise InstallError(
            f"{product.title} needs Windows {product.floor}, but this is Windows {found}.", MISSING
        )
    longest = len(call.prefix) + 1 + product.longest_path
    if longest > _MAX_PATH and not _allows_long_paths():
        fits = _MAX_PATH - product.longest_path - 1 - len(os.path.basename(call.prefix)) - 1
        raise InstallError(
            f"{call.prefix} is too long: the longest file in it would have {longest} characters, and "
            f"programs on this Windows open {_MAX_PATH} at most. Choose a folder in one of at most {fits} "
            "characters, or have an administrator allow long paths (LongPathsEnabled)."
        )
    if not upgrade:
        needed = product.needed + (os.stat(call.installer).st_size if keep else 0)
        check_space(call.run, call.anchor, product.label, needed)


def _windows_version() -> int:
    if sys.platform == "win32":
        version = sys.getwindowsversion()
        # 11 calls itself 10: https://learn.microsoft.com/windows/release-health/windows11-release-information
        is_11 = version.major == 10 and version.build >= _FIRST_WINDOWS_11  # noqa: PLR2004
        return 11 if is_11 else version.major
    raise NotImplementedError


def _allows_long_paths() -> bool:
    """Return whether programs on this machine may open paths of more than 260 characters.

    https://learn.microsoft.com/windows/win32/fileio/maximum-file-path-limitation
    """
    key = r"SYSTEM\CurrentControlSet\Control\FileSystem"
    return registry.text(key, "LongPathsEnabled", machine=True) not in {"", "0"}
