"""A connection to another machine's POSIX shell, by a program such as ssh."""

import os
import secrets
import tempfile
import threading
from typing import IO, Self

from cuvee import process
from cuvee.integration.runners.far_scripts import script

LOST = 255
"""The exit code by which ssh says that there is no connection, or no more."""

_CHUNK, _MOST_NOISE, _MOST_SAID = 1 << 16, 1 << 20, 10_000


class LostError(Exception):
    """The connection was lost, or there was none."""


class ShellConnection:
    """A program that reaches the machine, and runs the channel there.

    What a login shell prints comes before a mark, and is left out.
    """

    def __init__(self, argv: tuple[str, ...], text: str, **values: object) -> None:
        self.mark = f"cuvee-{secrets.token_hex(8)}"
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115 - `__exit__` closes it
        self._program = process.talk_to(argv, messages=self._messages)
        self._rest = b""
        self.write(script(f"printf '\\n%s\\n' \"$mark\"\n{text}", mark=self.mark, **values))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_input()
        self._program.kill()
        self._program.wait()
        if self._program.stdout is not None:
            self._program.stdout.close()
        self._messages.close()

    @property
    def messages(self) -> str:
        """What the program has printed to stderr: its end, in one line."""
        self._messages.seek(0)
        return one_line(self._messages.read())

    @property
    def stderr(self) -> bytes:
        """The same as it is."""
        self._messages.seek(0)
        return self._messages.read()[-_MOST_SAID:]

    def write(self, data: bytes) -> None:
        """Send data. That it is not taken shows when the answer is read."""
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(_handle(self._program.stdin), view) :]
        except BrokenPipeError:
            pass

    def close_input(self) -> None:
        """End the input: nothing follows."""
        if self._program.stdin is not None:
            self._program.stdin.close()

    def stop_after(self, seconds: float) -> threading.Timer:
        """Start a timer that ends the connection."""
        timer = threading.Timer(seconds, self._program.kill)
        timer.daemon = True
        timer.start()
        return timer

    def skip_noise(self) -> None:
        """Read up to the mark.

        Raises
        ------
        LostError
            If it does not come.
        """
        wanted, found = f"{self.mark}\n".encode(), b""
        while wanted not in found:
            data = os.read(_handle(self._program.stdout), _CHUNK)
            if not data:
                self.end()
                raise LostError(f"it starts no POSIX shell: {self.messages or one_line(found)}")
            found = (found + data)[-_MOST_NOISE:]
        self._rest = found.partition(wanted)[2]

    def read(self, count: int = 0) -> bytes:
        """Return so many bytes, fewer at the end; without a number, what has come."""
        found = bytearray(self._rest)
        while not found or len(found) < count:
            data = os.read(_handle(self._program.stdout), _CHUNK)
            if not data:
                break
            found += data
        size = count or len(found)
        self._rest = bytes(found[size:])
        return bytes(found[:size])

    def read_all(self) -> bytes:
        """Return everything up to the end."""
        parts = []
        while data := self.read():
            parts.append(data)
        return b"".join(parts)

    def end(self) -> int:
        """Wait for the program, and return its exit code.

        Raises
        ------
        LostError
            If it is that of a connection that was lost.
        """
        self.close_input()
        code = self._program.wait()
        if code == LOST or code < 0:
            raise LostError(self.messages or f"exit code {code}")
        return code


def one_line(data: bytes) -> str:
    """Return the end of a text in one line."""
    return " ".join(data.decode(errors="replace").split())[-500:]


def _handle(stream: IO[bytes] | None) -> int:
    if stream is None:
        raise ValueError("the program has no such stream")
    return stream.fileno()
