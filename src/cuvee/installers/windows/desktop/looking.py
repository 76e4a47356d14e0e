"""What an installer tells of itself; nothing is installed."""

# Stage 0 has no pathlib.
# ruff: noqa: PTH112, PTH103, PTH120, PTH123

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import TYPE_CHECKING

from . import removing
from .container import DamagedError, open_container

if TYPE_CHECKING:
    from .main import Place

# What reads the payload's every byte holds the file to its hash first; the others read what has its own.
_READS_ALL = frozenset(("check", "extract"))


def look(verb: str, place: Place, options: list[str]) -> int:
    """Answer a question; give the exit code."""
    failure = importlib.import_module("runtime.failure")
    try:
        container = open_container(place.installer, whole=verb in _READS_ALL)
    except DamagedError:
        raise failure.damaged("The installer") from None
    sha256 = next(option.partition("=")[2] for option in options if option.startswith("--manifest="))
    prefix, staged, anchor = place.prefix, place.staged, place.anchor
    if verb == "extract":
        prefix = place.place.rstrip("\\")
        staged, anchor = _prepare(prefix, place.run, failure)
    arguments = [verb, place.installer, staged, prefix, anchor, "-", *map(str, container), sha256]
    arguments += [option for option in options if option in {"--json", "--force"}]
    if verb == "dry-run" and os.path.isdir(prefix):
        arguments.append("--replace")
    main = importlib.import_module("runtime.main").main
    if not place.output:
        return int(main(arguments))
    with open(place.output, "w", encoding="utf-8") as stream, _standard_output(stream):
        return int(main(arguments))


def _prepare(target: str, run: str, failure: object) -> tuple[str, str]:
    """Put stage 0 beside the folder that will be made; give that place, and the nearest folder above."""
    if os.path.lexists(target):
        error = failure.InstallError  # type: ignore[attr-defined]
        raise error(f"{target} exists already. Name a folder that is not there yet.")
    anchor = os.path.dirname(target)
    while not os.path.isdir(anchor) and os.path.dirname(anchor) != anchor:
        anchor = os.path.dirname(anchor)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    staged: str = importlib.import_module("runtime.state").beside(target, f"{os.getpid()}.partial")
    for path in removing.files_below(run):
        if not path.startswith(".cuvee/"):
            removing.copy(f"{run}/{path}", f"{staged}/{path}")
    return staged, anchor


@contextlib.contextmanager
def _standard_output(stream: object):  # type: ignore[no-untyped-def] # noqa: ANN202 - a context manager
    before = sys.stdout
    sys.stdout = stream
    try:
        yield
    finally:
        sys.stdout = before
