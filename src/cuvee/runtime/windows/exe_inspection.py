"""What an installer says of itself; nothing is installed."""

from __future__ import annotations

import contextlib
import errno
import os

from ..command_line import run_installer
from ..failure import InstallError
from ..file_operations import remove_empty, remove_tree
from ..prefix_state import beside
from .nsis_call import NsisCall
from .staged_files import copy_stage0

# What reads the payload's every byte checks the file's hash first; the others read what has its own.
_READS_ALL = frozenset(("check", "extract"))
_FOR_RUNTIME = frozenset(("--json", "--force", "--new-key"))


def inspect(verb: str, call: NsisCall) -> int:
    """Run a verb that only reads; return the exit code."""
    if not call.output:
        return _inspect(verb, call)
    # First of all, so that nothing is made before the answer has a place.
    with open(call.output, "w", encoding="utf-8") as stream, contextlib.redirect_stdout(stream):
        return _inspect(verb, call)


def _inspect(verb: str, call: NsisCall) -> int:
    options = [option for option in call.options if option in _FOR_RUNTIME]
    if verb == "dry-run" and os.path.isdir(call.prefix):
        options.append("--replace")
    run = call.installer_run(verb, options, check=verb in _READS_ALL)
    if verb == "extract":
        target = call.folder.rstrip("\\")
        staged, anchor = _prepare(target, call.run)
        run = run._replace(prefix=target, staged=staged, anchor=anchor)
    return run_installer(run)


def _prepare(target: str, run: str) -> tuple[str, str]:
    """Copy stage 0 beside the folder that will be made; return where, and the nearest folder above."""
    if os.path.lexists(target):
        raise InstallError(f"{target} exists already. Name a folder that is not there yet.")
    anchor = os.path.dirname(target)
    while not os.path.isdir(anchor) and os.path.dirname(anchor) != anchor:
        anchor = os.path.dirname(anchor)
    staged = beside(target, f"{os.getpid()}.partial")
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        copy_stage0(run, staged)
    except OSError as error:
        remove_tree(staged)
        remove_empty(os.path.dirname(target), anchor)
        reason = "The disk is full" if error.errno == errno.ENOSPC else error.strerror
        raise InstallError(f"{target} cannot be made: {reason}. Nothing was extracted.") from error
    return staged, anchor
