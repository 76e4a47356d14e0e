"""Writing the files of a prefix; several threads may write files of one prefix."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from typing import Any

from .failure import damaged
from .hashing import sha256 as hash_of
from .imposed_modes import FOLDER, change, imposed_modes
from .macho import sign_again
from .payload_manifest import Frame, PayloadManifest
from .prefix_replacement import replace_prefix
from .prefix_tree import FILE

_FLAGS = os.O_WRONLY | os.O_CREAT | FILE
# Windows removes no file that its owner may not write.
_ALWAYS = 0o200 if os.name == "nt" else 0
_UTIME_TAKES_HANDLE = os.utime in os.supports_fd
_BLOCK = 4096
_OTHERS_WRITE = 0o002  # which default ACLs may allow, whatever the umask is
RELOCATED = frozenset(("text", "binary"))


class PrefixWriter:
    """A prefix that is being made in ``folder`` and will be at ``target``.

    ``late`` collects SHA-256 and size of each file whose bytes depend on the target. Without a target no
    prefix is put into files. With ``only``, no other files are written. ``taken`` are files that are there
    already, from another prefix. ``imposed`` are the modes of what is made in ``folder``, ``masks`` the masks
    of those who wrote before.
    """

    def __init__(self, folder: str, target: str | None, manifest: PayloadManifest) -> None:
        self.folder = folder
        self.target = target
        self.manifest = manifest
        self.late: dict[str, tuple[str, int]] = {}
        self.only: Collection[str] | None = None
        self.taken: set[str] = set()
        self.imposed = imposed_modes(folder)
        self.masks: list[int] = []
        self.unpacked = manifest.stage0
        """What of stage 0 was unpacked before the runtime could run: all, or nothing from a delta."""
        self._target = None if target is None else os.fsencode(target)

    def begin(self) -> None:
        """Check and relocate stage 0, and make every folder, so that no file has to look for its own."""
        self.check_unpacked()
        self.make_folders()

    def check_unpacked(self) -> None:
        """Check stage 0, and put the prefix into its files."""
        for entry in self.unpacked:
            full_path = f"{self.folder}/{entry.path}"
            if entry.how == "link":
                if os.readlink(full_path) != entry.extra:
                    raise damaged(f"The unpacked link {entry.path}")
                continue
            with open(full_path, "rb") as stream:
                data = stream.read()
            if hash_of(data) != entry.sha256:
                raise damaged(f"The unpacked file {entry.path}")
            if entry.how in RELOCATED and self._target is not None:
                # The running interpreter may have it open, so the new file takes the old one's name.
                os.unlink(full_path)
                self._write(entry.path, entry.mode, memoryview(data), entry.how, entry.extra)
        # For root, `tar` keeps the modes that are in the archive.
        files = [(entry.path, entry.mode) for entry in self.unpacked if entry.how != "link"]
        self.imposed.apply(self.folder, files)

    def make_folders(self) -> None:
        """Make every folder."""
        for folder in self.manifest.folders if self.only is None else _folders(self.only):
            with contextlib.suppress(FileExistsError):
                os.mkdir(f"{self.folder}/{folder}", FOLDER)

    def open_folder(self) -> None:
        """Let other users into the finished folder, as far as its place lets them in."""
        change(self.folder, self.imposed.folder)

    def make_links(self) -> None:
        """Make the symbolic links; after the files, so that no file is ever written through one."""
        early = {entry.path for entry in self.unpacked}
        for path, target in self.manifest.links().items():
            if path not in early and (self.only is None or path in self.only):
                os.symlink(target, f"{self.folder}/{path}")

    def write_frame(self, frame: Frame, raw: bytes) -> None:
        """Write the files that a decompressed frame holds; records wait for `prefix_metadata`."""
        view = memoryview(raw)
        for path, mode, start, size, how, _, extra in frame.files:
            if how != "record" and self.wants(path):
                self._write(path, mode, view[start : start + size], how, extra)

    def wants(self, path: str) -> bool:
        """Return whether the file is to be written."""
        return path not in self.taken and (self.only is None or path in self.only)

    def left(self, frames: list[Frame]) -> list[Frame]:
        """Return the frames in which there is something to be written."""
        return [frame for frame in frames if any(self.wants(file.path) for file in frame.files)]

    def bytes_to_write(self, frames: list[Frame]) -> int:
        """Return what the files of frames and the byte code still take on the disk, in whole blocks."""
        files = [file for frame in frames for file in frame.files if self.wants(file.path)]
        files += [file for path, file in self.manifest.compiled().items() if self.wants(path)]
        return sum(-(-file.size // _BLOCK) * _BLOCK for file in files)

    def _write(self, path: str, mode: int, data: memoryview, how: str, extra: Any) -> None:
        full_path = f"{self.folder}/{path}"
        if how in RELOCATED and self._target is not None:
            new = replace_prefix(bytes(data), how, extra, self._target, self.manifest.system)
            if how == "binary" and self.manifest.system == "osx":
                new = sign_again(new, path)
            self.late[path] = (hash_of(new), len(new))
            data = memoryview(new)
        if how == "piece":
            # Several threads may write pieces of one file, in any order.
            handle = os.open(full_path, _FLAGS, (mode | 0o200) & ~_OTHERS_WRITE)
            os.lseek(handle, extra, os.SEEK_SET)
        else:
            handle = os.open(full_path, _FLAGS | os.O_EXCL, (mode | _ALWAYS) & ~_OTHERS_WRITE)
        try:
            written = os.write(handle, data)
            while written < len(data):
                written += os.write(handle, data[written:])
            if how == "source":
                time = self.manifest.source_time if extra is None else extra
                os.utime(handle if _UTIME_TAKES_HANDLE else full_path, (time, time))
        finally:
            os.close(handle)


def _folders(paths: Collection[str]) -> list[str]:
    """Return the folders of files and those above them, parents first."""
    found: set[str] = set()
    for path in paths:
        while path := path.rpartition("/")[0]:
            found.add(path)
    return sorted(found)
