"""Finding the image in an installer of any kind, from docs/reference/payload-format.md alone."""

import gzip
import hashlib
import io
import json
import lzma
import re
import struct
import tarfile
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard


class RefusedError(Exception):
    """The image is damaged or hostile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What an installer holds; ``stage0`` by SHA-256, as archives of all kinds can give it."""

    stage0: dict[str, bytes]
    manifest: dict[str, Any]
    manifest_sha256: str
    payload: memoryview


def sha256(data: bytes | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()


def hold(condition: object, what: str) -> None:
    if not condition:
        raise RefusedError(what)


def read(path: Path) -> Container:
    """Find the image in an installer of any kind, told by its first bytes."""
    data = inner(path.read_bytes())
    return _exe(data) if data[:2] == b"MZ" else _sh(data)


def inner(data: bytes) -> bytes:
    """Return the `.sh` in a `.pkg`, the `.exe` in an `.msi`, and others as they are."""
    if data[:4] == b"xar!":
        return _cpio_member(_xar_payload(data), b"/installer.sh")
    if data[:8] == bytes.fromhex("d0cf11e0a1b11ae1"):
        return _compound_stream(data, "Binary.Setup")
    return data


def _sh(data: bytes) -> Container:
    size = int(re.search(rb"^HEADER_BYTES=(\d+)$", data[:65536], re.MULTILINE)[1])  # type: ignore[index]
    facts = dict(re.findall(r"^([A-Z0-9_]+)=(\w+)$", data[:size].decode(), re.MULTILINE))
    line = f"DIGEST={facts['DIGEST']}\n".encode()
    before, _, behind = data.partition(line)
    hold(sha256(before + behind) == facts["DIGEST"], "the file")
    view = memoryview(data)
    ends = [size, size + int(facts["STAGE0_BYTES"])]
    ends.append(ends[1] + int(facts["MANIFEST_BYTES"]))
    packed = bytes(view[ends[1] : ends[2]])
    manifest = _manifest(packed, facts["MANIFEST_SHA256"], int(facts["MANIFEST_RAW"]))
    archive = view[ends[0] : ends[1]]
    hold(sha256(archive) == manifest["stage0_sha256"], "stage 0")
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for member in tar:
            if member.isfile():
                content = tar.extractfile(member).read()  # type: ignore[union-attr]
                found[sha256(content)] = content
    return Container(stage0=found, manifest=manifest, manifest_sha256=sha256(packed), payload=view[ends[2] :])


def _exe(data: bytes) -> Container:
    optional = int.from_bytes(data[0x3C:0x40], "little") + 24
    certificates = int.from_bytes(data[optional + 144 : optional + 148], "little")
    end = (certificates or len(data)) - 128
    magic, at, size, raw, digest = struct.unpack_from("<16s3Q32s", data, end)
    hold(magic.rstrip(b"\0") == b"cuvee-exe-1", "the trailer")
    zeroed = bytearray(data[:end])
    zeroed[optional + 64 : optional + 68] = bytes(4)
    zeroed[optional + 144 : optional + 152] = bytes(8)
    hold(hashlib.sha256(zeroed).digest() == digest, "the file")
    packed = data[at : at + size]
    manifest = _manifest(packed, sha256(packed), raw)
    found = {sha256(file): file for file in _nsis(data[:at])}
    payload = memoryview(data)[at + size : end]
    return Container(stage0=found, manifest=manifest, manifest_sha256=sha256(packed), payload=payload)


def _nsis(program: bytes) -> Iterator[bytes]:
    """Yield the files in NSIS's data: behind its header of 28 bytes, solid LZMA or deflated one by one."""
    at = program.index(b"\xef\xbe\xad\xdeNullsoftInst") + 24
    data = program[at:]
    solid = data[:1] == b"\x5d"
    if solid:
        size = int.from_bytes(data[1:5], "little")
        options = [{"id": lzma.FILTER_LZMA1, "dict_size": size, "lc": 3, "lp": 0, "pb": 2}]
        data = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=options).decompress(data[5:])
    at = 0
    while at + 4 < len(data):
        (size,) = struct.unpack_from("<I", data, at)
        item = data[at + 4 : at + 4 + (size & 0x7FFFFFFF)]
        at += 4 + len(item)
        yield zlib.decompress(item, -15) if size >> 31 else item


def _xar_payload(data: bytes) -> bytes:
    """Return the component's Payload, a gzip'd cpio archive."""
    _, header, _, packed, _, _ = struct.unpack_from(">4sHHQQI", data)
    toc = ET.fromstring(zlib.decompress(data[header : header + packed]))  # noqa: S314 - of the tests' making
    for element in toc.iter("file"):
        if element.findtext("name") == "Payload":
            at, size = (int(element.findtext(f"data/{key}") or "") for key in ("offset", "length"))
            return gzip.decompress(data[header + packed + at :][:size])
    raise RefusedError("no Payload")


def _cpio_member(data: bytes, ending: bytes) -> bytes:
    at = 0
    while data[at : at + 6] == b"070707":
        name, size = int(data[at + 59 : at + 65], 8), int(data[at + 65 : at + 76], 8)
        start = at + 76 + name
        if data[at + 76 : start - 1].endswith(ending):
            return data[start : start + size]
        at = start + size
    raise RefusedError("no installer in the Payload")


def _compound_stream(data: bytes, wanted: str) -> bytes:
    """Return a stream of a compound file, as an .msi is one."""
    shift = data[30]
    size = 1 << shift

    def sector(number: int) -> bytes:
        return data[(number + 1) << shift : (number + 2) << shift]

    directory, difat = struct.unpack_from("<I", data, 48)[0], struct.unpack_from("<I", data, 68)[0]
    fats = list(struct.unpack_from("<109I", data, 76))
    while difat < 0xFFFFFFFA:
        *more, difat = struct.unpack(f"<{size // 4}I", sector(difat))
        fats += more
    fat = [n for at in fats if at < 0xFFFFFFFA for n in struct.unpack(f"<{size // 4}I", sector(at))]

    def chain(number: int) -> bytes:
        found = []
        while number < 0xFFFFFFFA:
            found.append(sector(number))
            number = fat[number]
        return b"".join(found)

    entries = chain(directory)
    for at in range(0, len(entries), 128):
        length = int.from_bytes(entries[at + 64 : at + 66], "little")
        if _msi_name(entries[at : at + max(length - 2, 0)].decode("utf-16-le", "replace")) == wanted:
            start, count = struct.unpack_from("<IQ", entries, at + 116)
            return chain(start)[:count]
    raise RefusedError(f"no stream {wanted}")


def _msi_name(name: str) -> str:
    """Undo Windows Installer's packing of two characters into one."""
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
    found = ""
    for code in map(ord, name):
        if 0x3800 <= code < 0x4800:
            found += letters[(code - 0x3800) & 63] + letters[(code - 0x3800) >> 6]
        elif 0x4800 <= code < 0x4840:
            found += letters[code - 0x4800]
        else:
            found += chr(code)
    return found


def _manifest(packed: bytes, digest: str, raw: int) -> dict[str, Any]:
    hold(sha256(packed) == digest, "the manifest")
    text = zstandard.ZstdDecompressor().decompress(packed, max_output_size=raw)
    hold(len(text) == raw, "the manifest's size")
    found: dict[str, Any] = json.loads(text)
    hold(found["format"] == 2, "the format")
    return found
