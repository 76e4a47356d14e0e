"""The streams inside a package, held to Python's own readers and to plain restatements of the formats."""

import gzip
import itertools
import os
import stat
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.errors import IntegrityError, TooLargeError
from cuvee.installers.pkg.cksum import cksum
from cuvee.installers.pkg.cpio import cpio
from cuvee.installers.pkg.payload_entries import (
    ROOT,
    PayloadEntry,
    file_entry,
    folder_entry,
    link_entry,
    ordered_entries,
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
    entries = ordered_entries(
        [
            file_entry("a/tool", b"#!/bin/sh\n", executable=True),
            folder_entry("a"),
            link_entry("a/link", "tool"),
            folder_entry(ROOT),
            file_entry("ä b", b"x" * 1000),
            folder_entry("a/empty"),
        ]
    )
    members = {member.name: member for member in read_cpio(b"".join(cpio(entries)))}
    assert list(members) == [".", "./a", "./a/empty", "./a/link", "./a/tool", "./ä b"]
    assert [member.links for member in members.values()] == [4, 5, 2, 1, 1, 1]
    assert [member.inode for member in members.values()] == list(range(6))
    assert {member.owner for member in members.values()} == {(0, 0)}
    assert {member.time for member in members.values()} == {1_577_836_800}
    assert members["./a/tool"].mode == stat.S_IFREG | 0o755
    assert members["./a/tool"].data == b"#!/bin/sh\n"
    assert members["./a/link"].data == b"tool"
    assert members["./ä b"].data == b"x" * 1000
    assert members["./a/empty"].mode == stat.S_IFDIR | 0o755


def test_cpio_numbers_wrap_where_the_format_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cuvee.installers.pkg.cpio._MOST", 0o7)
    entries = ordered_entries([folder_entry(ROOT), *(file_entry(f"f{number}", b"") for number in range(8))])
    members = read_cpio(b"".join(cpio(entries)))
    assert [member.inode for member in members] == [0, 1, 2, 3, 4, 5, 6, 7, 0]
    assert members[0].links == 0o7


@pytest.mark.parametrize(
    "path",
    [
        "../up",
        "a/../b",
        "/etc/passwd",
        "",
        "a//b",
        "a/./b",
        "./a",
        "a/",
        "line\nbreak",
        "nul\0",
        "\ud800",
        "x" * 1024,
    ],
)
def test_hostile_names(path: str) -> None:
    with pytest.raises(IntegrityError, match=r"can not hold|not the folder"):
        ordered_entries([folder_entry(ROOT), folder_entry("a"), file_entry(path, b"")])


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([], "no root"),
        ([file_entry("a", b"")], "no root"),
        ([folder_entry(ROOT), file_entry("a", b""), file_entry("a", b"")], "twice"),
        ([folder_entry(ROOT), file_entry("a/b", b"")], "not the folder"),
        ([folder_entry(ROOT), file_entry("a", b""), file_entry("a/b", b"")], "not the folder"),
        ([folder_entry(ROOT), link_entry("a", "/etc"), file_entry("a/b", b"")], "not the folder"),
    ],
)
def test_trees_that_can_not_be(entries: list[PayloadEntry], message: str) -> None:
    with pytest.raises(IntegrityError, match=message):
        ordered_entries(entries)


def test_files_of_eight_gibibytes_are_refused(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.touch()
    entries = ordered_entries([folder_entry(ROOT), file_entry("large", large)])
    os.truncate(large, (1 << 33) - 1)
    _, header, *_ = itertools.islice(cpio(entries), 2)
    assert header[65:76] == b"77777777777"
    os.truncate(large, 1 << 33)
    with pytest.raises(TooLargeError, match="8 GiB"):
        list(itertools.islice(cpio(entries), 2))
