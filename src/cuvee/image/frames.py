"""Frames: compressed stretches of a package's files, each verified and decompressed on its own."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cuvee.files import sha256_bytes, write_bytes

if TYPE_CHECKING:
    from zstandard import ZstdCompressor

QUICK_LEVEL, HIGH_LEVEL = 9, 19
"""zstd levels, for development and for publication."""

FRAME_BYTES = 8 << 20
"""A frame ends when it holds this much before compression."""

HIGH_FRAME_BYTES, _HIGH_WINDOW_LOG = 32 << 20, 25
"""The same at the high level; there zstd looks back over the whole frame: 3 % less of large packages."""

PIECE_BYTES = 16 << 20
"""A larger file is cut into pieces of this size, so that no desktop needs memory for all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file, or a piece of one, to be put into a frame.

    Attributes
    ----------
    how
        What the runtime does with it: ``plain``, ``source``, ``text``, ``binary``, ``piece``, ``record``.
    extra
        What it needs to know for that: a placeholder, an offset.
    """

    path: str
    mode: int
    data: bytes
    how: str
    extra: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A compressed frame in the cache.

    Attributes
    ----------
    entries
        What it holds: ``[path, mode, start, size, how, sha256, extra]`` each.
    """

    file: Path
    size: int
    raw: int
    sha256: str
    entries: tuple[list[Any], ...]


def pack(parts: Iterable[Part], *, level: int, cache: Path) -> list[Frame]:
    """Compress ``parts``, in their order, into frames; a frame that the cache holds is not made again."""
    limit = HIGH_FRAME_BYTES if level >= HIGH_LEVEL else FRAME_BYTES
    return [_compress(group, level, cache) for group in _groups(_cut(parts), limit)]


def _cut(parts: Iterable[Part]) -> Iterator[Part]:
    for part in parts:
        if len(part.data) <= PIECE_BYTES or part.how != "plain":
            yield part
            continue
        for at in range(0, len(part.data), PIECE_BYTES):
            yield Part(
                path=part.path,
                mode=part.mode,
                data=part.data[at : at + PIECE_BYTES],
                how="piece",
                extra=at,
            )


def _groups(parts: Iterable[Part], limit: int) -> Iterator[list[Part]]:
    group: list[Part] = []
    size = 0
    for part in parts:
        group.append(part)
        size += len(part.data)
        if size >= limit:
            yield group
            group, size = [], 0
    if group:
        yield group


def _compress(group: list[Part], level: int, cache: Path) -> Frame:
    import zstandard

    raw = b"".join(part.data for part in group)
    window = f"w{_HIGH_WINDOW_LOG}" if level >= HIGH_LEVEL else ""
    key = f"{sha256_bytes(raw)}-{level}{window}-{'.'.join(map(str, zstandard.ZSTD_VERSION))}"
    file = cache / "frames" / key[:2] / f"{key}.zst"
    if file.exists():
        data = file.read_bytes()
    else:
        data = compressor(level).compress(raw)
        write_bytes(file, data)
    entries = []
    start = 0
    for part in group:
        entry = [part.path, part.mode, start, len(part.data), part.how, sha256_bytes(part.data)]
        entries.append(entry if part.extra is None else [*entry, part.extra])
        start += len(part.data)
    return Frame(file=file, size=len(data), raw=len(raw), sha256=sha256_bytes(data), entries=tuple(entries))


def compressor(level: int) -> "ZstdCompressor":
    """Give what compresses frames at a level; the high one looks back over the whole frame."""
    import zstandard

    if level < HIGH_LEVEL:
        return zstandard.ZstdCompressor(level=level, write_content_size=True)
    parameters = zstandard.ZstdCompressionParameters.from_level(
        level, window_log=_HIGH_WINDOW_LOG, write_content_size=True
    )
    return zstandard.ZstdCompressor(compression_params=parameters)
