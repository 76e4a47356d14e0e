"""Compress an image in ways that look beyond one package: the basis of ADR 29.

    python benchmarks/size_across_packages.py dist/starter-2026.11.0/images/linux-64

Everything is compressed four times, which takes half an hour for a gigabyte at the level of `--publish`.
Times are processor time of one thread, so they are valid on a busy machine too.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path

import zstandard
from size import File, frames, read_all

from cuvee.image.frames import HIGH_LEVEL, compressor

_SMALL = 1_500_000
"""Packages below this size are too small for frames to be efficient."""
_DICTIONARY = 112_640
_KINDS = {".py": "py", ".pyc": "pyc"}
_FRAME_WINDOW_LOG, _LONG_WINDOW_LOG = 25, 27


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", type=Path, help="the folder of a platform's image")
    parser.add_argument("--level", type=int, default=HIGH_LEVEL, help="a lower level of zstd is quicker")
    options = parser.parse_args()
    level: int = options.level
    packages = list(read_all(options.image).values())
    equal_files(packages)
    dictionaries([files for files in packages if sum(len(data) for _, data in files) < _SMALL])
    whole = [frame for files in packages for frame in frames(files)]
    base = tell("frames of packages, as they are", lambda: packed(whole, level))
    once = [frame for files in unique(packages) for frame in frames(files)]
    tell("equal files once", lambda: packed(once, level), base)
    in_order = [file for files in packages for file in files]
    tell("one stream, long distance", lambda: long(in_order, level), base)
    sorted_by_kind = [file for files in by_kind(packages) for file in files]
    tell("one stream, long distance, by kind", lambda: long(sorted_by_kind, level), base)
    return 0


def equal_files(packages: Sequence[Sequence[File]]) -> None:
    """Print how many bytes are in files that are there already."""
    places: dict[bytes, list[int]] = defaultdict(list)
    sizes: dict[bytes, int] = {}
    for number, files in enumerate(packages):
        for _, data in files:
            digest = sha256(data).digest()
            places[digest].append(number)
            sizes[digest] = len(data)
    within = sum(sizes[digest] * (len(found) - len({*found})) for digest, found in places.items())
    across = sum(sizes[digest] * (len({*found}) - 1) for digest, found in places.items())
    count = sum(len(found) - 1 for found in places.values())
    total = sum(len(data) for files in packages for _, data in files)
    print(
        f"equal files: {count:,}, {within / 1e6:.1f} MB in one package and {across / 1e6:.1f} MB across"
        f" packages, of {total / 1e6:,.0f} MB before compression",
        flush=True,
    )


def unique(packages: Iterable[Iterable[File]]) -> list[list[File]]:
    """Return the packages without files that were there before."""
    seen: set[bytes] = set()
    result = []
    for files in packages:
        kept = []
        for name, data in files:
            digest = sha256(data).digest()
            if digest not in seen:
                seen.add(digest)
                kept.append((name, data))
        result.append(kept)
    return result


def by_kind(packages: Iterable[Iterable[File]]) -> list[list[File]]:
    """Return all files by the end of their name."""
    groups: dict[str, list[File]] = defaultdict(list)
    for files in packages:
        for name, data in files:
            groups[Path(name).suffix].append((name, data))
    return [groups[kind] for kind in sorted(groups)]


def dictionaries(packages: Sequence[Sequence[File]]) -> None:
    """Compress small packages with and without a dictionary per kind of file."""
    groups: dict[str, list[list[bytes]]] = defaultdict(list)
    for files in packages:
        kinds: dict[str, list[bytes]] = defaultdict(list)
        for name, data in files:
            kinds[_KINDS.get(Path(name).suffix, "other")].append(data)
        for kind, contents in kinds.items():
            groups[kind].append(contents)
    one = sum(len(compressor(HIGH_LEVEL).compress(frame)) for files in packages for frame in frames(files))
    raw = sum(len(data) for files in packages for _, data in files)
    print(f"{len(packages)} small packages: {one / 1e6:.2f} MB of {raw / 1e6:.1f}, as they are", flush=True)
    parts, withs = 0, 0
    for kind, contents in sorted(groups.items()):
        samples = [data[:131_072] for files in contents for data in files if data]
        known = zstandard.train_dictionary(_DICTIONARY, samples)
        plain = compressor(HIGH_LEVEL)
        better = zstandard.ZstdCompressor(level=HIGH_LEVEL, dict_data=known)
        before = sum(len(plain.compress(b"".join(files))) for files in contents)
        after = sum(len(better.compress(b"".join(files))) for files in contents)
        stored = len(plain.compress(known.as_bytes()))
        parts, withs = parts + before, withs + after + stored
        print(
            f"  {kind}: {before / 1e6:.2f} MB, with a dictionary {after / 1e6:.2f} + {stored / 1e6:.2f}",
            flush=True,
        )
    print(
        f"  together {parts / 1e6:.2f} MB in frames by kind, with dictionaries {withs / 1e6:.2f}", flush=True
    )


def packed(groups: Iterable[bytes], level: int) -> int:
    """Return the compressed size of frames."""
    parameters = zstandard.ZstdCompressionParameters.from_level(level, window_log=_FRAME_WINDOW_LOG)
    return sum(len(zstandard.ZstdCompressor(compression_params=parameters).compress(one)) for one in groups)


def long(files: Iterable[File], level: int) -> int:
    """Return the compressed size of one stream, in which zstd looks back 128 MB."""
    parameters = zstandard.ZstdCompressionParameters.from_level(
        level, window_log=_LONG_WINDOW_LOG, enable_ldm=True
    )
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    size = 0
    for frame in frames(files):
        size += len(stream.compress(frame))
    return size + len(stream.flush())


def tell(label: str, work: Callable[[], int], base: int = 0) -> int:
    """Print the size that the work returns, and its processor time."""
    started = time.process_time()
    size: int = work()
    share = f" {100 * size / base - 100:+.1f} %" if base else ""
    print(f"{label:45}{size / 1e6:8.2f} MB{share}, packing {time.process_time() - started:.0f} s", flush=True)
    return size


if __name__ == "__main__":
    raise SystemExit(main())
