"""gzip and zlib streams whose data is stored, not compressed.

The content of a package is compressed already. Stored blocks are fast to write, and their bytes do not depend
on the version of zlib. Formats: https://www.rfc-editor.org/rfc/rfc1950, rfc1951 and rfc1952.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator

_BLOCK = 0xFFFF
_LAST = b"\x01\x00\x00\xff\xff"
# Deflate, no flags, no time, no extra flags, made on Unix.
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"
_ZLIB_HEADER = b"\x78\x01"


def gzip_stored(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a gzip stream of ``chunks``, without a name and with time 0."""
    check = size = 0
    yield _GZIP_HEADER
    for chunk in chunks:
        check = zlib.crc32(chunk, check)
        size += len(chunk)
        yield from _blocks(chunk)
    yield _LAST + struct.pack("<II", check, size & 0xFFFFFFFF)


def zlib_stored(data: bytes) -> bytes:
    """Return a zlib stream of ``data``."""
    return b"".join((_ZLIB_HEADER, *_blocks(data), _LAST, struct.pack(">I", zlib.adler32(data))))


def _blocks(data: bytes) -> Iterator[bytes]:
    view = memoryview(data)
    for start in range(0, len(data), _BLOCK):
        block = view[start : start + _BLOCK]
        yield struct.pack("<BHH", 0, len(block), len(block) ^ _BLOCK)
        yield bytes(block)
