"""Writing the files of a prefix: frames are verified, decompressed and written by several threads."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from typing import Any

from .decode import Decoder
from .digest import sha256 as digest
from .failure import damaged
from .macho import sign_again
from .manifest import Frame, Manifest
from .relocate import relocate

_FLAGS = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
# Windows would not let anybody remove a file that its owner may not write.
_ALWAYS = 0o200 if os.name == "nt" else 0
_UTIME_TAKES_HANDLE = os.utime in os.supports_fd
RELOCATED = frozenset(("text", "binary"))


class Prefix:
    """A prefix that is being made in ``folder`` and will be at ``target``.

    ``late`` collects, for each file whose bytes depend on the target, its SHA-256 and size. Without a target
    no file is relocated. With ``only``, files that it does not hold are left aside.
    ``masks`` are the umasks of those who wrote before.
    """

    def __init__(self, folder: str, target: str | None, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self.late: dict[str, tuple[str, int]] = {}
        self.only: Collection[str] | None = None
        self.masks: list[int] = []
        self._target = None if target is None else os.fsencode(target)
        self._system = manifest.platform.partition("-")[0]

    def make_folders(self) -> None:
        """Make every folder that files will need, so that writing one never has to look for its own."""
        for folder in self.manifest.folders if self.only is None else _folders(self.only):
            with contextlib.suppress(FileExistsError):
                os.mkdir(f"{self.folder}/{folder}")

    def make_links(self, only: Collection[str] | None = None) -> None:
        """Make the symbolic links; after the files, so that no file is ever written through one."""
        early = {entry.path for entry in self.manifest.stage0}
        for package in self.manifest.packages:
            for path, target in package.links:
                if path not in early and (only is None or path in only):
                    os.symlink(target, f"{self.folder}/{path}")

    def check_stage0(self) -> None:
        """Hold what was unpacked before the runtime could run to its hashes, and relocate it."""
        for early in self.manifest.stage0:
            place = f"{self.folder}/{early.path}"
            if early.how == "link":
                if os.readlink(place) != early.extra:
                    raise damaged(f"The unpacked link {early.path}")
                continue
            with open(place, "rb") as stream:
                data = stream.read()
            if digest(data) != early.sha256:
                raise damaged(f"The unpacked file {early.path}")
            if early.how in RELOCATED and self._target is not None:
                # The running interpreter may have it open, so the new file takes the old one's name.
                os.unlink(place)
                self._write(early.path, early.mode, memoryview(data), early.how, early.extra)

    def write_frame(self, frame: Frame, raw: bytes) -> None:
        """Write the files that a decompressed frame holds; records wait for `finishing`."""
        view = memoryview(raw)
        for path, mode, start, size, how, _, extra in frame.files:
            if how != "record" and self.wants(path):
                self._write(path, mode, view[start : start + size], how, extra)

    def wants(self, path: str) -> bool:
        """Whether the file is to be written."""
        return self.only is None or path in self.only

    def _write(self, path: str, mode: int, data: memoryview, how: str, extra: Any) -> None:
        place = f"{self.folder}/{path}"
        if how in RELOCATED and self._target is not None:
            new = relocate(bytes(data), how, extra, self._target, self._system)
            if how == "binary" and self._system == "osx":
                new = sign_again(new, path)
            self.late[path] = (digest(new), len(new))
            data = memoryview(new)
        if how == "piece":
            # Several threads may write pieces of one file, in any order.
            handle = os.open(place, _FLAGS, mode | 0o200)
            os.lseek(handle, extra, os.SEEK_SET)
        else:
            handle = os.open(place, _FLAGS | os.O_EXCL, mode | _ALWAYS)
        try:
            written = os.write(handle, data)
            while written < len(data):
                written += os.write(handle, data[written:])
            if how == "source":
                time = self.manifest.source_time if extra is None else extra
                os.utime(handle if _UTIME_TAKES_HANDLE else place, (time, time))
        finally:
            os.close(handle)


def _folders(paths: Collection[str]) -> list[str]:
    """Give the folders of files and those above them, each behind its own."""
    found: set[str] = set()
    for path in paths:
        while path := path.rpartition("/")[0]:
            found.add(path)
    return sorted(found)


class Reader:
    """Gives verified, decompressed frames of the installer's payload. One object serves one thread."""

    def __init__(self, installer: str, payload: int) -> None:
        self._handle = os.open(installer, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._payload = payload
        self._decoder = Decoder()

    def read(self, frame: Frame) -> bytes:
        """Give a frame's decompressed bytes, if not a single bit of it differs from what was released."""
        os.lseek(self._handle, self._payload + frame.offset, os.SEEK_SET)
        data = os.read(self._handle, frame.size)
        while len(data) < frame.size:
            more = os.read(self._handle, frame.size - len(data))
            if not more:
                break
            data += more
        if digest(data) != frame.sha256:
            raise damaged("A part of the installer")
        return self._decoder.decompress(data, frame.raw)

    def close(self) -> None:
        """Let go of the installer."""
        os.close(self._handle)
