"""The log of an installation, and its twin in JSON, both in one stable place.

``docs/reference/installer-log.md`` describes them.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import os
import sys
import time
from collections.abc import Mapping
from typing import TextIO

from ..installer_run import LISTENERS


def folder(environment: Mapping[str, str], name: str, *, machine: bool) -> str:
    """Return where logs are: for all users a folder that only administrators may write to."""
    if machine:
        return os.path.join(environment.get("SystemRoot", r"C:\Windows"), "Logs", name)
    return os.path.join(environment.get("LOCALAPPDATA") or environment.get("TEMP", "."), name)


class WindowsLog:
    """Standard output and error that end up in a file too. It never stops an installation by itself."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._stream: TextIO | None = None
        self._start = time.time()
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._stream = open(path, "w", encoding="utf-8")  # noqa: SIM115 - `close` closes it
        except OSError as error:
            sys.stderr.write(f"Warning: the log {path} cannot be written: {error.strerror}\n")

    def listen(self) -> None:
        """Take over standard output and error: the file gets what they get."""
        for name in ("stdout", "stderr"):
            setattr(sys, name, _Both(getattr(sys, name), self))

    def note(self, message: str) -> None:
        """Write lines that only the file gets."""
        if self._stream is None:
            return
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        with contextlib.suppress(OSError):
            self._stream.writelines(f"{now} {line}\n" for line in message.splitlines())
            self._stream.flush()

    def close(self, verb: str, code: int, details: Mapping[str, str]) -> None:
        """Write how it ended, and the twin."""
        seconds = round(time.time() - self._start, 2)
        self.note(f"{verb} ended with exit code {code} after {seconds} s")
        if self._stream is None:
            return
        with contextlib.suppress(OSError):
            self._stream.close()
        self._stream = None
        twin = {"format": 1, "verb": verb, "exit_code": code, "seconds": seconds, **details}
        twin["ended"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        with contextlib.suppress(OSError), open(f"{self.path[:-4]}.json", "w", encoding="utf-8") as stream:
            stream.write(json.dumps(twin, indent=2, ensure_ascii=False) + "\n")


def write_for_window() -> None:
    """Write output as UTF-16, which the installer's window reads, and how far the work is."""
    windows = {name: _Window(getattr(sys, name)) for name in ("stdout", "stderr")}
    for name, window in windows.items():
        setattr(sys, name, window)
    LISTENERS.append(windows["stdout"].show)


class _Stream:
    """What `sys.stdout` must have."""

    encoding, errors = "utf-8", "replace"

    def flush(self) -> None:
        """Do nothing, since nothing is buffered."""

    def isatty(self) -> bool:
        """Return false: it is not a terminal."""
        return False


class _Window(_Stream):
    """Writes UTF-16; a line with @ is how far the work is, in percent."""

    def __init__(self, stream: TextIO) -> None:
        self._bytes = stream.buffer
        self._shown = -1

    def write(self, text: str) -> int:
        # NSIS drops the first character of what it reads, or this mark if that is what it is.
        marked = "".join(f"\ufeff{line}" for line in text.splitlines(keepends=True))
        with contextlib.suppress(OSError):  # the window is gone
            self._bytes.write(codecs.utf_16_le_encode(marked, "replace")[0])
            self._bytes.flush()
        return len(text)

    def show(self, percent: int) -> None:
        if percent != self._shown:
            self._shown = percent
            self.write(f"@{percent}\n")


class _Both(_Stream):
    """Writes to a stream, if there is one, and to the log."""

    def __init__(self, stream: TextIO | None, log: WindowsLog) -> None:
        self._stream = stream
        self._log = log
        self._begun = ""

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        for line in lines:
            self._log.note(line)
        if self._stream is not None:
            with contextlib.suppress(OSError):
                self._stream.write(text)
                self._stream.flush()
        return len(text)
