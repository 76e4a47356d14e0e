"""Where the payload is in an `.exe`: a trailer of 128 bytes tells, and has the hash of what is before it.

A signature comes behind the trailer. It changes two fields of the PE header, which the hash takes as zero, as
Authenticode does; so the same trailer is right before and after signing. The header's format:
https://learn.microsoft.com/windows/win32/debug/pe-format.

Trailer: 16 bytes magic; the manifest's offset, its size, and its size decompressed, each as a little-endian
64-bit number; 32 bytes SHA-256 of all before the trailer; a byte, 1 if the program takes deltas; zeros.
"""

from __future__ import annotations

from typing import BinaryIO, NamedTuple

from ..failure import damaged
from ..hashing import algorithm

MAGIC = b"cuvee-exe-1".ljust(16, b"\0")
SIZE = 128
_HEAD = 4096
_CHUNK = 1 << 20
_PE32_PLUS = 0x20B
_TAKES_DELTAS = b"\1"


class ExeContainer(NamedTuple):
    """Offset and sizes of the image's manifest in the file; the payload follows it."""

    manifest_at: int
    manifest_size: int
    manifest_raw: int


def pack(container: ExeContainer, digest: bytes) -> bytes:
    """Return the trailer."""
    numbers = b"".join(number.to_bytes(8, "little") for number in container)
    return (MAGIC + numbers + digest + _TAKES_DELTAS).ljust(SIZE, b"\0")


def open_container(path: str, *, check: bool = True) -> ExeContainer:
    """Return what the trailer says; raise if there is none.

    Unless ``check`` is false, raise also if the file has not the hash that it states.
    """
    with open(path, "rb") as stream:
        end, trailer = _trailer(stream)
        if check and digest(stream, end) != trailer[40:72]:
            raise damaged("The installer")
    numbers = [int.from_bytes(trailer[start : start + 8], "little") for start in (16, 24, 32)]
    return ExeContainer(*numbers)


def takes_deltas(path: str) -> bool:
    """Return whether the program of an installer is one that can have a delta's payload."""
    with open(path, "rb") as stream:
        return _trailer(stream)[1][72:73] == _TAKES_DELTAS


def _trailer(stream: BinaryIO) -> tuple[int, bytes]:
    """Return where the trailer is, and the trailer; raise if there is none."""
    head = stream.read(_HEAD)
    security = _find(head)[1]
    # Where the certificates are, 0 without any.
    certificates = int.from_bytes(head[security : security + 4], "little")
    end = (certificates or stream.seek(0, 2)) - SIZE
    if end < _HEAD:
        raise damaged("The installer")
    stream.seek(end)
    trailer = stream.read(SIZE)
    if trailer[:16] != MAGIC:
        raise damaged("The installer")
    return end, trailer


def unsigned(program: bytes) -> bytes:
    """Return the start of a program with the fields that signing changes as zeros."""
    head = bytearray(program)
    checksum, security = _find(head)
    head[checksum : checksum + 4] = bytes(4)
    head[security : security + 8] = bytes(8)
    return bytes(head)


def digest(stream: BinaryIO, end: int) -> bytes:
    """Return the SHA-256 of the first ``end`` bytes, with the fields that signing changes as zeros."""
    stream.seek(0)
    head = unsigned(stream.read(_HEAD))
    hashed = algorithm("sha256")(head)
    left = end - len(head)
    while left > 0:
        data = stream.read(min(_CHUNK, left))
        if not data:
            raise damaged("The installer")
        hashed.update(data)
        left -= len(data)
    return hashed.digest()


def _find(head: bytes | bytearray) -> tuple[int, int]:
    """Return the offsets of what signing changes: the checksum, and the entry of the certificates."""
    optional = int.from_bytes(head[0x3C:0x40], "little") + 24
    magic = int.from_bytes(head[optional : optional + 2], "little")
    if head[:2] != b"MZ" or magic != _PE32_PLUS or optional + 152 > len(head):
        raise damaged("The installer")
    return optional + 64, optional + 144
