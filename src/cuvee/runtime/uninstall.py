"""The verb `uninstall`: remove what was installed, and nothing that the user made."""

from __future__ import annotations

import contextlib
import os

from . import log, outside, scripts
from .carrying import files_below
from .locking import hold
from .log import show
from .placing import remove_tree
from .sharing import share_in_runs
from .state import INSTALLER, KEPT, LOGS, MANIFEST, MARKER, PASSING, SAVED, STATE, Installed, beside
from .verify import Findings, expected_files, verify

_SHOWN = 20


def uninstall(installed: Installed, options: frozenset[str]) -> int:
    """Remove; what the user changed is left where it is.

    ``--dry-run`` only says what would be left, ``--no-scripts`` leaves out pre_uninstall.
    """
    prefix = installed.prefix
    findings = verify(installed)
    left = _left(prefix, findings)
    if "--dry-run" in options:
        return _tell(installed, left, options, done=False)
    with hold(prefix):
        scripts.run("pre_uninstall", installed.manifest, prefix, f"{prefix}/{KEPT}", options=options)
        if installed.manifest.settings.pre_uninstall:  # it may have removed something, or made it
            findings = verify(installed)
            left = _left(prefix, findings)
        outside.undo(installed)
        os.chdir(os.path.dirname(prefix))  # whoever started us may stand in the prefix
        files, links = expected_files(installed)
        kept = set(left)
        gone = [path for path in [*files, *links, *findings.compiled] if path not in kept]
        # What this runs from goes late and the lists last: an interrupted removal can be started again.
        late = {entry.path for entry in installed.manifest.stage0} | set(installed.state.own)
        last = ["conda-meta/history", INSTALLER, *PASSING, *LOGS, MANIFEST, STATE, MARKER]
        _remove(prefix, [path for path in gone if path not in late])
        for path in [*(path for path in gone if path in late), *last]:
            _unlink(f"{prefix}/{path}")
        _remove_empty_folders(prefix)
        remove_tree(beside(prefix, "kept"))
    # Only a log that `--log` names is still there.
    log.note(prefix, "uninstall", 0, f"{installed.manifest.title} was removed from {prefix}", left=left)
    return _tell(installed, left, options, done=True)


def _left(prefix: str, findings: Findings) -> list[str]:
    """Name what stays: what is not the release's, or not any more."""
    saved = (f"{SAVED}/{path}" for path in files_below(f"{prefix}/{SAVED}"))
    meta = set(findings.meta) - {"conda-meta/history"}
    return sorted({*findings.changed, *findings.extra, *meta, *saved} - {INSTALLER})


def _tell(installed: Installed, left: list[str], options: frozenset[str], *, done: bool) -> int:
    manifest, prefix = installed.manifest, installed.prefix
    value = {"prefix": prefix, "version": manifest.version, "removed": done, "left": left}
    verb = "was removed from" if done else "would be removed from"
    texts = [f"{manifest.title} {manifest.version} {verb} {prefix}"]
    if left:
        texts.append("These files are yours, or were changed, so they stay:")
        texts += [f"  {path}" for path in left[:_SHOWN]]
        texts += [f"  and {len(left) - _SHOWN} more"] if len(left) > _SHOWN else []
    return show(value, texts, as_json="--json" in options)


def _remove(prefix: str, paths: list[str]) -> None:
    """Remove files, several at a time: on Windows each is a talk with whoever watches over files."""
    share_in_runs(paths, lambda path: _unlink(f"{prefix}/{path}"))


def _remove_empty_folders(prefix: str) -> None:
    for parent, folders, _ in os.walk(prefix, topdown=False):
        for name in folders:
            with contextlib.suppress(OSError):
                os.rmdir(os.path.join(parent, name))
    with contextlib.suppress(OSError):
        os.rmdir(prefix)


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
