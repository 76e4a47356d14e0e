"""The streams inside a package, read by Python's own readers and by plain restatements of the formats."""

import gzip
import stat
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.installers.pkg.bom import cksum
from cuvee.installers.pkg.cpio import cpio
from cuvee.installers.pkg.payload_entries import (
    ROOT,
    file_entry,
    folder_entry,
)
from cuvee.installers.pkg.stored_streams import gzip_stored, zlib_stored
from installers.pkg.readers import read_cpio

CHUNKS = st.lists(st.binary(max_size=300), max_size=5)


@given(CHUNKS)
def test_gzip(chunks: list[bytes]) -> None:
    packed = b"".join(gzip_stored(chunks))
    assert gzip.decompress(packed) == b"".join(chunks)
    assert packed[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"


@pytest.mark.parametrize("size", [0, 1, 65_534, 65_535, 65_536, 200_000])
def test_streams_of_many_blocks(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert gzip.decompress(b"".join(gzip_stored([data]))) == data
    assert zlib.decompress(zlib_stored(data)) == data


def slow_cksum(data: bytes) -> int:
    """POSIX's definition, bit by bit."""
    length = len(data)
    tail = b""
    while length:
        tail += bytes([length & 0xFF])
        length >>= 8
    check = 0
    for byte in data + tail:
        check ^= byte << 24
        for _ in range(8):
            check = (check << 1) ^ (0x04C11DB7 if check & 0x80000000 else 0)
            check &= 0xFFFFFFFF
    return check ^ 0xFFFFFFFF


@given(CHUNKS)
def test_cksum(chunks: list[bytes]) -> None:
    assert cksum(chunks) == slow_cksum(b"".join(chunks))


def test_cksum_of_the_usual_example() -> None:
    assert cksum([]) == 4294967295
    assert cksum([b"123456789"]) == 930766865


def test_cpio_members() -> None:
    entries = [
        folder_entry(ROOT),
        folder_entry("a"),
        folder_entry("a/empty"),
        file_entry("a/tool", b"#!/bin/sh\n", executable=True),
        file_entry("ä b", b"x" * 1000),
    ]
    members = {member.name: member for member in read_cpio(b"".join(cpio(entries)))}
    assert list(members) == [".", "./a", "./a/empty", "./a/tool", "./ä b"]
    assert [member.links for member in members.values()] == [4, 4, 2, 1, 1]
    assert [member.inode for member in members.values()] == list(range(5))
    assert {member.owner for member in members.values()} == {(0, 0)}
    assert {member.time for member in members.values()} == {1_577_836_800}
    assert members["./a/tool"].mode == stat.S_IFREG | 0o755
    assert members["./a/tool"].data == b"#!/bin/sh\n"
    assert members["./ä b"].data == b"x" * 1000
    assert members["./a/empty"].mode == stat.S_IFDIR | 0o755
