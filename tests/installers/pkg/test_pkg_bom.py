"""The Bom, read back by a reader that was written from the format's tables."""

import os
import stat
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.errors import TooLargeError
from cuvee.installers.pkg.bom import bom, cksum
from cuvee.installers.pkg.payload_entries import (
    ROOT,
    PayloadEntry,
    file_entry,
    folder_entry,
)
from installers.pkg.readers import read_bom, read_tree

NAMES = st.text(
    st.characters(exclude_categories=["C"], exclude_characters="/"), min_size=1, max_size=8
).filter(lambda name: name not in {".", ".."})


def breadth_first(folders: dict[str, list[str]]) -> list[PayloadEntry]:
    """Return a tree of folders below the root, and files in them."""
    names = sorted(folders, key=str.encode)
    files = [f"{folder}/{name}" for folder in names for name in sorted(folders[folder], key=str.encode)]
    return [
        folder_entry(ROOT),
        *map(folder_entry, names),
        *(file_entry(path, path.encode()) for path in files),
    ]


@given(st.dictionaries(NAMES, st.lists(NAMES, unique=True, max_size=4), max_size=8))
def test_every_path_comes_back_breadth_first(folders: dict[str, list[str]]) -> None:
    entries = breadth_first(folders)
    read = read_bom(bom(entries))
    assert [path.number for path in read.paths] == list(range(1, len(entries) + 1))
    order = [(path.parent, path.name.encode()) for path in read.paths]
    assert order == sorted(order)
    assert order[0] == (0, b".")
    full = read.full()
    expected = {"." if entry.path == ROOT else f"./{entry.path}": entry for entry in entries}
    assert set(full) == set(expected)
    for name, entry in expected.items():
        found = full[name]
        assert (found.mode, found.owner, found.time) == (entry.mode, (0, 0), 1_577_836_800)
        assert (found.size, found.link) == (entry.size, "")
        assert found.checksum == (0 if entry.is_folder else cksum(entry.chunks()))


def test_records_of_each_type() -> None:
    entries = [folder_entry(ROOT), folder_entry("d"), file_entry("d/f", b"abc", executable=True)]
    paths = read_bom(bom(entries)).full()
    assert [(path.kind, path.record) for path in paths.values()] == [(2, 31), (2, 31), (1, 35)]
    assert {path.flags for path in paths.values()} == {0x000F}
    assert paths["./d/f"].mode == stat.S_IFREG | 0o755


def test_named_blocks() -> None:
    entries = [folder_entry(ROOT), file_entry("a", b"12345"), file_entry("b", b"123")]
    read = read_bom(bom(entries))
    assert list(read.variables) == ["BomInfo", "Paths", "HLIndex", "VIndex", "Size64"]
    assert read.info == (1, 4, 1, 0, 0, 8, 0)
    assert read_tree(read, read.variables["Paths"])[1:] == (4096, 3)
    for name in ("HLIndex", "Size64"):
        child, size, count = read_tree(read, read.variables[name])
        assert (size, count) == (4096, 0)
        assert struct.unpack_from(">HHII", read.blocks[child]) == (1, 0, 0, 0)
    one, inner, zero, end = struct.unpack(">IIIB", read.blocks[read.variables["VIndex"]])
    assert (one, zero, end) == (1, 0, 0)
    assert read_tree(read, inner)[1:] == (128, 0)


def test_four_gibibytes_are_refused(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(1 << 32)
    entries = [folder_entry(ROOT), file_entry("large", large)]
    with pytest.raises(TooLargeError, match="4 GiB"):
        bom(entries)
    half = tmp_path / "half"
    half.touch()
    os.truncate(half, 1 << 31)
    with pytest.raises(TooLargeError, match="4 GiB"):
        bom([folder_entry(ROOT), file_entry("one", half), file_entry("two", half)])
