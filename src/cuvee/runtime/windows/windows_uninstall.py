"""Uninstalling on Windows: what was installed goes, what the user made stays."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from ..command_line import administer, run_installer
from ..crash_recovery import recover
from ..failure import InstallError
from ..install_checks import refuse_downgrade
from ..moved_prefix import known_names
from ..prefix_lock import hold
from ..prefix_state import ReleaseMarker, beside, read_marker
from . import start_menu
from .nsis_call import NsisCall
from .registration import STATE, guess_registration, read_registration
from .registry import Product


def uninstall(product: Product, call: NsisCall) -> int:
    """Remove the release, for the installer, or the uninstaller, which gives no options."""
    prefix, sha256 = call.prefix, call.manifest_sha256
    marker = read_marker(prefix)
    if "--managed" in call.options and _is_others(product, prefix, marker):
        sys.stdout.write(f"{prefix} holds what this package did not bring; it stays.\n")
        return 0
    if not sha256 or (marker is not None and marker.manifest_sha256 != sha256):
        return remove(prefix, ["uninstall"], product)
    # The installer of the very release knows what is in it, even if the prefix does not any more.
    run = call.installer_run("uninstall", ())
    return _remove(prefix, lambda: run_installer(run), product)


def _is_others(product: Product, prefix: str, marker: ReleaseMarker | None) -> bool:
    """Return whether Windows Installer, which removes an older product after an upgrade, must remove nothing.

    That is a newer release, or one that an `.exe` has listed among the programs by itself.
    """
    try:
        refuse_downgrade(marker.version if marker else product.version, product.version)
        return bool(read_registration(prefix).program)
    except InstallError:
        return os.path.isfile(f"{prefix}/{STATE}")


def remove(prefix: str, arguments: list[str], product: Product | None = None) -> int:
    """Run the runtime's ``uninstall`` on a prefix, and remove it from Windows; return the exit code.

    With ``product`` a release that has lost its own list is removed too.
    """
    if "--dry-run" in arguments:
        return administer(prefix, arguments)
    return _remove(prefix, lambda: administer(prefix, arguments), product)


def _remove(prefix: str, uninstall: Callable[[], int], product: Product | None) -> int:
    try:
        registration = read_registration(prefix)
    except InstallError:
        if product is None:
            raise
        registration = guess_registration(product, prefix)
    _check_unused(prefix)
    links, names = start_menu.shortcuts_of(prefix), known_names(prefix)
    code = uninstall()
    if code == 0:
        for path in links:
            start_menu.remove(path, names)
        registration.remove(names)
    return code


def _check_unused(prefix: str) -> None:
    """Raise while any of the release's programs runs: Windows renames no folder that is in use."""
    aside = beside(prefix, "0.old")  # this puts it back if this process is killed
    with hold(prefix):
        recover(prefix)
        try:
            os.rename(prefix, aside)
        except OSError as error:
            raise InstallError(
                f"{prefix} is in use ({error.strerror}). Close its programs and try again; "
                "nothing was removed."
            ) from error
        os.rename(aside, prefix)
