"""Which of an image's programs must be signed again when they are installed."""

import json
import tarfile
from collections.abc import Iterator
from typing import Any, BinaryIO

from cuvee.errors import IntegrityError
from cuvee.files import sha256_bytes
from cuvee.image import Image

_MAGICS = frozenset(
    bytes.fromhex(magic)
    for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe", "cafebabf", "bebafeca")
)


def patched_programs(image: Image) -> tuple[str, ...]:
    """Give the paths of all Mach-O files that carry a binary placeholder, sorted.

    Raises
    ------
    IntegrityError
        If the image differs from its hashes, or names a file with a line break.
    """
    found = sorted({path for path, head in _heads(image) if head in _MAGICS})
    for path in found:
        if path.splitlines() != [path]:
            raise IntegrityError(f"The image names a file with a line break: {path!r}")
    return tuple(found)


def _heads(image: Image) -> Iterator[tuple[str, bytes]]:
    """Give path and first four bytes of each file that a binary placeholder is replaced in."""
    import zstandard

    data = image.manifest.read_bytes()
    if sha256_bytes(data) != image.manifest_sha256:
        raise _damaged("manifest")
    manifest: dict[str, Any] = json.loads(
        zstandard.ZstdDecompressor().decompress(data, max_output_size=image.manifest_raw)
    )
    early = {entry[0] for entry in manifest["stage0"] if entry[4] == "binary"}
    if early:
        with tarfile.open(image.stage0) as tar:
            for path in early:
                member = tar.extractfile(path)
                if member is not None:
                    yield path, member.read(4)
    with image.payload.open("rb") as payload:
        for package in manifest["packages"]:
            for frame in package["frames"]:
                wanted = [entry for entry in frame["files"] if entry[4] == "binary"]
                raw = _read(payload, frame) if wanted else b""
                yield from ((entry[0], raw[entry[2] : entry[2] + 4]) for entry in wanted)


def _read(payload: BinaryIO, frame: dict[str, Any]) -> bytes:
    import zstandard

    payload.seek(frame["offset"])
    data = payload.read(frame["size"])
    if sha256_bytes(data) != frame["sha256"]:
        raise _damaged("payload")
    return zstandard.ZstdDecompressor().decompress(data, max_output_size=frame["raw"])


def _damaged(part: str) -> IntegrityError:
    return IntegrityError(
        f"The image's {part} differs from its hash",
        hint="Delete the image's folder and cut the release again.",
    )
