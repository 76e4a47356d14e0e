"""Reading programs and libraries: hand-made ones, broken ones, and what only looks like one."""

import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuvee.channel.inspection.binary_reader import format_of, read_binary
from cuvee.channel.inspection.model import Binary, Format
from cuvee.conda.printable_text import printable

_MAGIC, _ARM64, _DYLIB = 0xFEEDFACF, 0x0100000C, 6
_LOAD, _ID, _WEAK, _RPATH, _BUILD = 0xC, 0xD, 0x80000018, 0x8000001C, 0x32


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x7fELF\x02\x01\x01\0", "elf"),
        (b"MZ\x90\0\3\0\0\0", "pe"),
        (bytes.fromhex("cffaedfe0c000001"), "macho"),
        (bytes.fromhex("cafebabe00000002"), "macho"),
        (bytes.fromhex("cafebabe00000041"), None),  # a class of Java 21
        (bytes.fromhex("cafebabe00000000"), None),
        (b"#!/bin/s", None),
        (b"", None),
        (b"\x7fEL", None),
    ],
)
def test_what_the_first_bytes_tell(head: bytes, kind: Format | None) -> None:
    assert format_of(head) == kind


def dylib(kind: int = _DYLIB) -> bytes:
    """A library for Apple silicon with nothing but commands."""

    def text(number: int, head: bytes, name: bytes) -> bytes:
        body = name + b"\0"
        size = 8 + len(head) + len(body)
        padded = body + bytes(-size % 8)
        return struct.pack("<II", number, 8 + len(head) + len(padded)) + head + padded

    library = struct.pack("<IIII", 24, 2, 0x10000, 0x10000)
    commands = [
        text(_ID, library, b"@rpath/libown.1.dylib"),
        text(_LOAD, library, b"/usr/lib/libSystem.B.dylib"),
        text(_LOAD, library, b"@rpath/libz.1.dylib"),
        text(_WEAK, library, b"@rpath/libweak.dylib"),
        text(_RPATH, struct.pack("<I", 12), b"@loader_path/../lib"),
        struct.pack("<IIIIII", _BUILD, 24, 1, 12 << 16 | 3 << 8, 14 << 16, 0),
    ]
    body = b"".join(commands)
    return struct.pack("<IIIIIIII", _MAGIC, _ARM64, 0, kind, len(commands), len(body), 0, 0) + body


def test_a_library_for_macos() -> None:
    assert read_binary("lib/libown.1.dylib", "macho", dylib()) == (
        Binary(
            path="lib/libown.1.dylib",
            format="macho",
            machine="aarch64",
            needed=("/usr/lib/libSystem.B.dylib", "@rpath/libz.1.dylib"),
            name="@rpath/libown.1.dylib",
            search_paths=("@loader_path/../lib",),
            is_inherited=True,
            oldest_system="12.3",
        ),
    )


def test_a_library_for_two_machines_is_read_once_for_each(tmp_path: Path) -> None:
    one = dylib()
    head = struct.pack(">II", 0xCAFEBABE, 2)
    first, second = 4096, 8192
    machines = [struct.pack(">IIIII", _ARM64, 0, first, len(one), 12)]
    machines.append(struct.pack(">IIIII", 0x01000007, 3, second, len(one), 12))
    other = one[:4] + struct.pack("<II", 0x01000007, 3) + one[12:]
    fat = (head + b"".join(machines)).ljust(first, b"\0") + one.ljust(second - first, b"\0") + other
    assert [item.machine for item in read_binary("x", "macho", fat)] == ["aarch64", "x86_64"]
    (tmp_path / "x").write_bytes(fat)
    assert read_binary("x", "macho", tmp_path / "x") == read_binary("x", "macho", fat)


def test_object_files_are_nobodys_business() -> None:
    assert read_binary("x.o", "macho", dylib(kind=1)) == ()


@pytest.mark.parametrize("kind", ["elf", "macho"])
def test_a_broken_one_is_told(kind: Format) -> None:
    (found,) = read_binary("lib/x", kind, b"\x7fELF" if kind == "elf" else dylib()[:100])
    assert found.problem
    assert (found.path, found.format, found.needed) == ("lib/x", kind, ())


def test_a_text_that_begins_like_a_program_is_told_only_by_its_name() -> None:
    assert read_binary("share/notes.txt", "pe", b"MZ are my initials") == ()
    (found,) = read_binary("Library/bin/x.dll", "pe", b"MZ are my initials")
    assert found.problem == "it is not a complete program or library for Windows"


@given(data=st.data(), kind=st.sampled_from(["elf", "macho", "pe"]))
@settings(max_examples=200)
def test_whatever_the_bytes_nothing_is_raised(data: st.DataObject, kind: Format) -> None:
    content = bytearray(dylib() if kind == "macho" else data.draw(st.binary(max_size=300)))
    if content:
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    for item in read_binary("x.dll", kind, {"elf": b"\x7fELF", "pe": b"MZ", "macho": b""}[kind] + content):
        assert item.path == "x.dll"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Käse 酒", "Käse 酒"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\udcff", r"a\udcff"),
        ("a\nb", r"a\nb"),
    ],
)
def test_what_can_not_be_printed_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(text).encode().decode() == shown
