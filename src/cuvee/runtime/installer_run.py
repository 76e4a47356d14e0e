"""What an installer hands over to the runtime, and how verbs read its parts."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from . import delta_frames, image_signature, payload_manifest
from .decompression import decompress
from .failure import damaged
from .hashing import sha256 as hash_of
from .payload_manifest import Frame, PayloadManifest
from .payload_places import check_places
from .worker_threads import share

HEAD = 1 << 20
"""As much of a `.sh` as its shell text may have."""

LISTENERS: list[Callable[[int], None]] = []
"""What else is told how far a verb is, in percent: the window of an installer."""


class InstallerRun(NamedTuple):
    """A verb that an installer runs; `command_line` says what the fields are."""

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

    @property
    def payload_at(self) -> int:
        """Return the payload's offset."""
        return self.manifest_at + self.manifest_size

    def read_index(self) -> delta_frames.DeltaIndex | None:
        """Return the index of a delta; `None` if the installer has the whole release."""
        return delta_frames.read_index(self.installer, self.payload_at)

    def manifest_bytes(self) -> bytes:
        """Return the compressed manifest as the installer has it."""
        with open(self.installer, "rb") as stream:
            # A header with a flipped bit might have skipped its own check: then it cannot name this digest.
            line = f"\nDIGEST={self.verified}\n".encode()
            if self.verified != "-" and line not in stream.read(HEAD):
                raise damaged("The installer")
            stream.seek(self.manifest_at)
            return stream.read(self.manifest_size)

    def read_manifest(self, data: bytes) -> PayloadManifest:
        """Return the manifest; raise if it is not the installer's own, or not signed as it must be."""
        manifest = payload_manifest.load(data, self.manifest_raw, self.manifest_sha256)
        at = delta_frames.signature_at(self.installer, self.payload_at)
        image_signature.check(manifest, self.manifest_sha256, self.installer, self.payload_at, at)
        image_signature.demand(manifest, self.options)
        check_places(manifest)
        return manifest

    def read(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, bytes]]:
        """Yield frames and what is in them, one after the other."""
        with self._reader() as reader:
            for frame in frames:
                yield frame, reader.read(frame)

    def read_all(self, frames: list[Frame], use: Callable[[Frame, bytes], None], label: str) -> ProgressLine:
        """Call ``use`` with frames and what is in them, several at a time; show how far it is."""
        progress = ProgressLine(label, sum(frame.raw for frame in frames))
        if not frames:
            return progress
        with self._reader() as reader:

            def handle(frame: Frame) -> int:
                use(frame, reader.read(frame))
                return frame.raw

            share(frames, handle, progress.show)
        return progress

    def _reader(self) -> contextlib.closing[PayloadReader]:
        return contextlib.closing(PayloadReader(self.installer, self.payload_at, self.prefix))


class PayloadReader:
    """Reads verified, decompressed frames of the installer's payload; any thread may call it."""

    def __init__(self, installer: str, payload: int, prefix: str) -> None:
        self._handle = os.open(installer, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._payload = payload
        self._prefix = prefix
        self._lock = threading.Lock()

    def read(self, frame: Frame) -> bytes:
        """Return a frame's decompressed bytes; raise if a single bit differs from what was released."""
        with self._lock:  # Windows has no `os.pread`
            os.lseek(self._handle, self._payload + frame.offset, os.SEEK_SET)
            data = os.read(self._handle, frame.size)
            while len(data) < frame.size and (more := os.read(self._handle, frame.size - len(data))):
                data += more
        if hash_of(data) != frame.sha256:
            raise damaged("A part of the installer")
        if frame.base is not None:
            return delta_frames.unpack(data, frame, self._prefix)
        return decompress(data, frame.raw)

    def close(self) -> None:
        """Close the installer."""
        os.close(self._handle)


class ProgressLine:
    """A line that is drawn again and again on a terminal, and nothing in a pipe."""

    def __init__(self, label: str, total: int) -> None:
        self._label = label
        self._total = max(total, 1)
        self._draws = sys.stderr.isatty()

    def show(self, done: int) -> None:
        """Draw how far it is."""
        percent = 100 * done // self._total
        for listen in LISTENERS:
            listen(percent)
        if self._draws:
            sys.stderr.write(f"\r{self._label}: {percent:3d}%")
            sys.stderr.flush()

    def finish(self, message: str) -> None:
        """Wipe the line; say what has been done."""
        self.wipe()
        sys.stdout.write(f"{message}\n")

    def wipe(self) -> None:
        """Wipe the line."""
        if self._draws:
            sys.stderr.write("\r" + " " * (len(self._label) + 8) + "\r")
