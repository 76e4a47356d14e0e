"""Reading the members of conda packages, ``.conda`` and ``.tar.bz2``, which are hostile until checked."""

import hashlib
import re
import tarfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from cuvee.errors import CuveeError, IntegrityError

INFO_LIMIT = 64 << 20
"""The most bytes that a file of ``info/`` may have."""

_CHUNK = 1 << 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_DRIVE = re.compile(r"^[A-Za-z]:")


def is_safe_path(path: str) -> bool:
    """Whether a path stays below the folder that it is relative to, on every platform.

    Absolute paths, ``..``, drive letters, backslashes and control characters do not.
    """
    parts = path.split("/")
    strange = {"", ".", ".."}.intersection(parts)
    return not (strange or "\\" in path or _DRIVE.match(path) or _CONTROL.search(path))


def read_info_files(archive: Path, names: Collection[str]) -> dict[str, bytes]:
    """Read those of the files ``info/<name>`` that the package at ``archive`` has, by name.

    Raises
    ------
    IntegrityError
        If the archive cannot be read.
    """
    by_member = {f"info/{name}": name for name in names}
    found = {}
    with archive_errors(archive):
        for tar, member in members(archive, "info"):
            if member.name in by_member and member.isreg():
                found[by_member[member.name]] = member_data(tar, member, INFO_LIMIT)
    return found


@contextmanager
def archive_errors(archive: Path) -> Iterator[None]:
    """Turn what the archive libraries raise into one `IntegrityError` that names the archive."""
    try:
        yield
    except (CuveeError, MemoryError):
        raise
    except Exception as error:
        raise IntegrityError(
            f"{archive.name} cannot be read as a conda package: {error}",
            hint="Delete it and run the same command again, so that it is fetched or made again.",
        ) from error


def members(
    archive: Path, component: Literal["info", "pkg"]
) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """Yield the members of one component of a package; their names are not checked."""
    from conda_package_streaming.package_streaming import CondaComponent, stream_conda_component

    for tar, member in stream_conda_component(archive, component=CondaComponent(component)):
        member.name = member.name.removeprefix("./")
        if member.islnk():
            member.linkname = member.linkname.removeprefix("./")
        if component == "info" or not member.name.startswith("info/"):
            yield tar, member


def member_data(tar: tarfile.TarFile, member: tarfile.TarInfo, limit: int) -> bytes:
    """Read a member of at most ``limit`` bytes; for errors see `member_chunks`."""
    return b"".join(member_chunks(tar, member, limit))


def member_chunks(tar: tarfile.TarFile, member: tarfile.TarInfo, limit: int) -> Iterator[bytes]:
    """Read a member of at most ``limit`` bytes, in pieces of at most a mebibyte.

    Raises
    ------
    IntegrityError
        If it is larger, or not a file.
    """
    if member.size > limit:
        raise IntegrityError(f"{member.name} is larger than the {limit:,} bytes that it may have")
    stream = tar.extractfile(member)
    if stream is None:
        raise IntegrityError(f"{member.name} has no content")
    while chunk := stream.read(_CHUNK):
        yield chunk


def archive_hashes(path: Path) -> tuple[str, str, int]:
    """Return the hex SHA-256, the hex MD5 (for conda's older tools) and the size of an archive."""
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            sha256.update(chunk)
            md5.update(chunk)
            size += len(chunk)
    return sha256.hexdigest(), md5.hexdigest(), size
