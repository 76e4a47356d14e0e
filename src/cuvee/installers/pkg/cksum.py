"""The checksum of POSIX's `cksum`, fast enough for large files.

https://pubs.opengroup.org/onlinepubs/9699919799/utilities/cksum.html. It differs from zlib's CRC-32 only in
the order of bits: reversing the bits of every byte of the input, and of the result, turns one into the other.
"""

import zlib
from collections.abc import Iterable

_ALL = 0xFFFFFFFF
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def cksum(chunks: Iterable[bytes]) -> int:
    """Return what `cksum` prints for the bytes of ``chunks``."""
    check, size = _ALL, 0
    for chunk in chunks:
        check = zlib.crc32(chunk.translate(_REVERSED), check)
        size += len(chunk)
    length = size.to_bytes((size.bit_length() + 7) // 8, "little")
    check = zlib.crc32(length.translate(_REVERSED), check)
    return int(f"{check:032b}"[::-1], 2)
