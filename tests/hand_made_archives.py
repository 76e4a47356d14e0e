"""Packages that no tool would make, in the old format, member by member."""

import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cuvee.files import sha256_bytes

INDEX = {"name": "odd", "version": "1.0", "build": "0", "build_number": 0, "subdir": "linux-64"}


def regular(name: str, content: bytes = b"x") -> tuple[tarfile.TarInfo, bytes]:
    """A file."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info, content


def other(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    """A link, a device, and so on."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def entry(name: str, content: bytes = b"x", **changes: Any) -> dict[str, Any]:
    """What ``info/paths.json`` says of a file."""
    made = {
        "_path": name,
        "path_type": "hardlink",
        "sha256": sha256_bytes(content),
        "size_in_bytes": len(content),
    }
    return made | changes


def old_package(
    folder: Path,
    members: Iterable[tuple[tarfile.TarInfo, bytes]],
    paths: list[dict[str, Any]] | None,
    *,
    index: Any = INDEX,
    name: str = "odd-1.0-0",
) -> Path:
    """Write ``<name>.tar.bz2`` with these members and this list of paths; `None` leaves the list out."""
    info = [regular("info/index.json", json.dumps(index).encode())]
    if paths is not None:
        info.append(regular("info/paths.json", json.dumps({"paths": paths}).encode()))
    target = folder / f"{name}.tar.bz2"
    with tarfile.open(target, "w:bz2", encoding="utf-8", errors="surrogateescape") as tar:
        for item, content in [*info, *members]:
            tar.addfile(item, io.BytesIO(content))
    return target
