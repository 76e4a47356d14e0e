"""The verbs `rollback` and `clean`: go back to the release that was upgraded, or let go of it."""

from __future__ import annotations

import contextlib
import os

from . import log, outside, placing
from .added import misfits
from .carrying import carry, files_below, save
from .failure import InstallError
from .locking import hold
from .log import show
from .state import SAVED, Installed, beside, is_ours, load
from .verify import expected_files, verify


def rollback(installed: Installed, options: frozenset[str]) -> int:
    """Exchange the release with the one that is kept; rolling back once more returns to it."""
    prefix = installed.prefix
    kept = beside(prefix, "kept")
    with hold(prefix):
        placing.recover(prefix)
        installed = load(prefix)  # a release that was on trial may have been taken back
        if not os.path.isdir(kept) or not is_ours(kept):
            raise InstallError(f"No older release is kept for {prefix}.")
        old = load(kept)
        found = verify(installed)
        files, links = expected_files(old)
        mine = [path for path in [*found.extra, *found.meta] if path != "conda-meta/history"]
        mine += [f"{SAVED}/{path}" for path in files_below(f"{prefix}/{SAVED}")]
        taken = [path for path in mine if path in files or path in links]
        newer = [path for path in mine if path not in files and path not in links]
        for path in newer:
            with contextlib.suppress(OSError):
                os.unlink(f"{kept}/{path}")
        taken += carry(prefix, kept, newer)
        saved = save(prefix, kept, [*found.changed, *taken], installed.manifest.version)
        placing.rotate(kept, prefix)
        outside.undo(installed, keep=old.state.outside)
        outside.apply(old._replace(prefix=prefix))
    before, after = installed.manifest.version, old.manifest.version
    message = f"{old.manifest.title} {before} was rolled back to {after} in {prefix}"
    unfit = misfits(found.added, old.manifest)
    log.note(prefix, "rollback", 0, message, version=after, before=before, saved=saved, misfits=unfit)
    value = {"prefix": prefix, "version": after, "before": before, "saved": saved, "misfits": unfit}
    texts = [message, *(f"saved: {path}" for path in saved), *(f"no longer fits: {line}" for line in unfit)]
    return show(value, texts, as_json="--json" in options)


def clean(installed: Installed, options: frozenset[str]) -> int:
    """Remove the release that is kept."""
    prefix = installed.prefix
    with hold(prefix):
        placing.recover(prefix)
        placing.discard(beside(prefix, "kept"), beside(prefix, f"{os.getpid()}.partial"))
    message = f"No older release is kept for {prefix} any more"
    log.note(prefix, "clean", 0, message)
    return show({"prefix": prefix, "kept": None}, [message], as_json="--json" in options)
