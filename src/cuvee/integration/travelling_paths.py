"""Pickling values whose paths name files of this machine: what they name travels with them, by hash.

A folder travels as a tar file. Where the value is unpickled, its paths are where the files have arrived.
"""

import contextlib
import io
import os
import pickle
import shutil
import tarfile
from pathlib import Path, PurePath
from typing import Any

from cuvee.executors.shared_files import RECEIVED, SharedFile
from cuvee.files import sha256_bytes

_LEFT_OUT = "__pycache__"


class _Packer(pickle.Pickler):
    """Replaces each path by how to find it elsewhere, and notes what has to travel."""

    def __init__(self, stream: io.BytesIO, folder: Path) -> None:
        super().__init__(stream, protocol=5)
        self._folder = folder
        self.files: dict[str, SharedFile] = {}

    def reducer_override(self, value: Any) -> Any:
        if not isinstance(value, PurePath):
            return NotImplemented
        path = Path(value)
        if path.is_file():
            file = SharedFile.of(path)
            self.files[file.sha256] = file
            return _arrived_file, (file.sha256, path.name, str(path))
        if path.is_dir():
            file = _packed(path, self._folder)
            self.files[file.sha256] = file
            return _arrived_folder, (file.sha256, str(path))
        return Path, (str(path),)


def pack(value: object, folder: Path) -> tuple[bytes, tuple[SharedFile, ...]]:
    """Return a value as bytes for `pickle.loads`, and the files that have to be where that happens.

    Parameters
    ----------
    folder
        An empty one for the tar files, which must be there until they have been sent.
    """
    stream = io.BytesIO()
    packer = _Packer(stream, folder)
    packer.dump(value)
    return stream.getvalue(), tuple(packer.files.values())


def _packed(path: Path, folder: Path) -> SharedFile:
    """Return a tar file of a folder: the same files give the same bytes."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", dereference=True) as archive:
        for top, folders, names in os.walk(path, followlinks=True):
            folders[:] = sorted(set(folders) - {_LEFT_OUT})
            for name in (*folders, *sorted(names)):
                file = Path(top) / name
                info = archive.gettarinfo(file, arcname=file.relative_to(path).as_posix())
                info.mtime, info.uid, info.gid, info.uname, info.gname = 0, 0, 0, "", ""
                with file.open("rb") if info.isreg() else contextlib.nullcontext() as content:
                    archive.addfile(info, content)
    data = stream.getvalue()
    target = folder / f"{sha256_bytes(data)}.tar"
    target.write_bytes(data)
    return SharedFile(path=str(target), sha256=target.stem)


def _arrived_file(sha256: str, name: str, path: str) -> Path:
    """Return where a file is: under its own name, since an installer's matters."""
    here = RECEIVED.get(sha256)
    if here is None:
        return Path(path)
    target = here.parent.parent / "named" / sha256 / PurePath(name).name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{os.urandom(4).hex()}.part")
        shutil.copyfile(here, part)
        part.replace(target)
    return target


def _arrived_folder(sha256: str, path: str) -> Path:
    """Return where a folder is, which is unpacked each time: programs could have changed what was there."""
    here = RECEIVED.get(sha256)
    if here is None:
        return Path(path)
    target = here.parent.parent / "folders" / f"{sha256[:12]}-{os.urandom(4).hex()}"
    with tarfile.open(here) as archive:
        archive.extractall(target, filter="data")
    return target
