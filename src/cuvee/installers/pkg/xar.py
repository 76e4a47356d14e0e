"""The container of a package: a xar archive, https://github.com/mackyle/xar/wiki/xarformat

After a header of 28 bytes comes the table of contents, XML in a zlib stream; then the heap, which starts with
the SHA-1 of that stream. Members are stored without compression.
"""

import datetime as dt
import hashlib
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from cuvee.errors import IntegrityError
from cuvee.image.model import SOURCE_TIME
from cuvee.installers.jinja_templates import render
from cuvee.installers.pkg.stored_streams import zlib_stored

_MAGIC, _HEADER_SIZE, _VERSION, _SHA1 = b"xar!", 28, 1, 1
_SHA1_SIZE = 20

Chunks = Callable[[], Iterable[bytes]]
"""Returns the chunks of a member. It is called twice, and must return the same both times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class XarFile:
    """A file of the archive."""

    name: str
    chunks: Chunks
    mode: int = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class XarFolder:
    """A folder of the archive."""

    name: str
    members: tuple[XarFile, ...]
    mode: int = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """A member in the table of contents."""

    number: int
    name: str
    mode: str
    offset: int = 0
    size: int = 0
    sha1: str = ""
    members: "tuple[_Node, ...] | None" = None
    chunks: Chunks = tuple


def write_xar(members: Sequence[XarFile | XarFolder], stream: BinaryIO) -> None:
    """Write an archive of ``members``, in their order, to ``stream``, reproducibly.

    The table of contents comes before the members, so each member is read twice: to measure and to write it.

    Raises
    ------
    IntegrityError
        If a member's bytes differ the second time.
    """
    measured = _Measured()
    nodes = tuple(measured.node(member) for member in members)
    created = f"{dt.datetime.fromtimestamp(SOURCE_TIME, dt.UTC):%Y-%m-%dT%H:%M:%S}"
    table = render("pkg/toc.xml.j2", {"created": created, "nodes": nodes, "checksum_size": _SHA1_SIZE})
    toc = zlib_stored(table)
    stream.write(_MAGIC + struct.pack(">HHQQI", _HEADER_SIZE, _VERSION, len(toc), len(table), _SHA1))
    stream.write(toc)
    stream.write(_sha1(toc).digest())
    for node in measured.files:
        digest = _sha1()
        for chunk in node.chunks():
            digest.update(chunk)
            stream.write(chunk)
        if digest.hexdigest() != node.sha1:
            raise IntegrityError(
                f"{node.name} changed while it was packed",
                hint="Run the command again, without a second one beside it.",
            )


class _Measured:
    """Assigns members their numbers and offsets in the heap."""

    def __init__(self) -> None:
        self.files: list[_Node] = []
        self._offset = _SHA1_SIZE
        self._number = 0

    def node(self, member: XarFile | XarFolder) -> _Node:
        self._number += 1
        number, mode = self._number, f"{member.mode:04o}"
        if isinstance(member, XarFolder):
            members = tuple(self.node(inner) for inner in member.members)
            return _Node(number=number, name=member.name, mode=mode, members=members)
        digest, size = _sha1(), 0
        for chunk in member.chunks():
            digest.update(chunk)
            size += len(chunk)
        node = _Node(
            number=number,
            name=member.name,
            mode=mode,
            offset=self._offset,
            size=size,
            sha1=digest.hexdigest(),
            chunks=member.chunks,
        )
        self._offset += size
        self.files.append(node)
        return node


def _sha1(data: bytes = b"") -> "hashlib._Hash":
    # The format's usual digest. It detects damage; only a signature protects from an attacker.
    return hashlib.sha1(data, usedforsecurity=False)
