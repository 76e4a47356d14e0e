"""The verb `uninstall`: remove what was installed, and nothing that the user made."""

from __future__ import annotations

import os
from collections.abc import Callable

from . import install_scripts, installer_log, moved_prefix, outside_files
from .crash_recovery import recover
from .file_operations import files_below
from .prefix_lock import hold
from .prefix_removal import remove_taken, take_away
from .prefix_state import INSTALLER, KEPT, LAST, InstalledRelease, beside, is_ours
from .prefix_tree import PrefixTree
from .transaction import ignore_signals
from .verify import Differences, expected_files, verify

_SHOWN = 20


def uninstall(prefix: str, find: Callable[[], InstalledRelease], options: frozenset[str]) -> int:
    """Remove the release that ``find`` returns; what the user changed is left where it is.

    ``--dry-run`` only says what would go and what would be left, ``--no-scripts`` leaves out pre_uninstall.
    """
    if "--dry-run" in options or not os.path.isdir(os.path.dirname(prefix)):
        installed = find()
        found = verify(installed)
        return _foretell(installed, found, _left(prefix, found), options)
    with hold(prefix):
        recover(prefix)
        installed = find()
        install_scripts.run("pre_uninstall", installed.manifest, prefix, f"{prefix}/{KEPT}", options)
        found = verify(installed)
        left, outside = _left(prefix, found), outside_files.believed(installed)
        elsewhere = moved_prefix.kept_elsewhere(installed)
        os.chdir(os.path.dirname(prefix))  # the current folder may be in the prefix
        take_away(prefix, prefix, _gone(installed, found, set(left)))
        kept = beside(prefix, "kept")
        if os.path.isdir(kept) and is_ours(kept):
            take_away(prefix, kept, files_below(kept))
        outside_files.undo(prefix, outside)
        ignore_signals()
        stays = remove_taken(prefix, installed.manifest.command if installed.manifest.system == "win" else "")
    moved_prefix.remove_kept(elsewhere)
    # Only a log that `--log` names is still there.
    message = f"{installed.manifest.title} was removed from {prefix}"
    installer_log.note(prefix, "uninstall", 0, message, {"left": left})
    if stays:
        installer_log.warn([f"a program has files in {stays} open; remove that folder when it has ended"])
    return _tell(installed, left, options)


def _left(prefix: str, found: Differences) -> list[str]:
    """Return what stays: what is not the release's, or not any more."""
    return sorted({*found.changed, *found.user_files(prefix)} - {INSTALLER})


def _foretell(
    installed: InstalledRelease, found: Differences, left: list[str], options: frozenset[str]
) -> int:
    """List what `uninstall` would do; return exit code 0."""
    prefix = installed.prefix
    kept = [path for path in [beside(prefix, "kept")] if os.path.isdir(path)]
    kept += sorted(moved_prefix.kept_elsewhere(installed).values())
    lists = {
        "gone": sorted(_gone(installed, found, {*left})),
        "outside": outside_files.present(installed) + kept,
    }
    script = bool(installed.manifest.settings.pre_uninstall) and "--no-scripts" not in options
    value = {"prefix": prefix, "version": installed.manifest.version, "removed": False, "left": left, **lists}
    texts = ["pre_uninstall would run first"] if script else []
    texts += installer_log.labelled(
        would_go=lists["gone"], would_go_outside=lists["outside"], would_stay=left
    )
    texts.append(f"{installed.manifest.label} would be removed from {prefix}")
    return installer_log.show(value, texts, options)


def _tell(installed: InstalledRelease, left: list[str], options: frozenset[str]) -> int:
    manifest, prefix = installed.manifest, installed.prefix
    value = {"prefix": prefix, "version": manifest.version, "removed": True, "left": left}
    texts = [f"{manifest.label} was removed from {prefix}"]
    if left:
        texts.append("These files are yours, or were changed, so they stay:")
        texts += [f"  {path}" for path in left[:_SHOWN]]
        texts += [f"  and {len(left) - _SHOWN} more"] if len(left) > _SHOWN else []
    return installer_log.show(value, texts, options)


def _gone(installed: InstalledRelease, found: Differences, left: set[str]) -> list[str]:
    """Return the files and links that are removed: those that were found, and are what was installed."""
    files, links = expected_files(installed)
    tree = PrefixTree(installed.prefix)
    left = left | {*found.missing} | {path for path in found.waiting if tree.find(path) is None}
    last = [path for path in LAST if path not in left and tree.find(path) is not None]
    others = [path for path in [*files, *links, *found.compiled] if path not in left and path not in last]
    return [*others, *last]
