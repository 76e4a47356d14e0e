"""SHA-256 and its kin, without the rest of `hashlib`, which would pull half of the standard library in."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Protocol

# OpenSSL's use the processor's own instructions; the others are CPython's, since and before 3.12.
_MODULES = {"sha1": ("_sha1",), "sha256": ("_sha2", "_sha256"), "sha512": ("_sha2", "_sha512")}
_CHUNK = 1 << 20


class HashObject(Protocol):
    """A hash in the making, as in `hashlib`."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Add bytes."""

    def digest(self) -> bytes:
        """Return the hash as bytes."""

    def hexdigest(self) -> str:
        """Return the hash as hex digits."""


def algorithm(name: str) -> Callable[[bytes | memoryview], HashObject]:
    """Return the constructor of an algorithm: ``sha1``, ``sha256`` or ``sha512``."""
    for module, attribute in (("_hashlib", f"openssl_{name}"), *((one, name) for one in _MODULES[name])):
        try:
            found: Callable[[bytes | memoryview], HashObject] = getattr(
                importlib.import_module(module), attribute
            )
        except (ImportError, AttributeError):
            continue
        return found
    raise ImportError(f"this interpreter has no {name}")


_SHA256 = algorithm("sha256")


def sha256(data: bytes | memoryview) -> str:
    """Return the SHA-256 of ``data`` in hex."""
    return _SHA256(data).hexdigest()


def sha256_of(read: Callable[[int], bytes], size: int) -> str:
    """Return the SHA-256, in hex, of the next ``size`` bytes from ``read``, or of all if there are fewer."""
    hashed = _SHA256(read(min(size, _CHUNK)))
    for left in range(size - _CHUNK, 0, -_CHUNK):
        hashed.update(read(min(left, _CHUNK)))
    return hashed.hexdigest()


def sha256_of_handle(handle: int, size: int) -> str:
    """Return the same of the next bytes of an open file, for many small ones."""
    hashed = _SHA256(data := os.read(handle, min(size, _CHUNK)))
    while data and (size := size - len(data)):  # a file system may give less than asked
        hashed.update(data := os.read(handle, min(size, _CHUNK)))
    return hashed.hexdigest()
