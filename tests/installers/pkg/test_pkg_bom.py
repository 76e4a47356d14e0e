"""The Bom, read back by a reader that was written from the format's tables."""

import os
import stat
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.errors import TooLargeError
from cuvee.installers.pkg import bom as bom_module
from cuvee.installers.pkg.bom import PER_LEAF, bom
from cuvee.installers.pkg.cksum import cksum
from cuvee.installers.pkg.payload_entries import (
    ROOT,
    PayloadEntry,
    file_entry,
    folder_entry,
    link_entry,
    ordered_entries,
)
from installers.pkg.readers import read_bom, read_tree

NAMES = st.text(
    st.characters(exclude_categories=["C"], exclude_characters="/"), min_size=1, max_size=8
).filter(lambda name: name not in {".", ".."})
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=4), max_size=30)


def tree(paths: list[list[str]]) -> tuple[PayloadEntry, ...]:
    """Folders for all but the deepest paths, which are files."""
    folders = {"/".join(parts[:depth]) for parts in paths for depth in range(1, len(parts))}
    files = {"/".join(parts) for parts in paths} - folders
    return ordered_entries(
        [
            folder_entry(ROOT),
            *(folder_entry(path) for path in folders),
            *(file_entry(path, path.encode()) for path in files),
        ]
    )


@given(PATHS)
def test_every_path_comes_back_breadth_first(paths: list[list[str]]) -> None:
    entries = tree(paths)
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
    entries = ordered_entries(
        [
            folder_entry(ROOT),
            folder_entry("d"),
            file_entry("d/f", b"abc", executable=True),
            link_entry("d/l", "f"),
        ]
    )
    paths = read_bom(bom(entries)).full()
    assert [(path.kind, path.record) for path in paths.values()] == [
        (2, 31),
        (2, 31),
        (1, 35),
        (3, 31 + 2 + 8),
    ]
    assert {path.flags for path in paths.values()} == {0x000F}
    assert oct(paths["./d/l"].mode) == "0o120755"
    assert paths["./d/l"].link == "f"
    assert paths["./d/l"].checksum == cksum([b"f"])
    assert paths["./d/f"].mode == stat.S_IFREG | 0o755


def test_named_blocks() -> None:
    entries = ordered_entries([folder_entry(ROOT), file_entry("a", b"12345"), file_entry("b", b"123")])
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


@pytest.mark.parametrize(
    ("count", "leaves"),
    [(1, 1), (PER_LEAF, 1), (PER_LEAF + 1, 2), (2 * PER_LEAF, 2), (1205, 3)],
)
def test_many_paths_take_several_leaves(count: int, leaves: int) -> None:
    files = [file_entry(f"d{number % 7}/f{number}", b"") for number in range(count - 8)]
    folders = [folder_entry(f"d{number}") for number in range(min(7, count - 1))]
    entries = ordered_entries([folder_entry(ROOT), *folders, *files])
    assert len(entries) == count
    data = bom(entries)
    read = read_bom(data)
    assert len(read.leaves) == leaves
    assert len(read.full()) == count
    assert bom(entries) == data


def test_four_gibibytes_are_refused(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(1 << 32)
    entries = ordered_entries([folder_entry(ROOT), file_entry("large", large)])
    with pytest.raises(TooLargeError, match="4 GiB"):
        bom(entries)
    half = tmp_path / "half"
    half.touch()
    os.truncate(half, 1 << 31)
    with pytest.raises(TooLargeError, match="4 GiB"):
        bom(ordered_entries([folder_entry(ROOT), file_entry("one", half), file_entry("two", half)]))


def test_paths_beyond_two_levels_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bom_module, "PER_LEAF", 3)
    entries = [folder_entry(ROOT), *(file_entry(f"{number:02}", b"") for number in range(9))]
    bom(ordered_entries(entries[:-1]))
    with pytest.raises(TooLargeError, match="10 paths"):
        bom(ordered_entries(entries))
