"""What an installer tells of itself; nothing is installed."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import TYPE_CHECKING

from .. import main as runtime
from .. import placing
from ..failure import InstallError, damaged
from ..state import beside
from . import removing
from .container import DamagedError, open_container

if TYPE_CHECKING:
    from .main import Place

# What reads the payload's every byte holds the file to its hash first; the others read what has its own.
_READS_ALL = frozenset(("check", "extract"))


def look(verb: str, place: Place, options: list[str]) -> int:
    """Answer a question; give the exit code."""
    if not place.output:
        return _answer(verb, place, options)
    # First of all, so that nothing is made before the answer has a place.
    with open(place.output, "w", encoding="utf-8") as stream, _standard_output(stream):
        return _answer(verb, place, options)


def _answer(verb: str, place: Place, options: list[str]) -> int:
    try:
        container = open_container(place.installer, whole=verb in _READS_ALL)
    except DamagedError:
        raise damaged("The installer") from None
    sha256 = next(option.partition("=")[2] for option in options if option.startswith("--manifest="))
    prefix, staged, anchor = place.prefix, place.staged, place.anchor
    if verb == "extract":
        prefix = place.place.rstrip("\\")
        staged, anchor = _prepare(prefix, place.run)
    arguments = [verb, place.installer, staged, prefix, anchor, "-", *map(str, container), sha256]
    arguments += [option for option in options if option in {"--json", "--force", "--new-key"}]
    arguments += place.key_options()
    if verb == "dry-run" and os.path.isdir(prefix):
        arguments.append("--replace")
    return runtime.main(arguments)


def _prepare(target: str, run: str) -> tuple[str, str]:
    """Put stage 0 beside the folder that will be made; give that place, and the nearest folder above."""
    if os.path.lexists(target):
        raise InstallError(f"{target} exists already. Name a folder that is not there yet.")
    anchor = os.path.dirname(target)
    while not os.path.isdir(anchor) and os.path.dirname(anchor) != anchor:
        anchor = os.path.dirname(anchor)
    staged = beside(target, f"{os.getpid()}.partial")
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        for path in removing.files_below(run):
            if not path.startswith(".cuvee/"):
                removing.copy(f"{run}/{path}", f"{staged}/{path}")
    except OSError as error:
        placing.remove_tree(staged)
        placing.remove_empty(os.path.dirname(target), anchor)
        reason = "The disk is full" if error.errno == errno.ENOSPC else error.strerror
        raise InstallError(f"{target} can't be made: {reason}. Nothing was extracted.") from error
    return staged, anchor


@contextlib.contextmanager
def _standard_output(stream: object):  # type: ignore[no-untyped-def] # noqa: ANN202 - a context manager
    before = sys.stdout
    sys.stdout = stream
    try:
        yield
    finally:
        sys.stdout = before
