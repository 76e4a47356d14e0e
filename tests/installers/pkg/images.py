"""Images of no release: enough of one to be put into a package."""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import zstandard

from cuvee.files import sha256_bytes
from cuvee.image.model import Image, ReleaseLabel


def fake_image(folder: Path, *, files: Mapping[str, tuple[bytes, str]] | None = None, **fields: Any) -> Image:
    """An image of ``files``, path to bytes and how they are placed, the first of them in stage 0."""
    folder.mkdir(parents=True)
    files = files or {"bin/python3.11": (b"\x7fELF early", "plain"), "lib/a": (b"\x7fELF late", "binary")}
    (early, late) = (dict(list(files.items())[:1]), dict(list(files.items())[1:]))
    packed = io.BytesIO()
    # Without a fixed time, two images from either side of a full second would differ.
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as tar,
    ):
        for path, (data, _) in early.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    raw = b"".join(data for data, _ in late.values())
    frame = zstandard.compress(raw)
    entries, start = [], 0
    for path, (data, how) in late.items():
        entries.append([path, 0o755, start, len(data), how])
        start += len(data)
    manifest = {
        "stage0": [
            [path, 0o755, len(data), sha256_bytes(data), how, None] for path, (data, how) in early.items()
        ],
        "packages": [
            {
                "frames": [
                    {
                        "offset": 0,
                        "size": len(frame),
                        "raw": len(raw),
                        "sha256": sha256_bytes(frame),
                        "files": entries,
                    }
                ]
            }
        ],
    }
    text = json.dumps(manifest).encode()
    contents = {
        "stage0.tar.gz": packed.getvalue(),
        "manifest.json.zst": zstandard.compress(text),
        "payload.bin": frame,
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    values: dict[str, Any] = {
        "platform": "osx-arm64",
        "label": ReleaseLabel(distribution="tiny", version="2026.11.0", title="Tiny & Sons"),
        "folder": folder,
        "manifest_sha256": sha256_bytes(contents["manifest.json.zst"]),
        "manifest_raw": len(text),
        "stage0_sha256": sha256_bytes(contents["stage0.tar.gz"]),
        "payload_sha256": sha256_bytes(frame),
        "raw_size": 5 << 20,
        "files": len(files),
        "longest_path": 20,
        "interpreter": "bin/python3.11",
        "floor": {"__osx": "11.0"},
    }
    return Image(**(values | fields))
