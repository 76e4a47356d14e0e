"""The verb `uninstall`: remove what was installed, and nothing that the user made."""

from __future__ import annotations

import os

from . import install_scripts, installer_log, outside_files
from .file_operations import quietly, remove_tree
from .prefix_lock import hold
from .prefix_state import INSTALLER, KEPT, LAST, InstalledRelease, beside
from .verify import Differences, expected_files, verify
from .worker_threads import share_in_runs

_SHOWN = 20


def uninstall(installed: InstalledRelease, options: frozenset[str]) -> int:
    """Remove the release; what the user changed is left where it is.

    ``--dry-run`` only says what would be left, ``--no-scripts`` leaves out pre_uninstall.
    """
    prefix = installed.prefix
    found = verify(installed)
    left = _left(prefix, found)
    if "--dry-run" in options:
        return _tell(installed, left, options, done=False)
    with hold(prefix):
        install_scripts.run("pre_uninstall", installed.manifest, prefix, f"{prefix}/{KEPT}", options)
        if installed.manifest.settings.pre_uninstall:  # it may have removed something, or made it
            found = verify(installed)
            left = _left(prefix, found)
        outside_files.undo(installed)
        os.chdir(os.path.dirname(prefix))  # the current folder may be in the prefix
        _remove_files(installed, found, set(left))
        for parent, folders, _ in os.walk(prefix, topdown=False):
            for name in folders:
                quietly(os.rmdir, os.path.join(parent, name))
        quietly(os.rmdir, prefix)
        remove_tree(beside(prefix, "kept"))
    # Only a log that `--log` names is still there.
    message = f"{installed.manifest.title} was removed from {prefix}"
    installer_log.note(prefix, "uninstall", 0, message, {"left": left})
    return _tell(installed, left, options, done=True)


def _left(prefix: str, found: Differences) -> list[str]:
    """Return what stays: what is not the release's, or not any more."""
    return sorted({*found.changed, *found.user_files(prefix)} - {INSTALLER})


def _tell(installed: InstalledRelease, left: list[str], options: frozenset[str], *, done: bool) -> int:
    manifest, prefix = installed.manifest, installed.prefix
    value = {"prefix": prefix, "version": manifest.version, "removed": done, "left": left}
    texts = [f"{manifest.label} {'was' if done else 'would be'} removed from {prefix}"]
    if left:
        texts.append("These files are yours, or were changed, so they stay:")
        texts += [f"  {path}" for path in left[:_SHOWN]]
        texts += [f"  and {len(left) - _SHOWN} more"] if len(left) > _SHOWN else []
    return installer_log.show(value, texts, options)


def _remove_files(installed: InstalledRelease, found: Differences, left: set[str]) -> None:
    prefix = installed.prefix
    files, links = expected_files(installed)
    gone = [path for path in [*files, *links, *found.compiled] if path not in left]
    # What this runs from goes late.
    late = {entry.path for entry in installed.manifest.stage0} | set(installed.state.own)
    # Several at a time: on Windows a virus scanner delays each.
    share_in_runs([path for path in gone if path not in late], lambda path: _unlink(f"{prefix}/{path}"))
    for path in [*(path for path in gone if path in late), *LAST]:
        _unlink(f"{prefix}/{path}")


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
    except PermissionError:
        if os.name != "nt":
            raise
        os.chmod(path, 0o600)  # Windows removes no file that is read-only
        os.unlink(path)
