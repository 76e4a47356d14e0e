"""Compress packages of an image in other ways, and measure unpacking: the basis of ADR 29.

    python benchmarks/size.py dist/starter-2026.11.0/images/linux-64 h5py sqlalchemy networkx

Each way packs the files of one package into frames of 32 MB. Times are processor time of one thread, so they
are valid on a busy machine too; compressing takes minutes for 100 MB.
"""

import argparse
import json
import lzma
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import zstandard

from cuvee.image.frames import HIGH_FRAME_BYTES, HIGH_LEVEL, compressor

Filters = list[dict[str, Any]]
File = tuple[str, bytes]


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", type=Path, help="the folder of a platform's image")
    parser.add_argument("package", nargs="+", help="which packages to compress")
    options = parser.parse_args()
    found = read_all(options.image)
    packages = [found[name] for name in options.package]
    x86 = {"id": lzma.FILTER_X86}
    native = [pick(files, native=True) for files in packages]
    others = [pick(files, native=False) for files in packages]
    ways: dict[str, tuple[list[list[File]], Filters | None]] = {
        "zstd 19, by path": (packages, None),
        "xz 9e, by path": (packages, filters()),
        "zstd 19, only native": (native, None),
        "xz 9e, only native": (native, filters()),
        "xz 9e with x86, only native": (native, [x86, *filters()]),
        "zstd 19, the others": (others, None),
        "xz 9e for bytes, the others": (others, filters(pb=0)),
    }
    for label, (groups, chain) in ways.items():
        tell(label, [frame for files in groups for frame in frames(files)], chain)
    return 0


def read_all(image: Path) -> dict[str, list[File]]:
    """Return the files of all packages, by path, as the image holds them."""
    manifest = json.loads(zstandard.ZstdDecompressor().decompress((image / "manifest.json.zst").read_bytes()))
    found: dict[str, list[File]] = {}
    with (image / "payload.bin").open("rb") as payload:
        for package in manifest["packages"]:
            files = found.setdefault(package["name"], [])
            for frame in package["frames"]:
                payload.seek(frame["offset"])
                raw = zstandard.ZstdDecompressor().decompress(payload.read(frame["size"]))
                files += [(path, raw[at : at + size]) for path, _, at, size, *_ in frame["files"]]
    return found


def pick(files: list[File], *, native: bool) -> list[File]:
    """Return programs and libraries, or the others."""
    return [file for file in files if file[1].startswith((b"\x7fELF", b"MZ")) == native]


def frames(files: Iterable[File], limit: int = HIGH_FRAME_BYTES) -> Iterator[bytes]:
    """Put files together, in their order, until a frame is full."""
    group = bytearray()
    for _, data in files:
        group += data
        if len(group) >= limit:
            yield bytes(group)
            group.clear()
    if group:
        yield bytes(group)


def filters(**options: int) -> Filters:
    """Return liblzma's strongest settings, with a dictionary over a whole frame."""
    best = {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 2 * HIGH_FRAME_BYTES}
    return [best | options]


def tell(label: str, groups: list[bytes], chain: Filters | None) -> None:
    """Compress, unpack again, and print sizes and times."""
    if chain is None:
        packed, pack_time = timed(lambda: [compressor(HIGH_LEVEL).compress(group) for group in groups])
        unpacked, time_back = timed(lambda: [zstandard.ZstdDecompressor().decompress(one) for one in packed])
    else:
        raw = lzma.FORMAT_RAW
        packed, pack_time = timed(lambda: [lzma.compress(group, raw, filters=chain) for group in groups])
        unpacked, time_back = timed(lambda: [lzma.decompress(one, raw, filters=chain) for one in packed])
    assert unpacked == groups
    sizes = f"{sum(map(len, packed)) / 1e6:8.2f} MB of {sum(map(len, groups)) / 1e6:8.2f}"
    print(f"{label:30}{sizes}  packing {pack_time:6.1f} s, unpacking {time_back:5.2f} s", flush=True)


def timed(work: Callable[[], list[bytes]]) -> tuple[list[bytes], float]:
    """Do the work; give its result and its processor time in seconds."""
    started = time.process_time()
    return work(), time.process_time() - started


if __name__ == "__main__":
    raise SystemExit(main())
