"""Write shortcuts through the shell's own object: ``python write_shortcuts.py LIST``, with a JSON file.

It runs under the Python of the prefix, since stage 0 has no `ctypes`. Each entry of the list is a mapping
with the texts ``path``, ``target``, ``arguments``, ``description``, ``icon`` and ``folder``. The interfaces:
https://learn.microsoft.com/windows/win32/api/shobjidl_core/nn-shobjidl_core-ishelllinkw.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import uuid
from pathlib import Path
from typing import Any

_LINK, _IN_PROCESS = "{00021401-0000-0000-C000-000000000046}", 1
_LINK_W, _FILE = "{000214F9-0000-0000-C000-000000000046}", "{0000010B-0000-0000-C000-000000000046}"
# Indexes in the tables of methods, of IUnknown, IShellLinkW and IPersistFile.
_QUERY, _RELEASE = 0, 2
_DESCRIPTION, _FOLDER, _ARGUMENTS, _ICON, _PATH = 7, 9, 11, 17, 20
_SAVE = 6
_TEXT: Any = ctypes.c_wchar_p


def _identifier(text: str) -> Any:
    return (ctypes.c_byte * 16).from_buffer_copy(uuid.UUID(text).bytes_le)


def _call(place: ctypes.c_void_p, number: int, *arguments: Any) -> None:
    """Call a method of an object; a failure raises `OSError`."""
    table = ctypes.cast(place, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p))).contents
    prototype: Any = ctypes.WINFUNCTYPE(  # type: ignore[attr-defined,unused-ignore]
        ctypes.HRESULT,  # type: ignore[attr-defined,unused-ignore]
        ctypes.c_void_p,
        *(type(argument) for argument in arguments),
    )
    prototype(table[number])(place, *arguments)


def write(entry: dict[str, str]) -> None:
    """Write one shortcut."""
    ole: Any = ctypes.windll.ole32  # type: ignore[attr-defined,unused-ignore]
    link, file = ctypes.c_void_p(), ctypes.c_void_p()
    create = ole.CoCreateInstance
    create.restype = ctypes.HRESULT  # type: ignore[attr-defined,unused-ignore]
    create(_identifier(_LINK), None, _IN_PROCESS, _identifier(_LINK_W), ctypes.byref(link))
    _call(link, _PATH, _TEXT(entry["target"]))
    _call(link, _ARGUMENTS, _TEXT(entry["arguments"]))
    _call(link, _DESCRIPTION, _TEXT(entry["description"]))
    _call(link, _FOLDER, _TEXT(entry["folder"]))
    if entry["icon"]:
        _call(link, _ICON, _TEXT(entry["icon"]), ctypes.c_int(0))
    _call(link, _QUERY, _identifier(_FILE), ctypes.pointer(file))
    Path(entry["path"]).parent.mkdir(parents=True, exist_ok=True)
    _call(file, _SAVE, _TEXT(entry["path"]), ctypes.c_int(1))
    _call(file, _RELEASE)
    _call(link, _RELEASE)


def main(listed: str) -> int:
    """Write all of them; say which could not be written."""
    ctypes.windll.ole32.CoInitialize(None)  # type: ignore[attr-defined,unused-ignore]
    failed = False
    for entry in json.loads(Path(listed).read_text(encoding="utf-8")):
        try:
            write(entry)
        except OSError as error:
            sys.stderr.write(f"{entry['path']}: {error}\n")
            failed = True
    return int(failed)


if __name__ == "__main__":
    # The objects' own threads may outlive them; nothing is left to be flushed but what was said.
    code = main(sys.argv[1])
    sys.stderr.flush()
    os._exit(code)
