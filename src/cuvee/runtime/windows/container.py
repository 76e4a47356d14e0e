"""Where the payload is in an `.exe`: a trailer of 128 bytes tells, and holds the hash of what is before it.

A signature comes behind the trailer. It changes two fields of the PE header, which the hash takes as zero, as
Authenticode does; so the same trailer holds before and after signing.

Trailer: 16 bytes magic; the manifest's offset, its size, and its size decompressed, each as a little-endian
64-bit number; 32 bytes SHA-256 of all before the trailer; zeros.
"""

from __future__ import annotations

import importlib
from typing import Any, BinaryIO, NamedTuple

MAGIC = b"cuvee-exe-1".ljust(16, b"\0")
SIZE = 128
_HEAD = 4096
_CHUNK = 1 << 20
_PE32_PLUS = 0x20B


class DamagedError(Exception):
    """The file is not what was released."""


class Container(NamedTuple):
    """Place and sizes of the image's manifest in the file; the payload follows it."""

    manifest_at: int
    manifest_size: int
    manifest_raw: int


class _Fields(NamedTuple):
    """Offsets of what signing changes, and where the certificates are (0 without any)."""

    checksum: int
    security: int
    certificates: int


def pack(container: Container, digest: bytes) -> bytes:
    """Give the trailer."""
    numbers = b"".join(number.to_bytes(8, "little") for number in container)
    return (MAGIC + numbers + digest).ljust(SIZE, b"\0")


def open_container(path: str, *, whole: bool = True) -> Container:
    """Read the trailer, and unless ``whole`` is false hold the file to its hash."""
    with open(path, "rb") as stream:
        head = bytearray(stream.read(_HEAD))
        fields = _find(head)
        end = (fields.certificates or stream.seek(0, 2)) - SIZE
        if end < _HEAD:
            raise DamagedError
        stream.seek(end)
        trailer = stream.read(SIZE)
        if trailer[:16] != MAGIC or (whole and digest(stream, end) != trailer[40:72]):
            raise DamagedError
    numbers = [int.from_bytes(trailer[start : start + 8], "little") for start in (16, 24, 32)]
    return Container(*numbers)


def digest(stream: BinaryIO, end: int) -> bytes:
    """Give the SHA-256 of the first ``end`` bytes, with the fields that signing changes as zeros."""
    stream.seek(0)
    head = bytearray(stream.read(_HEAD))
    fields = _find(head)
    head[fields.checksum : fields.checksum + 4] = bytes(4)
    head[fields.security : fields.security + 8] = bytes(8)
    state = _sha256()
    state.update(bytes(head))
    left = end - len(head)
    while left > 0:
        data = stream.read(min(_CHUNK, left))
        if not data:
            raise DamagedError
        state.update(data)
        left -= len(data)
    result: bytes = state.digest()
    return result


def _find(head: bytearray) -> _Fields:
    optional = int.from_bytes(head[0x3C:0x40], "little") + 24
    magic = int.from_bytes(head[optional : optional + 2], "little")
    if head[:2] != b"MZ" or magic != _PE32_PLUS or optional + 152 > len(head):
        raise DamagedError
    security = optional + 144
    return _Fields(optional + 64, security, int.from_bytes(head[security : security + 4], "little"))


def _sha256() -> Any:
    """Start a hash without the rest of `hashlib`, which stage 0 lacks; see the runtime's `digest`."""
    for module, name in (("_hashlib", "openssl_sha256"), ("_sha2", "sha256"), ("_sha256", "sha256")):
        try:
            return getattr(importlib.import_module(module), name)()
        except ImportError:
            continue
    raise ImportError("this interpreter has no SHA-256")
