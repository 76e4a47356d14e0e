"""What an installer hands over to the runtime, and how its verbs read from it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from . import manifest, signature
from .failure import damaged
from .sharing import share
from .writing import Reader

_HEAD = 1 << 20

LISTENERS: list[Callable[[int], None]] = []
"""Whom else a verb tells how far it is, in percent: the window of an installer."""


class Job(NamedTuple):
    """A verb that an installer runs; `main` says what the fields are."""

    verb: str
    installer: str
    staged: str
    prefix: str
    anchor: str
    verified: str
    manifest_at: int
    manifest_size: int
    manifest_raw: int
    manifest_sha256: str
    options: frozenset[str]

    def manifest_bytes(self) -> bytes:
        """Give the manifest as it lies in the installer."""
        with open(self.installer, "rb") as stream:
            # A header with a flipped bit might have skipped its own check: then it can't name this digest.
            line = f"\nDIGEST={self.verified}\n".encode()
            if self.verified != "-" and line not in stream.read(_HEAD):
                raise damaged("The installer")
            stream.seek(self.manifest_at)
            return stream.read(self.manifest_size)

    def read_manifest(self, data: bytes) -> manifest.Manifest:
        """Read it, if it is the one that this installer was made with, and signed as it should be."""
        found = manifest.load(data, self.manifest_raw, self.manifest_sha256)
        payload = self.manifest_at + self.manifest_size
        signature.check(found, self.manifest_sha256, self.installer, payload)
        signature.demand(found, self.options)
        return found

    def read(self, frames: Iterable[manifest.Frame]) -> Iterator[tuple[manifest.Frame, bytes]]:
        """Give frames and what is in them, one after the other."""
        with self._reader() as reader:
            for frame in frames:
                yield frame, reader.read(frame)

    def read_all(
        self,
        frames: list[manifest.Frame],
        use: Callable[[manifest.Frame, bytes], None],
        label: str,
        *,
        quiet: bool = False,
    ) -> Progress:
        """Hand frames and what is in them to ``use``, several at a time; show how far it is."""

        @contextlib.contextmanager
        def start() -> Iterator[Callable[[manifest.Frame], int]]:
            with self._reader() as reader:

                def handle(frame: manifest.Frame) -> int:
                    use(frame, reader.read(frame))
                    return frame.raw

                yield handle

        progress = Progress(label, sum(frame.raw for frame in frames), quiet=quiet)
        share(frames, start, progress.show)
        return progress

    def _reader(self) -> contextlib.closing[Reader]:
        return contextlib.closing(Reader(self.installer, self.manifest_at + self.manifest_size))


class Progress:
    """A line that is drawn again and again on a terminal, and nothing in a pipe."""

    def __init__(self, label: str, total: int, *, quiet: bool = False) -> None:
        self._label = label
        self._total = max(total, 1)
        self._quiet = quiet
        self._draws = sys.stderr.isatty() and not quiet

    def show(self, done: int) -> None:
        """Draw how far it is."""
        for listen in LISTENERS:
            listen(100 * done // self._total)
        if self._draws:
            sys.stderr.write(f"\r{self._label}: {100 * done // self._total:3d}%")
            sys.stderr.flush()

    def finish(self, message: str) -> None:
        """Wipe the line; say what has been done."""
        if self._draws:
            sys.stderr.write("\r" + " " * (len(self._label) + 8) + "\r")
        if not self._quiet:
            sys.stdout.write(f"{message}\n")
