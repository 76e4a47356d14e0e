"""Standard input, output and error as callers leave them: closed, on a full disk, a pipe without a reader.

What a verb has done does not depend on whether somebody could be told. So a closed stream becomes the null
device, and a stream that cannot be written to is not written to any more.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

_NO_READER = (errno.EPIPE, errno.EINVAL)
"""What writing to a pipe that its reader has closed fails with, on POSIX and on Windows."""


def with_streams(work: Callable[[], int], *, lost: int = 0) -> int:
    """Return the exit code of ``work``, whatever becomes of its output.

    ``lost`` is the code in place of 0 if that could not be written, unless it has no reader.
    """
    _complete()
    before = {"stdout": sys.stdout, "stderr": sys.stderr}
    output, errors = _Stream(sys.stdout), _Stream(sys.stderr)
    for name, stream in (("stdout", output), ("stderr", errors)):
        setattr(sys, name, stream)
    try:
        code = work()
    finally:
        for name, old in before.items():
            setattr(sys, name, old)
        output.flush()
        errors.flush()
    if lost and code == 0 and output.failure and output.failure.errno not in _NO_READER:
        errors.write(f"Error: The output cannot be written: {output.failure.strerror}.\n")
        errors.flush()
        return lost
    return code


def _complete() -> None:
    """Open the null device for each stream that is closed: a file would get its number, and our output."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        handle = os.open(os.devnull, os.O_RDWR)
        if os.name == "posix":  # programs that are started inherit it
            handle = os.dup2(handle, number)
            os.set_inheritable(handle, True)
        mode = "w" if number else "r"
        setattr(sys, name, open(handle, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - to the end


class _Stream:
    """Passes text on until that fails; ``failure`` is why."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.failure: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        self._try(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._try(self._stream.flush)

    def _try(self, work: Callable[[], object]) -> None:
        if self.failure is not None:
            return
        try:
            work()
        except OSError as error:
            self.failure = error
            with contextlib.suppress(OSError):  # Python writes what is buffered when it ends
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
