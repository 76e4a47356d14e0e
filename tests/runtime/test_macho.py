"""Signing Mach-O files again: by hand-made files, by real ones, and by what LLVM makes of the same bytes."""

import contextlib
import hashlib
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.channel.package_writer import PLACEHOLDER
from cuvee.runtime.failure import InstallError
from cuvee.runtime.macho import sign_again
from cuvee.runtime.payload_manifest import Frame, PayloadFile, PayloadManifest
from cuvee.runtime.prefix_writer import PrefixWriter
from needed_programs import needed

KINDS = {"sha1": (1, 20), "sha256": (2, 32)}
PAGE = 4096
CODE = PLACEHOLDER.encode() + b"/lib\0" + bytes(range(256)) * 41  # pages, and a part of one
CERTIFICATE = b"a certificate" * 99


def directory(covered: bytes, kind: str = "sha256", *, flags: int = 0x20002, page_bits: int = 12) -> bytes:
    """A CodeDirectory with the right hashes, one special slot, and a main binary's segment flag."""
    number, size = KINDS[kind]
    step = 1 << page_bits if page_bits else len(covered)
    pages = [covered[at : at + step] for at in range(0, len(covered), step)]
    name = b"org.example\0"
    hashes_at = 88 + len(name) + size
    length = hashes_at + size * len(pages)
    head = (0xFADE0C02, length, 0x20400, flags, hashes_at, 88, 1, len(pages), len(covered))
    body = struct.pack(">9I4B", *head, size, number, 0, page_bits) + bytes(24)
    body += struct.pack(">3Q", 0, PAGE, 1) + name + b"S" * size
    return body + b"".join(hashlib.new(kind, page).digest() for page in pages)


def superblob(blobs: Iterable[tuple[int, bytes]]) -> bytes:
    blobs = list(blobs)
    at, index = 12 + 8 * len(blobs), b""
    for kind, blob in blobs:
        index += struct.pack(">2I", kind, at)
        at += len(blob)
    return struct.pack(">3I", 0xFADE0CC0, at, len(blobs)) + index + b"".join(blob for _, blob in blobs)


def mach_o(
    code: bytes = CODE, kinds: tuple[str, ...] = ("sha256",), *, cms: bytes | None = None, page_bits: int = 12
) -> bytes:
    """A signed Mach-O file: header, one load command, code, signature. ``cms`` is what vouches for it."""
    covered_size = 48 + len(code)
    slots = (0, 0x1000)

    def signature(covered: bytes) -> bytes:
        blobs = [
            (slot, directory(covered, kind, page_bits=page_bits))
            for slot, kind in zip(slots, kinds, strict=False)
        ]
        if cms is not None:
            blobs.append((0x10000, struct.pack(">2I", 0xFADE0B01, 8 + len(cms)) + cms))
        return superblob(blobs)

    size = len(signature(bytes(covered_size)))
    header = struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, 6, 1, 16, 0, 0)
    covered = header + struct.pack("<4I", 0x1D, 16, covered_size, size) + code
    return covered + signature(covered)


def fat(slices: list[bytes], *, wide: bool = False) -> bytes:
    at, head, body = PAGE, b"", b""
    for part in slices:
        form = ">2I2Q2I" if wide else ">5I"
        values = (0x0100000C, 0, at, len(part), 12, 0)
        head += struct.pack(form, *values[: 6 if wide else 5])
        body += part + bytes(-len(part) % PAGE)
        at += len(part) + -len(part) % PAGE
    magic = struct.pack(">2I", 0xCAFEBABF if wide else 0xCAFEBABE, len(slices))
    return (magic + head).ljust(PAGE, b"\0") + body


def changed(data: bytes) -> bytes:
    return data.replace(PLACEHOLDER.encode() + b"/lib\0", b"/opt/x/lib".ljust(len(PLACEHOLDER) + 5, b"\0"))


def again(data: bytes) -> bytes:
    return sign_again(data, "bin/python")


@pytest.mark.parametrize("kinds", [("sha256",), ("sha1",), ("sha1", "sha256")])
@pytest.mark.parametrize("page_bits", [12, 14, 0])
def test_hashes_fit_the_new_bytes_and_nothing_else_changes(kinds: tuple[str, ...], page_bits: int) -> None:
    before = mach_o(kinds=kinds, page_bits=page_bits)
    assert again(before) == before
    after = again(changed(before))
    assert after == mach_o(changed(CODE), kinds, page_bits=page_bits)
    assert after != changed(before)


@pytest.mark.parametrize("wide", [False, True])
def test_each_slice_of_a_fat_file(wide: bool) -> None:
    slices = [mach_o(), mach_o(CODE * 2, ("sha1", "sha256"))]
    expected = fat(
        [mach_o(changed(CODE)), mach_o(changed(CODE * 2), ("sha1", "sha256"))],
        wide=wide,
    )
    assert again(changed(fat(slices, wide=wide))) == expected


def test_certificate_gives_way_to_an_ad_hoc_signature() -> None:
    before = mach_o(kinds=("sha1", "sha256"), cms=CERTIFICATE)
    after = again(changed(before))
    assert len(after) == len(before)
    assert after[: 48 + len(CODE)] == changed(before)[: 48 + len(CODE)]
    blob = after[48 + len(CODE) :]
    magic, length, count, slot, at = struct.unpack_from(">5I", blob)
    assert (magic, count, slot, at) == (0xFADE0CC0, 1, 0, 20)
    assert not any(blob[length:])
    head = struct.unpack_from(">9I4B", blob, at)
    assert head[:4] == (0xFADE0C02, length - 20, 0x20400, 0x2)
    assert blob[at + 64 : at + 88] == struct.pack(">3Q", 0, PAGE, 1)
    assert blob[at + head[5] :].startswith(b"org.example\0")
    covered = changed(before)[: 48 + len(CODE)]
    pages = [covered[start : start + PAGE] for start in range(0, len(covered), PAGE)]
    hashes = b"".join(hashlib.sha256(page).digest() for page in pages)
    assert blob[at + head[4] : length] == hashes
    assert again(after) == after


def test_an_empty_certificate_is_none() -> None:
    before = mach_o(cms=b"")
    assert again(changed(before)) == mach_o(changed(CODE), cms=b"")


@pytest.mark.parametrize(
    "data", [b"", b"#!/bin/sh\n", b"\x7fELF" + bytes(99), b"\xca\xfe\xba\xbe\x00\x00\x00\x37" + bytes(99)]
)
def test_other_files_stay(data: bytes) -> None:
    assert again(data) == data


def test_unsigned_program_stays() -> None:
    data = struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, 6, 1, 16, 0, 0) + struct.pack("<4I", 0x19, 16, 0, 0)
    assert again(data) == data


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, 0xFADE0CC1),  # another kind of signature
        (4, 1 << 30),  # longer than its place
        (16, 1 << 30),  # a directory outside of it
        (20, 0xFADE0C03),  # no directory
        (20 + 16, 1 << 30),  # hashes outside of it
        (20 + 28, 99),  # a number of pages that the size denies
        (20 + 32, 1 << 30),  # covers more than the file has
        (20 + 44, 1),  # scattered pages
    ],
)
def test_strange_signature_is_no_reason_to_install_a_program_that_is_killed(at: int, value: int) -> None:
    data = bytearray(mach_o())
    struct.pack_into(">I", data, 48 + len(CODE) + at, value)
    with pytest.raises(InstallError, match="signature of bin/python cannot be made again"):
        again(bytes(data))


@given(st.data())
def test_hostile_files_end_in_a_message_or_a_file_of_the_same_size(data: st.DataObject) -> None:
    whole = bytearray(fat([mach_o(CODE[:5000], ("sha1", "sha256"))]))
    for _ in range(data.draw(st.integers(1, 4))):
        interesting = [*range(64), *range(PAGE, PAGE + 64), *range(len(whole) - 700, len(whole))]
        whole[data.draw(st.sampled_from(interesting))] = data.draw(st.integers(0, 255))
    whole = whole[: data.draw(st.integers(0, len(whole)))]
    with contextlib.suppress(InstallError):
        assert len(again(bytes(whole))) == len(whole)


@pytest.mark.parametrize(("platform", "signed"), [("osx-arm64", True), ("osx-64", True), ("linux-64", False)])
def test_runtime_signs_before_it_hashes(platform: str, signed: bool, tmp_path: Path) -> None:
    raw = mach_o()
    digest = hashlib.sha256(raw).hexdigest()
    file = PayloadFile("python", 0o755, 0, len(raw), "binary", digest, PLACEHOLDER)
    fields: dict[str, Any] = dict.fromkeys(PayloadManifest._fields)
    manifest = PayloadManifest(**fields | {"platform": platform})
    prefix = PrefixWriter(str(tmp_path), "/opt/x", manifest)
    prefix.write_frame(Frame(0, 0, len(raw), "", [file]), raw)
    written = (tmp_path / "python").read_bytes()
    assert prefix.late["python"] == (hashlib.sha256(written).hexdigest(), len(raw))
    assert written == (again(changed(raw)) if signed else changed(raw))


@pytest.fixture(scope="session")
def real_programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Extension modules that Apple's linker signed, from wheels of the index."""
    folder = tmp_path_factory.mktemp("wheels")
    argv = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:"]
    argv += ["--platform", "macosx_11_0_arm64", "--python-version", "3.11", "-d", str(folder)]
    done = subprocess.run([*argv, "markupsafe==3.0.2", "pyyaml==6.0.3"], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("needs a Python index that has wheels for macOS")
    found: dict[str, bytes] = {}
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if name.endswith(".so")]
            found |= {name: archive.read(name) for name in names}
    return found


@pytest.mark.real
def test_real_programs_keep_their_hashes(real_programs: dict[str, bytes]) -> None:
    assert real_programs
    for data in real_programs.values():
        assert again(data) == data
        spoilt = bytearray(data)
        spoilt[len(data) // 2] ^= 1
        spoilt[-20] ^= 1
        assert again(bytes(spoilt)) != bytes(spoilt)
        spoilt = bytearray(again(bytes(spoilt)))
        spoilt[len(data) // 2] ^= 1
        assert again(bytes(spoilt))[:-20] == data[:-20]


@pytest.mark.real
def test_same_hashes_as_llvm(real_programs: dict[str, bytes], tmp_path: Path) -> None:
    objcopy = needed("llvm-objcopy")
    for name, data in real_programs.items():
        program = tmp_path / Path(name).name
        program.write_bytes(data)
        subprocess.run([objcopy, str(program)], check=True)  # which signs what it writes
        signed = program.read_bytes()
        assert signed != data
        spoilt = bytearray(signed)
        hashes = signed.index(program.name.encode() + b"\0", signed.index(struct.pack(">I", 0xFADE0C02)))
        start = hashes + -(-(len(program.name) + 1) // 8) * 8
        spoilt[start:-16] = bytes(len(signed) - 16 - start)
        assert bytes(spoilt) != signed
        assert again(bytes(spoilt)) == signed
