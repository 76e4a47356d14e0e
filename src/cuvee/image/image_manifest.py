"""The image's manifest, as the runtime reads it.

The manifest is JSON, compressed as one zstd frame.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cuvee.codec import encode
from cuvee.files import sha256_bytes
from cuvee.image.frames import CompressedFrame
from cuvee.image.linked_files import LinkedFiles
from cuvee.image.model import FORMAT, SOURCE_TIME, PlannedFile, ReleaseLabel
from cuvee.image.packer import PackedPackage
from cuvee.image.settings import InstallerSettings
from cuvee.lock.model import PlatformLock

_LEVELS = {False: 3, True: 15}
"""The manifest's zstd levels, for trying and for publication: 9 takes six times as long as 3, for 1 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageManifest:
    """The manifest's bytes before compression, and some of its figures; see `Image`."""

    text: bytes
    raw_size: int
    files: int
    longest_path: int


def build_manifest(
    lock: PlatformLock,
    release: ReleaseLabel,
    packed: Mapping[str, PackedPackage],
    records: Sequence[CompressedFrame],
    requested: Mapping[str, str],
    *,
    interpreter: str,
    settings: InstallerSettings,
    extra_files: Sequence[PlannedFile],
    extra_frames: Sequence[CompressedFrame],
    stage0_sha256: str,
    runtime_sha256: str,
    runtime: Mapping[str, str],
    module_roots: Sequence[str],
    public_key: bytes | None,
) -> ImageManifest:
    """Return the manifest, which tells the runtime all about the image.

    ``runtime`` has the SHA-256 of what the runtime leaves of itself, by path in the prefix.
    ``module_roots`` are the folders of Python's modules, each before those above it.
    With a ``public_key``, it says where in the payload the signature is: behind the last frame.
    """
    offsets = _Offsets()
    packages = [
        {
            "name": package.name,
            "version": package.version,
            "build": package.build,
            "subdir": package.subdir,
            "sha256": package.sha256,
            "frames": offsets.add(packed[package.name].frames),
            "links": sorted([path, target] for path, target in packed[package.name].links.items()),
            **({"compiled": compiled} if (compiled := packed[package.name].compiled) else {}),
        }
        for package in lock.packages
    ]
    files = [*(package.files for package in packed.values()), LinkedFiles.of(extra_files, {})]
    limits = [item.prefix_limit for item in files if item.prefix_limit is not None]
    raw_size = sum(item.raw_size for item in files) + sum(frame.raw for frame in records)
    value = {
        "format": FORMAT,
        "distribution": release.distribution,
        "version": release.version,
        "title": release.title,
        "platform": lock.platform,
        "interpreter": interpreter,
        "source_time": SOURCE_TIME,
        "raw_size": raw_size,
        "prefix_limit": min(limits, default=None),
        "requested": [requested[name] for name in sorted(requested) if name in packed],
        "folders": sorted({"conda-meta"}.union(*(item.folders for item in files))),
        "stage0_sha256": stage0_sha256,
        "runtime_sha256": runtime_sha256,
        "stage0": [
            [file.path, file.mode, len(file.data), sha256_bytes(file.data), part.how, part.extra]
            for package in lock.packages
            for file, part in packed[package.name].stage0
        ],
        "runtime": dict(runtime),
        "module_roots": list(module_roots),
        "settings": encode(settings, without=frozenset({"extra_files"})),
        "packages": packages,
        "extras": offsets.add(extra_frames),
        "records": offsets.add(records),
    }
    value["key"] = None if public_key is None else [public_key.hex(), offsets.end]
    return ImageManifest(
        text=json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(),
        raw_size=raw_size,
        files=sum(item.count for item in files) + len(lock.packages),
        longest_path=max(item.longest_path for item in files),
    )


def write_manifest(manifest: ImageManifest, target: Path, *, publish: bool) -> None:
    """Write the manifest, compressed."""
    import zstandard

    compressor = zstandard.ZstdCompressor(level=_LEVELS[publish], write_content_size=True)
    target.write_bytes(compressor.compress(manifest.text))


class _Offsets:
    """Assigns offsets in the payload to frames, in the order in which they are added."""

    def __init__(self) -> None:
        self.end = 0

    def add(self, frames: Iterable[CompressedFrame]) -> list[dict[str, object]]:
        result: list[dict[str, object]] = []
        for frame in frames:
            value = {"offset": self.end, "size": frame.size, "raw": frame.raw, "sha256": frame.sha256}
            result.append(value | {"files": list(frame.entries)})
            self.end += frame.size
        return result
