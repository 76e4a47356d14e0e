"""Decompressing zstd with whatever the release's own interpreter has for it."""

from __future__ import annotations

import importlib
import os
import sys

from .failure import DAMAGED, MISSING, InstallError

_MODULES = ("compression.zstd", "zstandard", "backports.zstd")


class Decoder:
    """Decompresses frames. One object serves one thread."""

    def __init__(self) -> None:
        # `-S` keeps site-packages away, and with it whatever code a .pth file there would run.
        folder = os.path.join(os.path.dirname(os.__file__), "site-packages")
        if sys.flags.no_site and folder not in sys.path:
            sys.path.append(folder)
        for name in _MODULES:
            try:
                self._make = importlib.import_module(name).ZstdDecompressor
            except ImportError:
                continue
            self._takes_size = name == "zstandard"
            return
        raise InstallError("This interpreter can not decompress zstd", MISSING)

    def decompress(self, data: bytes, size: int) -> bytes:
        """Give the ``size`` bytes that ``data`` holds; anything else is an error."""
        try:
            if self._takes_size:
                raw = self._make().decompress(data, max_output_size=size)
            else:
                raw = self._make().decompress(data, size)
        except Exception as error:  # each library has errors of its own
            raise InstallError(f"A part of the installer does not decompress: {error}", DAMAGED) from error
        if len(raw) != size:
            raise InstallError("A part of the installer has another size than it should", DAMAGED)
        return bytes(raw)
