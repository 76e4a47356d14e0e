"""Keeping facts: one small file per archive, named by the archive's SHA-256.

The first line names the format and the digest of the rest, which is JSON, compressed. A file that is of
another format, cut short or damaged counts as not there.
"""

import json
from pathlib import Path

from cuvee.channel.facts.model import PackageFacts
from cuvee.codec import decode, encode
from cuvee.files import sha256_bytes, write_bytes

FORMAT = 2
"""To be raised whenever what is read, or how it is kept, changes: facts of another format are read anew."""

_LEVEL = 3
_LARGEST = 1 << 30


def path_of(cache: Path, sha256: str) -> Path:
    """Where the facts about an archive are kept."""
    return cache / "facts" / sha256[:2] / f"{sha256}.facts"


def load(cache: Path, sha256: str) -> PackageFacts | None:
    """Give the facts that are kept about an archive, if they are there and whole."""
    import zstandard

    try:
        head, _, body = path_of(cache, sha256).read_bytes().partition(b"\n")
        if head != _head(body):
            return None
        text = zstandard.ZstdDecompressor().decompress(body, max_output_size=_LARGEST)
        facts = decode(PackageFacts, json.loads(text))
    except (OSError, ValueError, zstandard.ZstdError):
        return None
    return facts if facts.sha256 == sha256 else None


def save(cache: Path, facts: PackageFacts) -> None:
    """Keep the facts about an archive."""
    import zstandard

    text = json.dumps(encode(facts), separators=(",", ":")).encode()
    body = zstandard.ZstdCompressor(level=_LEVEL).compress(text)
    write_bytes(path_of(cache, facts.sha256), _head(body) + b"\n" + body)


def _head(body: bytes) -> bytes:
    return f"cuvee-facts {FORMAT} {sha256_bytes(body)}".encode()
