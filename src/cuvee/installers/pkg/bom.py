"""The ``Bom``, a package's bill of materials, from which macOS knows which files the package installs.

A file of numbered blocks; some blocks are nodes of B+ trees. Apple has not published the format; bomutils
documents it in ``src/bom.h``: https://github.com/hogliux/bomutils. All integers are big-endian.
"""

import struct
import zlib
from collections.abc import Iterable, Sequence

from cuvee.errors import TooLargeError
from cuvee.image.model import SOURCE_TIME
from cuvee.installers.pkg.payload_entries import ROOT, PayloadEntry

_HEADER = 512
_NODE, _SMALL_NODE = 4096, 128
_FILE, _FOLDER = 1, 2
_ANY_ARCHITECTURE = 0x000F
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
LARGEST = 0xFFFFFFFF
"""Bytes that a package's files may have in total: in the Bom, each size and the total have 32 bits.

This is the lowest limit of a package. Sizes have 33 bits in odc cpio and 64 in xar; gzip's are modulo 2**32.
"""


class _Store:
    """The blocks of a Bom, and the names of some of them."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._names: list[tuple[str, int]] = []

    def add(self, data: bytes) -> int:
        """Add a block; return its number, from 1."""
        self._blocks.append(data)
        return len(self._blocks)

    def name(self, name: str, block: int) -> None:
        """Name a block, so that readers find it."""
        self._names.append((name, block))

    def add_tree(self, child: int, *, count: int, node: int = _NODE) -> int:
        """Add the head of a tree whose first node is the block ``child``."""
        return self.add(b"tree" + struct.pack(">IIIIB", 1, child, node, count, 0))

    def file(self) -> bytes:
        """Return the whole file."""
        names = struct.pack(">I", len(self._names)) + b"".join(
            struct.pack(">IB", block, len(name)) + name.encode() for name, block in self._names
        )
        positions, at = [(0, 0)], _HEADER
        for block in self._blocks:
            positions.append((at, len(block)))
            at += len(block)
        # The list of free blocks is empty, but Apple's reader needs its count and two null pointers.
        index = struct.pack(">I", len(positions)) + b"".join(struct.pack(">II", *item) for item in positions)
        index += struct.pack(">I", 0) + bytes(16)
        header = b"BOMStore" + struct.pack(
            ">IIIIII", 1, len(self._blocks), at + len(names), len(index), at, len(names)
        )
        return b"".join((header.ljust(_HEADER, b"\0"), *self._blocks, names, index))


def bom(entries: Sequence[PayloadEntry]) -> bytes:
    """Return the Bom of ``entries``, which are in breadth-first order and few enough for one leaf (509).

    Apple's reader needs this order: of the folder's number, then of the name.

    Raises
    ------
    TooLargeError
        See `check_size`.
    """
    store = _Store()
    total = sum(entry.size for entry in entries)
    check_size(total)
    store.name("BomInfo", store.add(struct.pack(">7I", 1, len(entries) + 1, 1, 0, 0, total, 0)))
    store.name("Paths", _add_paths(store, entries))
    empty = _leaf([])
    store.name("HLIndex", store.add_tree(store.add(empty), count=0))
    small = store.add_tree(store.add(empty[:_SMALL_NODE]), count=0, node=_SMALL_NODE)
    store.name("VIndex", store.add(struct.pack(">IIIB", 1, small, 0, 0)))
    store.name("Size64", store.add_tree(store.add(empty), count=0))
    return store.file()


def check_size(total: int) -> None:
    """Raise `TooLargeError` if a package's files have more than `LARGEST` bytes in total."""
    if total > LARGEST:
        raise TooLargeError(
            f"The .pkg would hold {total / 2**30:.1f} GiB, and a macOS package cannot hold 4 GiB or more",
            hint="Leave pkg out of the manifest's formats and use the .sh installer, or leave packages out.",
        )


def _add_paths(store: _Store, entries: Sequence[PayloadEntry]) -> int:
    numbers = {entry.path: number for number, entry in enumerate(entries, 1)}
    pairs = []
    for number, entry in enumerate(entries, 1):
        parent = 0 if entry.path == ROOT else numbers[entry.parent]
        info = store.add(struct.pack(">II", number, store.add(_path_info(entry))))
        pairs.append((info, store.add(struct.pack(">I", parent) + entry.name.encode() + b"\0")))
    return store.add_tree(store.add(_leaf(pairs)), count=len(pairs))


def _leaf(pairs: Sequence[tuple[int, int]]) -> bytes:
    """Return the only leaf of a tree, with the blocks of its keys and values."""
    data = struct.pack(">HHII", 1, len(pairs), 0, 0)
    return (data + b"".join(struct.pack(">II", *pair) for pair in pairs)).ljust(_NODE, b"\0")


def _path_info(entry: PayloadEntry) -> bytes:
    """Return the type, mode, owner, time, size and checksum of a path."""
    if entry.is_folder:
        kind, check, tail = _FOLDER, 0, b""
    else:
        kind, check, tail = _FILE, cksum(entry.chunks()), bytes(4)
    owner = link_length = 0
    return (
        struct.pack(
            ">BBHHIIII", kind, 1, _ANY_ARCHITECTURE, entry.mode, owner, owner, SOURCE_TIME, entry.size
        )
        + struct.pack(">BII", 1, check, link_length)
        + tail
    )


def cksum(chunks: Iterable[bytes]) -> int:
    """Return what POSIX's `cksum` prints for the bytes of ``chunks``, fast enough for large files.

    https://pubs.opengroup.org/onlinepubs/9699919799/utilities/cksum.html. It differs from zlib's CRC-32 only
    in the order of bits: reversing the bits of every byte of the input, and of the result, turns one into the
    other.
    """
    check, size = 0xFFFFFFFF, 0
    for chunk in chunks:
        check = zlib.crc32(chunk.translate(_REVERSED), check)
        size += len(chunk)
    length = size.to_bytes((size.bit_length() + 7) // 8, "little")
    check = zlib.crc32(length.translate(_REVERSED), check)
    return int(f"{check:032b}"[::-1], 2)
