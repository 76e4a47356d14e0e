"""Streams that are closed, as those of a Windows program without a console, or that cannot be written to."""

import contextlib
import errno
import io
import os
import sys

import pytest

from cuvee.runtime.standard_streams import with_streams
from cuvee.runtime.windows import windows_log


class Full(io.TextIOWrapper):
    """A stream on a full disk, which finds that out when it is flushed."""

    def __init__(self, number: int = errno.ENOSPC) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8")
        self.number = number

    def flush(self) -> None:
        raise OSError(self.number, os.strerror(self.number))

    def close(self) -> None:
        """Close it in silence: from Python 3.13 on, the collector tells what fails, in any test."""
        with contextlib.suppress(OSError):
            super().close()


def talk() -> int:
    sys.stdout.write("done\n")
    sys.stdout.flush()
    sys.stderr.write("Warning: nothing\n")
    return 0


def test_closed_streams_are_the_null_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "name", "nt")  # elsewhere the numbers of the streams are taken, too
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)

    def work() -> int:
        assert sys.stdin.read() == ""
        return talk()

    assert with_streams(work, lost=1) == 0
    windows_log._Window(sys.stdout).write("shown\n")
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        os.close(stream.fileno())


@pytest.mark.parametrize(
    ("number", "lost", "code"),
    [
        (errno.ENOSPC, 0, 0),
        (errno.ENOSPC, 1, 1),
        (errno.EIO, 1, 1),
        (errno.EPIPE, 1, 0),
        (errno.EINVAL, 1, 0),
    ],
)
def test_what_cannot_be_written(number: int, lost: int, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, errors = Full(number), io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(sys, "stderr", errors)
    assert with_streams(talk, lost=lost) == code
    assert sys.stdout is stream
    assert ("cannot be written" in errors.getvalue()) == bool(code)


def test_a_log_on_a_full_disk_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    log = windows_log.WindowsLog("")
    monkeypatch.setattr(log, "_stream", Full())
    log.note("one line")
    log.path = os.devnull + "/log"
    log.close("install", 0, {})
