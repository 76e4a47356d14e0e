"""Signing Mach-O files again, ad hoc, after the prefix was put into them.

Apple silicon kills a program with a page that differs from its hash in the file's code signature. An ad hoc
signature, as every linker makes it, is such hashes and no more, so new ones can replace them: that needs no
key, no ``codesign`` and no macOS. A signature with a certificate cannot be made again here; an ad hoc one
replaces it, as ``codesign -f -s -`` does.

The format: Apple's ``cs_blobs.h`` (https://github.com/apple-oss-distributions/xnu, osfmk/kern) and
``mach-o/loader.h``, ``mach-o/fat.h``. A signature's numbers are big-endian, a slice's usually are not.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from .failure import InstallError
from .hashing import algorithm

# Magic of a thin file to how its header is read: the byte order, and the header's size.
_THIN = {
    b"\xce\xfa\xed\xfe": ("<", 28), b"\xcf\xfa\xed\xfe": ("<", 32),
    b"\xfe\xed\xfa\xce": (">", 28), b"\xfe\xed\xfa\xcf": (">", 32),
}  # fmt: skip
# Magic of a file of several slices to how an entry is read; java's class files begin with the first, too.
_FAT = {b"\xca\xfe\xba\xbe": ">8xII4x", b"\xca\xfe\xba\xbf": ">8xQQ8x"}
_MAX_SLICES, _MAX_COMMANDS = 32, 1 << 16
_LC_CODE_SIGNATURE = 0x1D

_SUPERBLOB, _DIRECTORY, _CMS = 0xFADE0CC0, 0xFADE0C02, 0xFADE0B01
_FIRST, _ALTERNATES, _CMS_SLOT = 0, range(0x1000, 0x1005), 0x10000
_ADHOC = 0x2
_HASHES = {1: ("sha1", 20), 2: ("sha256", 32), 3: ("sha256", 20)}
_SHA256 = 2
_HEAD = ">9I4B"  # magic, length, version, flags, five numbers, then hash size, hash type, platform, page bits
_EXEC_SEGMENT = 0x20400  # the first version that has it, and the version that is made here
_EXEC_AT, _EXEC_SIZE, _MADE_HEAD = 64, 24, 88
_SCATTER_AT, _HAS_SCATTER = 44, 0x20100
_LIMIT64_AT, _HAS_LIMIT64 = 56, 0x20300
_PAGE_BITS = range(12, 17)


class _Directory(NamedTuple):
    """A CodeDirectory: its offset in the signature, and its fields."""

    at: int
    size: int
    version: int
    hashes: int
    name: bytes
    slots: int
    limit: int
    kind: int
    page_bits: int


def sign_again(data: bytes, path: str) -> bytes:
    """Return a Mach-O file with hashes that fit its bytes; any other file, and an unsigned one, as it is.

    All but the signatures stay as they are, and so does each size. The same bytes give the same bytes. If a
    signature cannot be made again, the error names the file ``path``.
    """
    result = bytearray(data)
    for at, size in _slices(data):
        try:
            _sign_slice(memoryview(result)[at : at + size])
        except (struct.error, IndexError, ValueError) as error:
            raise InstallError(f"The signature of {path} cannot be made again: {error}.") from error
    return bytes(result)


def _slices(data: bytes) -> list[tuple[int, int]]:
    magic = data[:4]
    if magic in _THIN:
        return [(0, len(data))]
    if magic not in _FAT or len(data) < 8:  # noqa: PLR2004 - magic and count
        return []
    form, (count,) = _FAT[magic], struct.unpack_from(">I", data, 4)
    if count > _MAX_SLICES or len(data) < 8 + count * struct.calcsize(form):
        return []
    places = [struct.unpack_from(form, data, 8 + number * struct.calcsize(form)) for number in range(count)]
    return [(at, size) for at, size in places if data[at : at + 4] in _THIN]


def _sign_slice(view: memoryview) -> None:
    for at, size in _signatures(view):
        blob = view[at : at + size]
        if len(blob) != size:
            raise ValueError("it is outside of the file")
        magic, length, count = struct.unpack_from(">3I", blob)
        if magic != _SUPERBLOB or length > size:
            raise ValueError("it is of an unknown kind")
        index = [struct.unpack_from(">2I", blob, 12 + 8 * number) for number in range(count)]
        kinds = (_FIRST, *_ALTERNATES)
        found = [_directory(blob, start, at) for kind, start in index if kind in kinds]
        if not found:
            raise ValueError("it has no hashes")
        if any(_is_cms(blob, start) for kind, start in index if kind == _CMS_SLOT):
            _make_adhoc(view, blob, found)
            continue
        for directory in found:
            start = directory.at + directory.hashes
            new = b"".join(_page_hashes(view, directory))
            blob[start : start + len(new)] = new


def _signatures(view: memoryview) -> Iterator[tuple[int, int]]:
    order, at = _THIN[bytes(view[:4])]
    (count,) = struct.unpack_from(f"{order}I", view, 16)
    for _ in range(min(count, _MAX_COMMANDS)):
        command, size = struct.unpack_from(f"{order}2I", view, at)
        if command == _LC_CODE_SIGNATURE:
            span: tuple[int, int] = struct.unpack_from(f"{order}2I", view, at + 8)
            yield span
        at += max(size, 8)


def _directory(blob: memoryview, at: int, signature_at: int) -> _Directory:
    magic, length, version, _, hashes, name_at, special, slots, limit, size, kind, _, bits = (
        struct.unpack_from(_HEAD, blob, at)
    )
    if version >= _HAS_LIMIT64:
        (limit64,) = struct.unpack_from(">Q", blob, at + _LIMIT64_AT)
        limit = limit64 or limit
    if version >= _HAS_SCATTER and any(blob[at + _SCATTER_AT : at + _SCATTER_AT + 4]):
        raise ValueError("its pages are scattered")
    if magic != _DIRECTORY or kind not in _HASHES or size != _HASHES[kind][1]:
        raise ValueError("its hashes are of an unknown kind")
    if bits and bits not in _PAGE_BITS:
        raise ValueError("its pages have a strange size")
    pages = -(-limit >> bits) if bits else int(limit > 0)
    if limit > signature_at or pages != slots or hashes + slots * size > length or at + length > len(blob):
        raise ValueError("it does not fit the file")
    if special * size > hashes:
        raise ValueError("its hashes are outside of it")
    name = bytes(blob[at + name_at : at + length]).partition(b"\0")[0]
    return _Directory(at, length, version, hashes, name, slots, limit, kind, bits)


def _page_hashes(view: memoryview, directory: _Directory) -> Iterator[bytes]:
    name, size = _HASHES[directory.kind]
    new_hash = algorithm(name)
    step = 1 << directory.page_bits if directory.page_bits else max(directory.limit, 1)
    for start in range(0, directory.limit, step):
        yield new_hash(view[start : min(start + step, directory.limit)]).digest()[:size]


def _is_cms(blob: memoryview, at: int) -> bool:
    magic, length = struct.unpack_from(">2I", blob, at)
    return bool(magic == _CMS and length > 8)  # noqa: PLR2004 - ad hoc ones have one that is empty


def _make_adhoc(view: memoryview, blob: memoryview, found: list[_Directory]) -> None:
    """Replace a signature that names a certificate by one directory with SHA-256.

    What that certificate vouched for (team, entitlements, hardened runtime) is lost.
    """
    old = next((one for one in found if one.kind == _SHA256), found[0])
    segment = bytes(_EXEC_SIZE)
    if old.version >= _EXEC_SEGMENT:
        segment = bytes(blob[old.at + _EXEC_AT : old.at + _EXEC_AT + _EXEC_SIZE])
    hashes = _MADE_HEAD + len(old.name) + 1
    size = hashes + old.slots * _HASHES[_SHA256][1]
    if 20 + size > len(blob):
        raise ValueError("there is no room for it")
    new = struct.pack(">3I2I", _SUPERBLOB, 20 + size, 1, _FIRST, 20)
    limit = min(old.limit, 0xFFFFFFFF)
    head = (_DIRECTORY, size, _EXEC_SEGMENT, _ADHOC, hashes, _MADE_HEAD, 0, old.slots, limit)
    new += struct.pack(_HEAD, *head, _HASHES[_SHA256][1], _SHA256, 0, old.page_bits)
    new += struct.pack(">4IQ", 0, 0, 0, 0, old.limit if old.limit != limit else 0) + segment
    new += old.name + b"\0"
    new += b"".join(_page_hashes(view, old._replace(kind=_SHA256)))
    blob[:] = new + bytes(len(blob) - len(new))
