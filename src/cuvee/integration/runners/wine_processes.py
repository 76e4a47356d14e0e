"""Programs that Wine has started, and that are left when the one that the runner started has ended.

Each Windows program is a process of its own, not below the one that started it, and in a group of its own.
All inherit the variables of the first.
"""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

MARK = "CUVEE_PROGRAM"
"""The variable that tells which program a process belongs to."""

_OF_WINE = re.compile(
    rb"(?:services|winedevice|plugplay|svchost|rpcss|explorer|conhost)\.exe|wineserver(?:32|64)?",
    flags=re.IGNORECASE,
)
"""What all programs of a Wine prefix share, whichever of them was there first."""


def end_marked(mark: str) -> None:
    """End the Windows programs that have a mark, but not what others need as well."""
    for number in _marked(f"{MARK}={mark}".encode()):
        try:
            os.kill(number, signal.SIGKILL)
        except OSError:
            continue  # it has ended by itself


def _marked(wanted: bytes) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            program = (folder / "cmdline").read_bytes().partition(b"\0")[0]
        except OSError:
            continue  # ended, or of somebody else
        name = re.split(rb"[\\/]", program)[-1]
        if wanted in variables and not _OF_WINE.fullmatch(name):
            yield int(folder.name)
