"""Frames: groups of a package's files, each compressed, verified and decompressed on its own.

Zstandard frames, https://www.rfc-editor.org/rfc/rfc8878
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from cuvee.byte_code.batches import batches
from cuvee.files import sha256_bytes, write_bytes
from cuvee.image.spool import SpooledBytes
from cuvee.progress import SILENT, Reporter

if TYPE_CHECKING:
    from zstandard import ZstdCompressor

QUICK_LEVEL, HIGH_LEVEL = 5, 19
"""zstd levels, for development and for publication."""

_TUNING: Mapping[int, Mapping[str, int]] = {
    QUICK_LEVEL: {"window_log": 23, "hash_log": 20, "search_log": 5},
    HIGH_LEVEL: {"window_log": 25},
}
"""Parameters of zstd that differ from those of the level: a window of the whole frame, and at the quick level
twice as many places in which it looks for what was there before, of which it looks at four times as many."""

FRAME_BYTES = 8 << 20
"""A frame ends when it has this many bytes before compression."""

HIGH_FRAME_BYTES = 32 << 20
"""The same at the high level: large packages get 3 % smaller."""

PIECE_BYTES = 16 << 20
"""A larger file is split into pieces of this size, so that a desktop needs no memory for all of it."""

FrameEntry: TypeAlias = tuple[str, int, int, int, str, str, *tuple[object, ...]]
"""A file in the manifest: ``[path, mode, start, size, how, sha256]``, and ``extra`` unless `None`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file, or a piece of one, to be put into a frame.

    Attributes
    ----------
    data
        Its bytes, or where they are stored.
    how
        What the runtime does with it: ``plain``, ``source``, ``text``, ``binary``, ``piece``, ``record``.
    extra
        What the runtime needs for that: a placeholder, an offset, the paths of a record.
    """

    path: str
    mode: int
    data: bytes | SpooledBytes
    how: str
    extra: int | str | list[list[object]] | None = None

    @property
    def size(self) -> int:
        """Its number of bytes."""
        return len(self.data) if isinstance(self.data, bytes) else self.data.size

    @property
    def sha256(self) -> str:
        """Hex digest of its bytes."""
        if isinstance(self.data, SpooledBytes):
            return self.data.sha256 or sha256_bytes(self.data.read())
        return sha256_bytes(self.data)

    def read(self, size: int | None = None) -> bytes:
        """Return its bytes, or the first ``size`` of them."""
        return self.data[:size] if isinstance(self.data, bytes) else self.data.read(size)

    def read_into(self, view: memoryview) -> None:
        """Fill ``view``, which is as long as the file."""
        if isinstance(self.data, bytes):
            view[:] = self.data
        else:
            self.data.read_into(view)

    def piece(self, at: int, size: int) -> "Part":
        """Return up to ``size`` of its bytes from ``at`` on as a part of its own."""
        data = self.data[at : at + size] if isinstance(self.data, bytes) else self.data.slice(at, size)
        return replace(self, data=data, how="piece", extra=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressedFrame:
    """A compressed frame in the cache: ``size`` bytes, made of ``raw``."""

    file: Path
    size: int
    raw: int
    sha256: str
    entries: tuple[FrameEntry, ...]


def pack(
    parts: Iterable[Part], *, level: int, cache: Path, reporter: Reporter = SILENT
) -> list[CompressedFrame]:
    """Compress ``parts``, in their order, into frames; a frame in the cache is not made again.

    One in the cache is used only if it decompresses to the parts, so the cache need not be believed.

    No more than the parts of one frame are in memory.
    """
    limit = HIGH_FRAME_BYTES if level >= HIGH_LEVEL else FRAME_BYTES
    return [
        _compress(group, level, cache, reporter)
        for group in batches(_split(parts), lambda part: part.size, limit)
    ]


def _split(parts: Iterable[Part]) -> Iterator[Part]:
    for part in parts:
        if part.size <= PIECE_BYTES or part.how != "plain":
            yield part
            continue
        for at in range(0, part.size, PIECE_BYTES):
            yield part.piece(at, PIECE_BYTES)


def _compress(group: list[Part], level: int, cache: Path, reporter: Reporter) -> CompressedFrame:
    import zstandard

    raw, entries = _join(group)
    # All bytes have been hashed when they were read.
    known = sha256_bytes("".join(f"{entry[5]}\n" for entry in entries).encode())
    key = f"{known}-{_parameters(level)}-{'.'.join(map(str, zstandard.ZSTD_VERSION))}"
    file = cache / "frames" / key[:2] / f"{key}.zst"
    data = _cached(file, raw, reporter)
    if data is None:
        data = compressor(level).compress(raw)
        write_bytes(file, data)
    return CompressedFrame(
        file=file, size=len(data), raw=len(raw), sha256=sha256_bytes(data), entries=tuple(entries)
    )


def _cached(file: Path, raw: bytearray, reporter: Reporter) -> bytes | None:
    """Return the frame in the cache if it is one of ``raw``; a line says if it is something else."""
    import zstandard

    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return None
    try:
        # The size comes first: a few bytes can say that they decompress to gigabytes.
        if zstandard.frame_content_size(data) == len(raw):
            same = zstandard.ZstdDecompressor().decompress(data, allow_extra_data=False) == raw
        else:
            same = False
    except zstandard.ZstdError:
        same = False
    if not same:
        reporter.warn(f"{file} is damaged; the frame is compressed again")
    return data if same else None


def _join(group: list[Part]) -> tuple[bytearray, list[FrameEntry]]:
    """Return the concatenated parts of a frame, and its entries."""
    raw = bytearray(sum(part.size for part in group))
    entries: list[FrameEntry] = []
    start = 0
    for part in group:
        view = memoryview(raw)[start : start + part.size]
        part.read_into(view)
        known = part.data.sha256 if isinstance(part.data, SpooledBytes) else None
        extra = () if part.extra is None else (part.extra,)
        sha256 = known or sha256_bytes(view)
        entries.append((part.path, part.mode, start, part.size, part.how, sha256, *extra))
        start += part.size
    return raw, entries


def compressor(level: int) -> "ZstdCompressor":
    """Return the compressor of a level, with our parameters."""
    import zstandard

    if level not in _TUNING:
        return zstandard.ZstdCompressor(level=level, write_content_size=True)
    parameters = zstandard.ZstdCompressionParameters.from_level(
        level, write_content_size=True, **_TUNING[level]
    )
    return zstandard.ZstdCompressor(compression_params=parameters)


def _parameters(level: int) -> str:
    """Return what frames of a level are compressed with, for their names: others have other bytes."""
    return str(level) + "".join(f"{name[0]}{value}" for name, value in _TUNING.get(level, {}).items())
