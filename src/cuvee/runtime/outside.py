"""What an installed release has outside of its prefix: menu entries, and lines in shells' start-up files.

The prefix's state names them before they are made, so that whoever is interrupted in between can go on. None
of it is worth failing for: what can't be written is told.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from . import entries, shells
from .log import warn
from .manifest import Manifest
from .menus import menu_files, problems
from .placing import write_whole
from .state import Installed, Outside, write


def plan(prefix: str, manifest: Manifest, options: frozenset[str], old: Outside, *, at: str) -> Outside:
    """Decide what a release at ``prefix``, which is in the folder ``at`` now, will have.

    ``--no-menus`` leaves out the menu entries. ``--initialize`` adds the lines; those that ``old`` has stay.
    """
    system = manifest.platform.partition("-")[0]
    # Windows' own part makes its shortcuts.
    folder = "" if system == "win" or "--no-menus" in options else entries.menu_folder(os.environ)
    files = list(old.shells)
    if "--initialize" in options and system != "win":
        files += shells.start_up_files(os.environ, system=system)
    found = entries.planned(prefix, manifest, folder, at=at)
    left = [path for path in old.entries if os.path.lexists(path)]
    return Outside(folder, sorted({*found, *left}), sorted(set(files)))


def apply(installed: Installed) -> None:
    """Make what the state names, and remove what is no longer wanted; say what could not be done."""
    prefix, manifest, wanted = installed.prefix, installed.manifest, installed.state.outside
    found = entries.planned(prefix, manifest, wanted.menu_folder)
    warnings = problems(prefix, manifest) if found else []
    warnings += _each(found, lambda path: write_whole(path, found[path].encode()))
    warnings += _each(set(wanted.entries) - set(found), lambda path: entries.remove(path, prefix))
    warnings += _each(wanted.shells, lambda path: shells.add(path, prefix, manifest))
    if manifest.platform.startswith("osx-") and wanted.menu_folder and menu_files(manifest):
        warnings.append("menu entries are not made on macOS")
    warn(warnings)


def refresh(installed: Installed, options: frozenset[str]) -> None:
    """Do what `plan` and `apply` do for a release that is there already."""
    wanted = plan(installed.prefix, installed.manifest, options, installed.state.outside, at=installed.prefix)
    state = installed.state._replace(outside=wanted)
    if state != installed.state:
        write(installed.prefix, state)
    apply(installed._replace(state=state))


def undo(installed: Installed, keep: Outside | None = None) -> None:
    """Remove all of it but what ``keep`` names; say what could not be done."""
    prefix, there = installed.prefix, installed.state.outside
    kept = {*keep.entries, *keep.shells} if keep is not None else set()
    warnings = _each(set(there.entries) - kept, lambda path: entries.remove(path, prefix))
    warn(warnings + _each(set(there.shells) - kept, lambda path: shells.remove(path, prefix)))


def _each(paths: Iterable[str], action: Callable[[str], None]) -> list[str]:
    warnings = []
    for path in sorted(paths):
        try:
            action(path)
        except (OSError, ValueError) as error:  # of values: a name that is no UTF-8
            warnings.append(f"{path} was left as it was: {getattr(error, 'strerror', None) or error}")
    return warnings
