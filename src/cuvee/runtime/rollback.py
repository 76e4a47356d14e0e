"""The verbs `rollback` and `clean`: go back to the release that was upgraded, or remove it."""

from __future__ import annotations

import os

from . import installer_log, moved_prefix, outside_files, prefix_swap
from .added_packages import misfits
from .crash_recovery import recover
from .failure import InstallError
from .file_operations import carry, quietly, save
from .moved_prefix import moved_from, refuse_moved
from .prefix_lock import hold
from .prefix_state import InstalledRelease, belongs, beside, load
from .prefix_tree import PrefixTree
from .verify import expected_files, verify


def rollback(installed: InstalledRelease, options: frozenset[str]) -> int:
    """Exchange the release with the one that is kept; rolling back once more returns to it."""
    prefix = installed.prefix
    kept = beside(prefix, "kept")
    with hold(prefix):
        recover(prefix)
        installed = load(prefix)  # a release that was on trial may have been withdrawn
        refuse_moved(installed)
        if not os.path.isdir(kept) or not belongs(kept):
            raise InstallError(f"No older release is kept for {prefix}.")
        old = load(kept)
        if place := moved_from(old._replace(prefix=prefix)):
            raise InstallError(
                f"The older release that is kept was installed in {place}, so it would not run in {prefix}. "
                "Remove it: clean. Nothing was changed."
            )
        found = verify(installed)
        files, links = expected_files(old)
        mine = found.user_files(prefix)
        taken = [path for path in mine if path in files or path in links]
        newer = [path for path in mine if path not in files and path not in links]
        for path in newer:
            quietly(PrefixTree(kept).unlink, path)
        taken += carry(prefix, kept, newer)
        saved = save(prefix, kept, [*found.changed, *taken], installed.manifest.version)
        outside = outside_files.believed(installed)
        prefix_swap.rotate(kept, prefix)
        outside_files.undo(prefix, outside, keep=old.state.outside)
        outside_files.apply(old._replace(prefix=prefix))
    before, after = installed.manifest.version, old.manifest.version
    message = f"{old.manifest.title} {before} was rolled back to {after} in {prefix}"
    unfit = misfits(found.added, old.manifest)
    details = {"version": after, "before": before, "saved": saved, "misfits": unfit}
    installer_log.note(prefix, "rollback", 0, message, details)
    texts = [message, *installer_log.labelled(saved=saved, no_longer_fits=unfit)]
    return installer_log.show({"prefix": prefix, **details}, texts, options)


def clean(installed: InstalledRelease, options: frozenset[str]) -> int:
    """Remove the release that is kept."""
    prefix = installed.prefix
    with hold(prefix):
        recover(prefix)
        prefix_swap.discard(beside(prefix, "kept"), beside(prefix, "0.partial"))
    moved_prefix.remove_kept(moved_prefix.kept_elsewhere(installed))
    message = f"No older release is kept for {prefix} any more"
    installer_log.note(prefix, "clean", 0, message)
    return installer_log.show({"prefix": prefix, "kept": None}, [message], options)
