"""What runs on the workers of a Dask cluster, besides the work: they say who they are, and receive files.

All of it is called by `Client.run`, so that a worker answers while it is busy.
"""

import asyncio
import importlib.metadata
import platform
import shutil
import tempfile
from pathlib import Path
from typing import Any

from cuvee import platforms
from cuvee.executors.shared_files import RECEIVED
from cuvee.files import sha256_file
from cuvee.folder_hashes import code_fingerprint

CHUNK = 8_000_000
"""Bytes of a file that one message has."""


def identity() -> tuple[str, str, str]:
    """Return the version of cuvee and the hash of its code, and the platform that runs this process.

    They are plain texts: another version of cuvee may know no class of this one.
    """
    host = platforms.host()
    name = host.name if host is not None else f"{platform.system()} {platform.machine()}"
    return importlib.metadata.version("cuvee"), code_fingerprint(), name


def own_folder(worker: Any) -> Path:
    """Return the folder of a worker for what is cuvee's; Dask removes it with the worker's own folder."""
    local = getattr(worker, "local_directory", None) or tempfile.gettempdir()
    folder = Path(local).resolve() / "cuvee"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


async def has_file(sha256: str, dask_worker: Any = None) -> bool:
    """Whether the worker has a file, and it is what was sent."""
    path = own_folder(dask_worker) / "files" / sha256
    if not path.is_file() or await asyncio.to_thread(sha256_file, path) != sha256:
        RECEIVED.pop(sha256, None)
        return False
    RECEIVED[sha256] = path
    return True


def receive(token: str, offset: int, data: bytes, dask_worker: Any = None) -> None:
    """Write a part of a file; ``token`` names the transfer."""
    folder = own_folder(dask_worker) / "files"
    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / f"{token}.part").open("ab" if offset else "wb") as stream:
        stream.write(data)


async def received(token: str, sha256: str, dask_worker: Any = None) -> str:
    """End a transfer: keep the file if it has its hash. Return the hash that it has."""
    folder = own_folder(dask_worker) / "files"
    part = folder / f"{token}.part"
    found = await asyncio.to_thread(sha256_file, part)
    if found == sha256:
        part.replace(folder / sha256)
        RECEIVED[sha256] = folder / sha256
    else:
        part.unlink()
    return found


def free_space(dask_worker: Any = None) -> int:
    """Return how many bytes can be written in the worker's folder."""
    return shutil.disk_usage(own_folder(dask_worker)).free
