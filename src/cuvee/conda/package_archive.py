"""Reading the members of conda packages, ``.conda`` and ``.tar.bz2``, which are hostile until checked."""

import bz2
import hashlib
import re
import tarfile
import zipfile
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal, Self, cast

from cuvee.errors import CuveeError, IntegrityError

if TYPE_CHECKING:
    import zstandard

INFO_LIMIT = 64 << 20
"""The most bytes that a file of ``info/`` may have."""

LARGEST_RATIO = 200
"""How many times its own size an archive may unpack to, above `RATIO_FLOOR`."""

RATIO_FLOOR = 64 << 20
"""Bytes that any archive may unpack to: small ones with tables compress very well."""

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
            f"{archive.name} cannot be read as a conda package: {error}\n  {archive}",
            hint="Take another build of the package, or leave it out: its source has it like this.",
        ) from error


def unpacked_limit(size: int) -> int:
    """Return the bytes that an archive of ``size`` bytes may unpack to: no real one is close to it."""
    return max(RATIO_FLOOR, LARGEST_RATIO * size)


def members(
    archive: Path, component: Literal["info", "pkg"]
) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    """Yield the members of one component of a package; their names are not checked.

    Raises
    ------
    IntegrityError
        If it unpacks to more than `unpacked_limit`, before more is unpacked.
    """
    with (
        closing(_LimitedStream(_component(archive, component), archive)) as stream,
        tarfile.open(
            fileobj=cast("IO[bytes]", stream), mode="r:", encoding="utf-8", tarinfo=_PlainHeader
        ) as tar,
    ):
        for member in tar:
            stream.take(member.size if member.issparse() else 0)
            member.name = member.name.removeprefix("./")
            if member.islnk():
                member.linkname = member.linkname.removeprefix("./")
            if component == "info" or not member.name.startswith("info/"):
                yield tar, member


def _component(archive: Path, component: str) -> "IO[bytes] | zstandard.ZstdDecompressionReader":
    """Return the tar of a component, decompressed while it is read; ``.tar.bz2`` has one for both."""
    import zstandard

    if archive.name.endswith(".tar.bz2"):
        return bz2.open(archive)
    if not archive.name.endswith(".conda"):
        raise ValueError("its name ends with neither .conda nor .tar.bz2")
    outer = zipfile.ZipFile(archive)
    found = [item for item in outer.infolist() if item.filename.startswith(f"{component}-{archive.stem}")]
    if len(found) != 1:
        raise ValueError(f"it has {len(found)} members {component}-{archive.stem}, not one")
    return zstandard.ZstdDecompressor().stream_reader(outer.open(found[0]), read_across_frames=True)


class _PlainHeader(tarfile.TarInfo):
    """A header that is read in a third of the time if it is that of a file; `tarfile` reads all others.

    It has neither owner nor time, which no reader of packages needs.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        numbers = (buf[100:108], buf[124:136], buf[148:156])
        try:
            mode, size, stated = (int(number.rstrip(b" \0"), 8) for number in numbers)
        except ValueError:  # empty, or larger than eight digits: in base 256
            return super().frombuf(buf, encoding, errors)
        checksum = sum(buf) - sum(numbers[2]) + 8 * ord(" ")
        if len(buf) != tarfile.BLOCKSIZE or buf[156:157] != tarfile.REGTYPE or size < 0 or stated != checksum:
            return super().frombuf(buf, encoding, errors)
        name, prefix = (
            bytes(text).partition(b"\0")[0].decode(encoding, errors) for text in (buf[:100], buf[345:500])
        )
        header = cls(f"{prefix}/{name}" if prefix else name)
        header.mode, header.size = mode, size
        return header


class _LimitedStream:
    """Reads a decompressed stream up to the limit of its archive, and only forwards.

    It is what `tarfile` needs of a file: its own mode for streams copies all bytes in pieces of 10 KB.
    """

    def __init__(self, stream: "IO[bytes] | zstandard.ZstdDecompressionReader", archive: Path) -> None:
        self._stream, self._name = stream, archive.name
        self._size = archive.stat().st_size
        self._left = unpacked_limit(self._size)
        self._at = 0

    def read(self, size: int) -> bytes:
        # A header may ask for any number of bytes, for which there would be no memory.
        data = self._stream.read(max(0, min(size, self._left + 1)))
        self._at += len(data)
        self.take(len(data))
        return data

    def tell(self) -> int:
        return self._at

    def seek(self, place: int) -> None:
        if place < self._at:
            raise tarfile.StreamError("its members are not read in their order")
        while self._at < place and self.read(min(place - self._at, _CHUNK)):
            pass

    def take(self, size: int) -> None:
        """Count bytes that are unpacked; those of a sparse file are more than what is read."""
        self._left -= size
        if self._left < 0:
            raise IntegrityError(
                f"{self._name} is refused: it unpacks to more than {unpacked_limit(self._size):,} bytes from "
                f"{self._size:,}",
                hint="No real package does. Leave it out, and tell the maintainers of its channel.",
            )

    def close(self) -> None:
        self._stream.close()


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
    if not member.isreg() or member.issparse():
        yield from _copied_chunks(tar, member)
        return
    stream, left = cast("IO[bytes]", tar.fileobj), member.size
    stream.seek(member.offset_data)
    while left:
        chunk = stream.read(min(left, _CHUNK))
        if not chunk:
            raise tarfile.ReadError("unexpected end of data")
        yield chunk
        left -= len(chunk)


def _copied_chunks(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    """Read a member as `tarfile` does, which fills the holes of sparse files."""
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
