"""Decompressing zstd (RFC 8878) with whatever the release's own interpreter has for it."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Callable

from .failure import DAMAGED, MISSING, InstallError

_MODULES = ("zstandard", "backports.zstd")
_Decompress = Callable[[bytes, int, bytes], bytes]
_found: list[_Decompress] = []


def decompress(data: bytes, size: int, dictionary: bytes = b"") -> bytes:
    """Return the ``size`` bytes that the frame ``data`` holds; raise if it holds others, or is damaged.

    It may need the ``dictionary`` that it was compressed with, any bytes. Any thread may call it.
    """
    if not _found:
        _found.append(_find())
    try:
        raw = _found[0](data, size, dictionary)
    except Exception as error:  # each library has errors of its own
        raise InstallError(f"A part of the installer does not decompress: {error}", DAMAGED) from error
    if len(raw) != size:
        raise InstallError("A part of the installer has another size than it should", DAMAGED)
    return bytes(raw)


def _find() -> _Decompress:
    if sys.version_info >= (3, 14):  # PEP 784
        return _of("compression.zstd")
    # `-S` keeps site-packages away, and with it whatever code a .pth file there would run. The folder is
    # there only for this, so that no module of another package is ever imported.
    folder = os.path.join(os.path.dirname(os.__file__), "site-packages")
    before = list(sys.path)
    sys.path.append(folder)
    os.environ.pop("PYTHON_ZSTANDARD_IMPORT_POLICY", None)  # stage 0 has the usual backend only
    try:
        for name in _MODULES:
            with contextlib.suppress(ImportError):
                return _of(name)
    finally:
        sys.path[:] = before
    raise InstallError("This interpreter cannot decompress zstd", MISSING)


def _of(name: str) -> _Decompress:
    module = importlib.import_module(name)
    new = module.ZstdDecompressor
    if name == "zstandard":

        def decompress(data: bytes, size: int, dictionary: bytes) -> bytes:
            kind = module.DICT_TYPE_RAWCONTENT
            known = module.ZstdCompressionDict(dictionary, dict_type=kind) if dictionary else None
            return bytes(new(dict_data=known).decompress(data, max_output_size=size))

    else:

        def decompress(data: bytes, size: int, dictionary: bytes) -> bytes:
            known = module.ZstdDict(dictionary, is_raw=True) if dictionary else None
            return bytes(new(zstd_dict=known).decompress(data, size))

    return decompress
