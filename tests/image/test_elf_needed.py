"""Libraries that ELF files need, as `lief` reads them."""

import struct
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import lief
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.image.elf_needed import needed_by_elf

SEGMENTS = ((1, 0, 0x1000, 0x400), (2, 0x100, 0x1100, 0x40))
"""One that is loaded at another address than its place in the file, with the dynamic section in it."""


def small() -> bytes:
    head = b"\x7fELF\x02\x01" + bytes(26) + struct.pack("<Q14xHH", 64, 56, len(SEGMENTS))
    table = b"".join(
        struct.pack("<I4xQQQQ16x", kind, start, address, 0, size) for kind, start, address, size in SEGMENTS
    )
    dynamic = struct.pack("<8Q", 1, 1, 1, 7, 5, 0x1200, 0, 0)
    strings = b"\0liba\0\0libb.so\0"
    return (head.ljust(64, b"\0") + table).ljust(0x100, b"\0") + dynamic.ljust(0x100, b"\0") + strings


def test_the_names_are_found_in_the_file() -> None:
    assert needed_by_elf(small()) == ["liba", "libb.so"]


def test_others_are_left_to_lief() -> None:
    assert needed_by_elf(b"\x7fELF\x01\x01" + bytes(100)) is None
    assert needed_by_elf(b"MZ") is None


@given(st.data())
def test_a_broken_file_gives_no_other_error(data: st.DataObject) -> None:
    content = bytearray(small())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(6, len(content) - 8))
        content[at : at + 8] = data.draw(st.binary(min_size=8, max_size=8))
    needed_by_elf(bytes(content[: data.draw(st.integers(0, len(content)))]))


def test_our_own_libraries() -> None:
    folder = Path(lief.__file__).parents[1]
    found = sorted(path for end in EXTENSION_SUFFIXES for path in folder.glob(f"*/*{end}"))
    names = [path for path in found if path.read_bytes()[:4] == b"\x7fELF"]
    if not names:
        pytest.skip("no package of this Python has an ELF file")
    for path in names[:20]:
        elf = lief.ELF.parse(path)
        assert elf is not None
        assert needed_by_elf(path.read_bytes()) == [str(name) for name in elf.libraries]
