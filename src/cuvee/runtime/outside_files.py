"""What an installed release has outside of its prefix: menu entries, and blocks in shells' start-up files.

The prefix's state names them before they are made, so that a later start can go on if this one is
interrupted. None of it makes an installation fail: what cannot be written becomes a warning.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from . import desktop_entries, shell_startup
from .installer_log import warn
from .menu_files import menu_files, problems
from .payload_manifest import PayloadManifest
from .prefix_state import InstalledRelease, OutsideFiles, write_state
from .user_files import edit


def plan(
    prefix: str, manifest: PayloadManifest, options: frozenset[str], old: InstalledRelease | None, *, at: str
) -> OutsideFiles:
    """Return what a release at ``prefix``, which is in the folder ``at`` now, will have.

    ``--no-menus`` leaves out the menu entries. ``--initialize`` adds the blocks; those that ``old`` has stay.
    """
    before = OutsideFiles() if old is None else old.state.outside
    # Windows' own part makes its shortcuts.
    windows = manifest.system == "win"
    folder = "" if windows or "--no-menus" in options else desktop_entries.menu_folder(os.environ)
    files = list(before.shells)
    if "--initialize" in options and not windows:
        files += shell_startup.start_up_files(os.environ, system=manifest.system)
    planned = desktop_entries.planned(prefix, manifest, folder, at=at)
    left = [path for path in before.entries if os.path.lexists(path)]
    return OutsideFiles(folder, sorted({*planned, *left}), sorted(set(files)))


def apply(installed: InstalledRelease) -> None:
    """Make what the state names, and remove what is no longer planned; warn of what could not be done."""
    prefix, manifest, outside = installed.prefix, installed.manifest, installed.state.outside
    planned = desktop_entries.planned(prefix, manifest, outside.menu_folder)
    warnings = problems(prefix, manifest) if planned else []
    warnings += _each(planned, lambda path: edit(path, lambda _: planned[path].encode()))
    warnings += _each(set(outside.entries) - set(planned), lambda path: desktop_entries.remove(path, prefix))
    warnings += _each(outside.shells, lambda path: shell_startup.add(path, prefix, manifest))
    if manifest.system == "osx" and outside.menu_folder and menu_files(manifest):
        warnings.append("menu entries are not made on macOS")
    warn(warnings)


def refresh(installed: InstalledRelease, options: frozenset[str]) -> None:
    """Do what `plan` and `apply` do for a release that is there already."""
    prefix = installed.prefix
    outside = plan(prefix, installed.manifest, options, installed, at=prefix)
    state = installed.state._replace(outside=outside)
    if state != installed.state:
        write_state(prefix, state)
    apply(installed._replace(state=state))


def undo(installed: InstalledRelease, keep: OutsideFiles = OutsideFiles()) -> None:  # noqa: B008 - immutable
    """Remove all of it but what ``keep`` names; warn of what could not be done."""
    prefix, outside = installed.prefix, installed.state.outside
    warnings = _each(
        set(outside.entries) - set(keep.entries), lambda path: desktop_entries.remove(path, prefix)
    )
    warnings += _each(set(outside.shells) - set(keep.shells), lambda path: shell_startup.remove(path, prefix))
    warn(warnings)


def _each(paths: Iterable[str], action: Callable[[str], None]) -> list[str]:
    warnings = []
    for path in sorted(paths):
        try:
            action(path)
        except (OSError, ValueError) as error:  # of values: a name that is not UTF-8
            warnings.append(f"{path} was left as it was: {getattr(error, 'strerror', None) or error}")
    return warnings
