"""Which shared libraries an ELF file needs, without `lief`: importing that takes longer than reading stage 0.

https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.dynamic.html
"""

import struct
from collections.abc import Iterator

_HEAD = b"\x7fELF\x02\x01"
"""64 bits, little-endian, as on all platforms that installers are made for."""

_LOADED, _DYNAMIC = 1, 2
_END, _NEEDED, _STRINGS = 0, 1, 5


def needed_by_elf(data: bytes) -> list[str] | None:
    """Return the libraries that a file names, in its order; `None` if it cannot be read like this."""
    if not data.startswith(_HEAD):
        return None
    try:
        return _needed(data)
    except (struct.error, ValueError, IndexError, OverflowError, StopIteration):
        return None


def _needed(data: bytes) -> list[str]:
    segments = list(_segments(data))
    dynamic = [(start, size) for kind, start, _, size in segments if kind == _DYNAMIC]
    if not dynamic:
        return []
    (start, size) = dynamic[0]
    entries = list(_entries(data[start : start + size]))
    address = next(value for tag, value in entries if tag == _STRINGS)
    strings = next(
        start + address - loaded
        for kind, start, loaded, size in segments
        if kind == _LOADED and loaded <= address < loaded + size
    )
    return [_text(data, strings + value) for tag, value in entries if tag == _NEEDED]


def _segments(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield the kind of each segment, its place in the file, its address, and its size in the file."""
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for number in range(count):
        kind, start, address, _, length = struct.unpack_from("<I4xQQQQ", data, table + number * size)
        yield kind, start, address, length


def _entries(table: bytes) -> Iterator[tuple[int, int]]:
    for tag, value in struct.iter_unpack("<qQ", table):
        if tag == _END:
            return
        yield tag, value


def _text(data: bytes, start: int) -> str:
    return data[start : data.index(b"\0", start)].decode()
