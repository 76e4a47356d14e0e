"""SHA-256 and its kin, without the rest of `hashlib`, which would pull half of the standard library in."""

from __future__ import annotations

import importlib
from collections.abc import Callable

# OpenSSL's use the processor's own instructions; the others are CPython's, since and before 3.12.
_MODULES = {"sha1": ("_sha1",), "sha256": ("_sha2", "_sha256"), "sha512": ("_sha2", "_sha512")}
_CHUNK = 1 << 20


def find(name: str):  # type: ignore[no-untyped-def] # noqa: ANN201 - a builtin of several possible modules
    """Give what makes hashes of an algorithm: ``sha1``, ``sha256`` or ``sha512``."""
    for module, attribute in (("_hashlib", f"openssl_{name}"), *((one, name) for one in _MODULES[name])):
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError):
            continue
    raise ImportError(f"this interpreter has no {name}")


_SHA256 = find("sha256")


def sha256(data: bytes) -> str:
    """Hex SHA-256 of ``data``."""
    return str(_SHA256(data).hexdigest())


def sha256_of(read: Callable[[int], bytes], size: int) -> str:
    """Hex SHA-256 of the next ``size`` bytes that ``read`` gives, or of all that there are."""
    hashed = _SHA256(read(min(size, _CHUNK)))
    for left in range(size - _CHUNK, 0, -_CHUNK):
        hashed.update(read(min(left, _CHUNK)))
    return str(hashed.hexdigest())
