"""Whether a file is an icon or a bitmap that an `.exe` can show, by what its headers say.

A program that embeds a broken picture fails without naming it, or shows nothing. Formats:
https://learn.microsoft.com/windows/win32/gdi/bitmap-storage and
https://learn.microsoft.com/previous-versions/ms997538(v=msdn.10)
"""

import struct
from pathlib import Path

from cuvee.files import storage_errors

_LARGEST = 16 << 20
_PNG = b"\x89PNG\r\n\x1a\n"
_ICON, _BITMAP = b"\0\0\1\0", b"BM"
_KINDS = {_PNG: "a PNG", b"\xff\xd8\xff": "a JPEG", b"GIF8": "a GIF", _BITMAP: "a bitmap", _ICON: "an icon"}
_FOLDER, _ENTRY, _INFO = 6, 16, 40
"""Bytes of an icon's header, of an entry in it, and of a bitmap's BITMAPINFOHEADER."""
_HEADER = 14 + _INFO
_PLAIN = 0


def picture_problem(path: Path) -> str:
    """Return why the ``.ico`` or ``.bmp`` at ``path`` cannot be shown; empty if it can."""
    with storage_errors(path), path.open("rb") as stream:
        data = stream.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        return f"it has more than {_LARGEST >> 20} MiB"
    return _icon_problem(data) if path.suffix.lower() == ".ico" else _bitmap_problem(data)


def _icon_problem(data: bytes) -> str:
    if not data.startswith(_ICON):
        return f"it is {_kind(data)}, and not an icon"
    count = int.from_bytes(data[4:_FOLDER], "little")
    if not count:
        return "it has no picture"
    for number in range(count):
        entry = data[_FOLDER + number * _ENTRY :][:_ENTRY]
        if len(entry) < _ENTRY:
            return "it is cut off"
        size, start = struct.unpack_from("<II", entry, 8)
        picture = data[start : start + size]
        if len(picture) < size or len(picture) < _INFO:
            return "it is cut off"
        if not picture.startswith(_PNG) and int.from_bytes(picture[:4], "little") != _INFO:
            return f"its picture {number + 1} is neither a bitmap nor a PNG"
    return ""


def _bitmap_problem(data: bytes) -> str:
    if not data.startswith(_BITMAP):
        return f"it is {_kind(data)}, and not a bitmap"
    if len(data) < _HEADER:
        return "it is cut off"
    start, info, width, height, _, bits, compression = struct.unpack_from("<IIiiHHI", data, 10)
    if info < _INFO or width <= 0 or height == 0:
        return "its header is not that of a Windows bitmap"
    row = (width * bits + 31) // 32 * 4
    if start >= len(data) or (compression == _PLAIN and start + row * abs(height) > len(data)):
        return "it is cut off"
    return ""


def _kind(data: bytes) -> str:
    return next((kind for start, kind in _KINDS.items() if data.startswith(start)), "another kind of file")
