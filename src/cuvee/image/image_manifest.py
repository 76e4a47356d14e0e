"""The image's manifest, as the runtime reads it, and the payload behind it.

The manifest is JSON, compressed as one zstd frame. Frames lie behind each other in the payload, in the
manifest's order: the packages', those of extra files, then the records'. The signature, if there is one, is
behind the last.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cuvee.files import sha256_bytes
from cuvee.image.frames import CompressedFrame
from cuvee.image.model import FORMAT, PAYLOAD, SOURCE_TIME, FileKind, PlannedFile, ReleaseLabel
from cuvee.image.packer import PackedPackage
from cuvee.image.settings import InstallerSettings
from cuvee.lock.model import PlatformLock

_LEVEL = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraContent:
    """What an image holds besides packages: settings, and the frames of extra files."""

    settings: InstallerSettings = field(default_factory=InstallerSettings)
    files: Sequence[PlannedFile] = ()
    frames: Sequence[CompressedFrame] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageManifest:
    """The manifest's bytes before compression, and what the image says of itself."""

    text: bytes
    raw_size: int
    files: int
    prefix_limit: int | None
    longest_path: int


def build_manifest(
    lock: PlatformLock,
    release: ReleaseLabel,
    packed: Mapping[str, PackedPackage],
    records: Sequence[CompressedFrame],
    requested: Mapping[str, str],
    *,
    interpreter: str,
    extras: ExtraContent,
    stage0_sha256: str,
    public_key: bytes | None,
) -> ImageManifest:
    """Put together what the runtime must know.

    With a ``public_key``, room for a signature of 64 bytes is left behind the last frame.
    """
    offsets = _Offsets()
    packages = [
        {
            "name": package.name,
            "version": package.version,
            "build": package.build,
            "subdir": package.subdir,
            "sha256": package.sha256,
            "frames": offsets.place(packed[package.name].frames),
            "links": sorted([path, target] for path, target in packed[package.name].links.items()),
        }
        for package in lock.packages
    ]
    files = [*(file for package in packed.values() for file in package.files), *extras.files]
    limits = [len((file.placeholder or "").encode()) for file in files if file.kind is FileKind.BINARY]
    limit = min(limits, default=None)
    raw_size = sum(file.size or 0 for file in files) + sum(frame.raw for frame in records)
    value = {
        "format": FORMAT,
        "distribution": release.distribution,
        "version": release.version,
        "title": release.title,
        "platform": lock.platform,
        "interpreter": interpreter,
        "source_time": SOURCE_TIME,
        "raw_size": raw_size,
        "prefix_limit": limit,
        "requested": [requested[name] for name in sorted(requested) if name in packed],
        "folders": _folders(files),
        "stage0_sha256": stage0_sha256,
        "stage0": [
            [file.path, file.mode, len(file.data), sha256_bytes(file.data), part.how, part.extra]
            for package in lock.packages
            for file, part in packed[package.name].stage0
        ],
        "settings": extras.settings.to_json(),
        "packages": packages,
        "extras": offsets.place(extras.frames),
        "records": offsets.place(records),
    }
    value["key"] = None if public_key is None else [public_key.hex(), offsets.end]
    return ImageManifest(
        text=json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(),
        raw_size=raw_size,
        files=len(files) + len(lock.packages),
        prefix_limit=limit,
        longest_path=max(len(file.path) for file in files),
    )


def write_manifest(manifest: ImageManifest, target: Path) -> None:
    """Write the manifest, compressed."""
    import zstandard

    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True)
    target.write_bytes(compressor.compress(manifest.text))


def write_payload(frames: Iterable[CompressedFrame], signature: bytes, folder: Path) -> None:
    """Write the frames, one after the other, and the signature, which may be empty."""
    with (folder / PAYLOAD).open("wb") as stream:
        for frame in frames:
            stream.write(frame.file.read_bytes())
        stream.write(signature)


class _Offsets:
    """Gives frames their places, in the order in which they come."""

    def __init__(self) -> None:
        self._next = 0

    @property
    def end(self) -> int:
        """Where the last of them ends."""
        return self._next

    def place(self, frames: Iterable[CompressedFrame]) -> list[dict[str, Any]]:
        result = []
        for frame in frames:
            result.append(
                {
                    "offset": self._next,
                    "size": frame.size,
                    "raw": frame.raw,
                    "sha256": frame.sha256,
                    "files": list(frame.entries),
                }
            )
            self._next += frame.size
        return result


def _folders(files: Iterable[PlannedFile]) -> list[str]:
    """Every folder of the prefix, each behind the one that it is in."""
    folders = {"conda-meta"}
    for file in files:
        if file.kind is FileKind.DIRECTORY:
            folders.add(file.path)
        folder = file.path.rpartition("/")[0]
        while folder and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    return sorted(folders)
