"""The cache of inspections: one small file per archive, named by the archive's SHA-256.

The first line names the format and the digest of the rest, which is compressed JSON. A file of another
format, and one that is cut short or damaged, counts as missing.
"""

import json
import re
from contextlib import suppress
from pathlib import Path

from cuvee.channel.inspection.model import ArchiveContents
from cuvee.codec import decode, encode
from cuvee.files import parse_json, sha256_bytes, write_bytes
from cuvee.progress import SILENT, Reporter

FORMAT = 5
"""Raise it whenever what is read, or how it is written, changes: archives are then inspected again."""

_LEVEL = 3
_LARGEST = 1 << 30


def path_of(cache: Path, sha256: str) -> Path:
    """Return where the contents of an archive are cached."""
    return cache / "inspections" / sha256[:2] / f"{sha256}.inspection"


def load(cache: Path, sha256: str, reporter: Reporter = SILENT) -> ArchiveContents | None:
    """Return the cached contents of an archive; `None` if they are missing or damaged, which a line says."""
    import zstandard

    path = path_of(cache, sha256)
    try:
        data = path.read_bytes()
    except OSError:
        return None
    head, _, body = data.partition(b"\n")
    if head == _head(body):
        with suppress(ValueError, zstandard.ZstdError):
            text = zstandard.ZstdDecompressor().decompress(body, max_output_size=_LARGEST)
            contents = decode(ArchiveContents, parse_json(text))
            if contents.sha256 == sha256:
                return contents
    of_another_format = re.match(rb"cuvee-inspection (\d+) ", head)
    if of_another_format is None or int(of_another_format[1]) == FORMAT:
        reporter.warn(f"{path} is damaged; the archive is inspected again")
    return None


def save(cache: Path, contents: ArchiveContents) -> None:
    """Cache the contents of an archive."""
    import zstandard

    text = json.dumps(encode(contents), separators=(",", ":")).encode()
    body = zstandard.ZstdCompressor(level=_LEVEL).compress(text)
    write_bytes(path_of(cache, contents.sha256), _head(body) + b"\n" + body)


def _head(body: bytes) -> bytes:
    return f"cuvee-inspection {FORMAT} {sha256_bytes(body)}".encode()
