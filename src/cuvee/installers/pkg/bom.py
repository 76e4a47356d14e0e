"""The bill of materials: what macOS reads to know which files a package installs.

A store of numbered blocks, in which trees lie. Apple has not published the format; its tables are written
down by those who took it apart (bomutils' ``bom.h``, stuckliste, embala). All integers are big-endian.
"""

import struct
from collections.abc import Iterator, Sequence

from cuvee.errors import TooLargeError
from cuvee.image.model import SOURCE_TIME
from cuvee.installers.pkg.cksum import cksum
from cuvee.installers.pkg.payload_entries import ROOT, PayloadEntry

PER_LEAF = 509
"""Paths in one leaf of the tree."""

_HEADER = 512
_NODE, _SMALL_NODE = 4096, 128
_FILE, _FOLDER, _LINK = 1, 2, 3
_NO_CODE = 0x000F  # the file is for no architecture in particular
LARGEST = 0xFFFFFFFF
"""Bytes that a package's files may have together: the Bom gives each size and their sum 32 bits.

Of all limits in a package it is the lowest. odc cpio gives 33 bits to a file's size and xar 64 to everything;
gzip counts modulo 2**32, and its readers know.
"""


class _Store:
    """Blocks and the names of some of them, which end as one file."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._names: list[tuple[str, int]] = []

    @property
    def next(self) -> int:
        """The number of the block that will be added next."""
        return len(self._blocks) + 1

    def add(self, data: bytes) -> int:
        """Keep a block; give its number. Number 0 stands for none."""
        self._blocks.append(data)
        return len(self._blocks)

    def name(self, name: str, block: int) -> None:
        """Make a block one of those that a reader starts from."""
        self._names.append((name, block))

    def add_tree(self, child: int, *, count: int, node: int = _NODE) -> int:
        """Add the head of a tree whose first node is the block ``child``."""
        return self.add(b"tree" + struct.pack(">IIIIB", 1, child, node, count, 0))

    def file(self) -> bytes:
        """Give the whole file."""
        names = struct.pack(">I", len(self._names)) + b"".join(
            struct.pack(">IB", block, len(name)) + name.encode() for name, block in self._names
        )
        places, at = [(0, 0)], _HEADER
        for block in self._blocks:
            places.append((at, len(block)))
            at += len(block)
        # The list of free blocks is empty, but Apple's reader wants its count and two null pointers.
        index = struct.pack(">I", len(places)) + b"".join(struct.pack(">II", *place) for place in places)
        index += struct.pack(">I", 0) + bytes(16)
        header = b"BOMStore" + struct.pack(
            ">IIIIII", 1, len(self._blocks), at + len(names), len(index), at, len(names)
        )
        return b"".join((header.ljust(_HEADER, b"\0"), *self._blocks, names, index))


def bom(entries: Sequence[PayloadEntry]) -> bytes:
    """Give the Bom of ``entries``, which `checked` has put in order.

    Raises
    ------
    TooLargeError
        As `check_size` does, or if there are more paths than two levels of the tree can hold.
    """
    store = _Store()
    total = sum(entry.size for entry in entries)
    check_size(total)
    store.name("BomInfo", store.add(struct.pack(">7I", 1, len(entries) + 1, 1, 0, 0, total, 0)))
    store.name("Paths", _add_paths(store, entries))
    empty = _node([], is_leaf=True)
    store.name("HLIndex", store.add_tree(store.add(empty), count=0))
    small = store.add_tree(store.add(empty[:_SMALL_NODE]), count=0, node=_SMALL_NODE)
    store.name("VIndex", store.add(struct.pack(">IIIB", 1, small, 0, 0)))
    store.name("Size64", store.add_tree(store.add(empty), count=0))
    return store.file()


def check_size(total: int) -> None:
    """Check how many bytes a package's files have together.

    Raises
    ------
    TooLargeError
        If they are more than `LARGEST`.
    """
    if total > LARGEST:
        raise TooLargeError(
            f"The .pkg would hold {total / 2**30:.1f} GiB, and a macOS package can not hold 4 GiB or more",
            hint="Leave pkg out of the manifest's formats and use the .sh installer, or leave packages out.",
        )


def _add_paths(store: _Store, entries: Sequence[PayloadEntry]) -> int:
    numbered = tuple(_breadth_first(entries))
    pairs = []
    for number, (parent, entry) in enumerate(numbered, 1):
        facts = store.add(struct.pack(">II", number, store.add(_facts(entry))))
        pairs.append((facts, store.add(struct.pack(">I", parent) + entry.name.encode() + b"\0")))
    groups = [pairs[start : start + PER_LEAF] for start in range(0, len(pairs), PER_LEAF)]
    if len(groups) > PER_LEAF:
        raise TooLargeError(f"A macOS package can not hold {len(pairs):,} paths")
    leaves = _add_leaves(store, groups)
    child = leaves[0]
    if len(leaves) > 1:
        child = store.add(
            _node([(leaf, group[-1][1]) for leaf, group in zip(leaves, groups, strict=True)], is_leaf=False)
        )
    return store.add_tree(child, count=len(pairs))


def _add_leaves(store: _Store, groups: Sequence[Sequence[tuple[int, int]]]) -> list[int]:
    """Add the leaves one behind the other, so that each can name its neighbours before they are there."""
    start = store.next
    numbers = range(start, start + len(groups))
    for number, group in zip(numbers, groups, strict=True):
        forward = number + 1 if number + 1 in numbers else 0
        backward = number - 1 if number - 1 in numbers else 0
        store.add(_node(group, is_leaf=True, forward=forward, backward=backward))
    return list(numbers)


def _node(pairs: Sequence[tuple[int, int]], *, is_leaf: bool, forward: int = 0, backward: int = 0) -> bytes:
    data = struct.pack(">HHII", is_leaf, len(pairs), forward, backward)
    data += b"".join(struct.pack(">II", *pair) for pair in pairs)
    return data.ljust(_NODE, b"\0")


def _breadth_first(entries: Sequence[PayloadEntry]) -> Iterator[tuple[int, PayloadEntry]]:
    """Give the entries with the number of the folder that each is in, sorted by that and by name.

    Numbers are the places in this very order, from 1. Apple's reader stops early at any other.
    """
    below: dict[str, list[PayloadEntry]] = {}
    root = None
    for entry in entries:
        if entry.path == ROOT:
            root = entry
        else:
            below.setdefault(entry.parent, []).append(entry)
    if root is None:
        return
    yield 0, root
    todo, number = [(1, ROOT)], 1
    for parent, path in todo:
        for entry in sorted(below.get(path, ()), key=lambda entry: entry.name.encode()):
            number += 1
            if entry.is_folder:
                todo.append((number, entry.path))
            yield parent, entry


def _facts(entry: PayloadEntry) -> bytes:
    """Give what the Bom says of one path."""
    if entry.is_folder:
        kind, size, check, tail = _FOLDER, 0, 0, b""
        length = 0
    elif entry.is_link:
        target = b"".join(entry.chunks())
        kind, size, check, length = _LINK, len(target), cksum([target]), len(target) + 1
        tail = target + b"\0" + bytes(8)
    else:
        kind, size, check, length, tail = _FILE, entry.size, cksum(entry.chunks()), 0, bytes(4)
    owner = 0
    return (
        struct.pack(">BBHHIIII", kind, 1, _NO_CODE, entry.mode, owner, owner, SOURCE_TIME, size)
        + struct.pack(">BII", 1, check, length)
        + tail
    )
