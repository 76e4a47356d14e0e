"""What an installed release has outside of its prefix: menu entries, and blocks in shells' start-up files.

The prefix's state names them before they are made, so that a later start can go on if this one is
interrupted. None of it makes an installation fail: what cannot be written becomes a warning.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from . import desktop_entries, moved_prefix, shell_startup
from .installer_log import warn
from .menu_files import menu_files, problems
from .payload_manifest import PayloadManifest
from .prefix_state import InstalledRelease, OutsideFiles, belongs, write_state
from .user_files import edit

_MENU = "applications"  # the last part of `desktop_entries.menu_folder`
_OTHERS = "{} belongs to another user, so menu entries and start-up files stay as they are"


def plan(
    prefix: str, manifest: PayloadManifest, options: frozenset[str], old: InstalledRelease | None, *, at: str
) -> OutsideFiles:
    """Return what a release at ``prefix``, which is in the folder ``at`` now, will have.

    ``--no-menus`` leaves out the menu entries. ``--initialize`` adds the blocks; those that ``old`` has stay.
    """
    if old is not None and not belongs(old.prefix):
        return OutsideFiles()
    before = OutsideFiles() if old is None else _plausible(old.state.outside)
    if old is not None and old.state.prefix != prefix:
        # Of a copy, what is outside is the original's.
        former = moved_prefix.names(prefix, old.state)[1:]
        before = before._replace(former=former) if old.state.prefix in former else OutsideFiles()
    # Windows' own part makes its shortcuts.
    windows = manifest.system == "win"
    folder = "" if windows or "--no-menus" in options else desktop_entries.menu_folder(os.environ)
    folder = folder and os.path.abspath(folder)
    files = list(before.shells)
    if "--initialize" in options and not windows:
        files += map(os.path.abspath, shell_startup.start_up_files(os.environ, system=manifest.system))
    planned = desktop_entries.planned(prefix, manifest, folder, at=at)
    left = [path for path in before.entries if os.path.lexists(path)]
    return OutsideFiles(folder, sorted({*planned, *left}), sorted(set(files)), before.former)


def apply(installed: InstalledRelease) -> None:
    """Make what the state names, and remove what is no longer planned; warn of what could not be done."""
    prefix, manifest, outside = installed.prefix, installed.manifest, believed(installed)
    planned = desktop_entries.planned(prefix, manifest, outside.menu_folder)
    warnings = problems(prefix, manifest) if planned else []
    warnings += _each(planned, lambda path: edit(path, lambda _: planned[path].encode()))
    for name in (prefix, *outside.former):
        warnings += _each(set(outside.entries) - set(planned), _without(desktop_entries.remove, name))
    for name in outside.former:
        warnings += _each(outside.shells, _without(shell_startup.remove, name))
    warnings += _each(outside.shells, lambda path: shell_startup.add(path, prefix, manifest))
    if manifest.system == "osx" and outside.menu_folder and menu_files(manifest):
        warnings.append("menu entries are not made on macOS")
    warn(warnings)


def refresh(installed: InstalledRelease, options: frozenset[str]) -> None:
    """Do what `plan` and `apply` do for a release that is there already."""
    prefix = installed.prefix
    if not belongs(prefix):
        warn([_OTHERS.format(prefix)])
        return
    outside = plan(prefix, installed.manifest, options, installed, at=prefix)
    state = installed.state._replace(outside=outside)
    if state != installed.state:
        write_state(prefix, state)
    apply(installed._replace(state=state))


def undo(prefix: str, outside: OutsideFiles, keep: OutsideFiles = OutsideFiles()) -> None:  # noqa: B008 - immutable
    """Remove all of ``outside``, from `believed`, but what ``keep`` names; warn of what could not be done.

    The prefix itself may be gone by now.
    """
    warnings = []
    for name in (prefix, *outside.former):
        warnings += _each(set(outside.entries) - set(keep.entries), _without(desktop_entries.remove, name))
        warnings += _each(set(outside.shells) - set(keep.shells), _without(shell_startup.remove, name))
    warn(warnings)


def present(installed: InstalledRelease) -> list[str]:
    """Return what `undo` would remove or change."""
    outside = believed(installed)
    names = (installed.prefix, *outside.former)
    found = {path for path in outside.entries for name in names if desktop_entries.is_own(path, name)}
    found |= {path for path in outside.shells for name in names if shell_startup.has_block(path, name)}
    return sorted(found)


def believed(installed: InstalledRelease) -> OutsideFiles:
    """Return what a release has outside of its prefix, as far as its state is believed.

    ``former`` are the other places whose names are this release's still.
    """
    outside = installed.state.outside
    if belongs(installed.prefix):
        former = moved_prefix.names(installed.prefix, installed.state)[1:]
        return _plausible(outside)._replace(former=former)
    if outside != OutsideFiles():
        warn([_OTHERS.format(installed.prefix)])
    return OutsideFiles()


def _plausible(outside: OutsideFiles) -> OutsideFiles:
    """Return of what a state names what an installer may have made: no other file is ever touched."""
    folder, *paths = (
        os.path.normpath(path) if os.path.isabs(path) else ""
        for path in [outside.menu_folder, *outside.entries, *outside.shells]
    )
    return OutsideFiles(
        folder if os.path.basename(folder) == _MENU else "",
        [path for path in paths if _is_entry(path)],
        [path for path in paths if os.path.basename(path) in shell_startup.NAMES],
        outside.former,
    )


def _is_entry(path: str) -> bool:
    folder, name = os.path.split(path)
    return name.endswith(".lnk") or (name.endswith(".desktop") and os.path.basename(folder) == _MENU)


def _without(remove: Callable[[str, str], None], name: str) -> Callable[[str], None]:
    return lambda path: remove(path, name)


def _each(paths: Iterable[str], action: Callable[[str], None]) -> list[str]:
    warnings = []
    for path in sorted(paths):
        try:
            action(path)
        except (OSError, ValueError) as error:  # of values: a name that is not UTF-8
            warnings.append(f"{path} was left as it was: {getattr(error, 'strerror', None) or error}")
    return warnings
