"""SHA-256, without the rest of `hashlib`, which would pull half of the standard library into stage 0."""

from __future__ import annotations

import importlib


def _find():  # type: ignore[no-untyped-def] # noqa: ANN202 - a builtin of three possible modules
    # OpenSSL's uses the processor's own instructions; the other two are CPython's, since and before 3.12.
    for module, name in (("_hashlib", "openssl_sha256"), ("_sha2", "sha256"), ("_sha256", "sha256")):
        try:
            return getattr(importlib.import_module(module), name)
        except ImportError:
            continue
    raise ImportError("this interpreter has no SHA-256")


_SHA256 = _find()  # type: ignore[no-untyped-call]


def sha256(data: bytes) -> str:
    """Hex SHA-256 of ``data``."""
    return str(_SHA256(data).hexdigest())
