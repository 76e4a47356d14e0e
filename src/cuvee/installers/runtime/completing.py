"""What makes a folder of files an environment: records, history, and the marker of who made it."""

# Stage 0 has no pathlib.
# ruff: noqa: PTH123

from __future__ import annotations

import json
import os
import time

from .manifest import FORMAT, Frame
from .writing import Prefix

MARKER = "conda-meta/cuvee.json"


def complete_records(prefix: Prefix, frame: Frame, raw: bytes) -> None:
    """Write the records that had to wait for the digests of relocated files.

    A record's ``extra`` lists pairs: the number of a line in its ``paths``, and that line's file.
    """
    for file in frame.files:
        if file.how != "record":
            continue
        record = json.loads(raw[file.start : file.start + file.size])
        lines = record["paths_data"]["paths"]
        for number, path in file.extra:
            line = lines[number]
            key = "sha256" if "entry_point" in line["path_type"] else "sha256_in_prefix"
            line[key], line["size_in_bytes"] = prefix.late[path]
        _write(f"{prefix.folder}/{file.path}", json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def write_history(prefix: Prefix) -> None:
    """Write conda's history: what was linked, and what was asked for."""
    manifest = prefix.manifest
    lines = [
        f"==> {time.strftime('%Y-%m-%d %H:%M:%S')} <==",
        f"# cmd: {manifest.distribution} {manifest.version} installer",
        *(f"+{package.subdir}::{package.stem}" for package in manifest.packages),
    ]
    if manifest.requested:
        lines.append(f"# update specs: {json.dumps(manifest.requested)}")
    _write(f"{prefix.folder}/conda-meta/history", "\n".join(lines) + "\n")


def write_marker(prefix: Prefix, manifest_sha256: str) -> None:
    """Write what tells a later installer that the prefix is its own, and which release it holds."""
    manifest = prefix.manifest
    marker = {
        "format": FORMAT,
        "distribution": manifest.distribution,
        "version": manifest.version,
        "title": manifest.title,
        "platform": manifest.platform,
        "manifest_sha256": manifest_sha256,
        "packages": [package.stem for package in manifest.packages],
    }
    text = json.dumps(marker, indent=2, ensure_ascii=False) + "\n"
    _write(f"{prefix.folder}/{MARKER}", text, sync=True)


def _write(path: str, text: str, *, sync: bool = False) -> None:
    with open(path, "x", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        if sync:
            stream.flush()
            os.fsync(stream.fileno())
