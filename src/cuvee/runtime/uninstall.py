"""The verb `uninstall`: remove what was installed, and nothing that the user made."""

from __future__ import annotations

import os
from collections.abc import Callable

from . import install_scripts, installer_log, outside_files
from .crash_recovery import recover
from .file_operations import files_below
from .prefix_lock import hold
from .prefix_removal import remove_taken, take_away
from .prefix_state import INSTALLER, KEPT, LAST, InstalledRelease, beside, is_ours
from .transaction import ignore_signals
from .verify import Differences, expected_files, verify

_SHOWN = 20


def uninstall(prefix: str, find: Callable[[], InstalledRelease], options: frozenset[str]) -> int:
    """Remove the release that ``find`` returns; what the user changed is left where it is.

    ``--dry-run`` only says what would be left, ``--no-scripts`` leaves out pre_uninstall.
    """
    if "--dry-run" in options or not os.path.isdir(os.path.dirname(prefix)):
        installed = find()
        return _tell(installed, _left(prefix, verify(installed)), options, done=False)
    with hold(prefix):
        recover(prefix)
        installed = find()
        install_scripts.run("pre_uninstall", installed.manifest, prefix, f"{prefix}/{KEPT}", options)
        found = verify(installed)
        left = _left(prefix, found)
        os.chdir(os.path.dirname(prefix))  # the current folder may be in the prefix
        take_away(prefix, prefix, _gone(installed, found, set(left)))
        kept = beside(prefix, "kept")
        if os.path.isdir(kept) and is_ours(kept):
            take_away(prefix, kept, files_below(kept))
        outside_files.undo(installed)
        ignore_signals()
        remove_taken(prefix)
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


def _gone(installed: InstalledRelease, found: Differences, left: set[str]) -> list[str]:
    """Return the files and links that are removed: those that were found, and are what was installed."""
    files, links = expected_files(installed)
    left = left | {*found.missing}
    return [path for path in [*files, *links, *found.compiled, *LAST] if path not in left]
