"""Keeping facts: one small file per archive, named by the archive's SHA-256.

The first line names the format and the digest of the rest, which is JSON, compressed. A file that is of
another format, cut short or damaged counts as not there.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from cuvee.channel.facts.model import BinaryFacts, FileFacts, IndexFacts, PackageFacts, SymbolVersion
from cuvee.files import sha256_bytes, write_bytes

FORMAT = 1
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
        facts = _decoded(json.loads(zstandard.ZstdDecompressor().decompress(body, max_output_size=_LARGEST)))
    except (OSError, ValueError, TypeError, KeyError, zstandard.ZstdError):
        return None
    return facts if facts.sha256 == sha256 else None


def save(cache: Path, facts: PackageFacts) -> None:
    """Keep the facts about an archive."""
    import zstandard

    text = json.dumps(_encoded(facts), separators=(",", ":")).encode()
    body = zstandard.ZstdCompressor(level=_LEVEL).compress(text)
    write_bytes(path_of(cache, facts.sha256), _head(body) + b"\n" + body)


def _head(body: bytes) -> bytes:
    return f"cuvee-facts {FORMAT} {sha256_bytes(body)}".encode()


_FILE = tuple(field.name for field in fields(FileFacts))


def _encoded(facts: PackageFacts) -> dict[str, Any]:
    """Files, of which there are many, become rows; all else keeps its names."""
    value = _named(facts)
    value["index"] = _named(facts.index)
    value["files"] = [[getattr(file, name) for name in _FILE] for file in facts.files]
    value["binaries"] = [
        _named(binary) | {"wants": [[item.library, item.version] for item in binary.wants]}
        for binary in facts.binaries
    ]
    return value


def _named(value: PackageFacts | IndexFacts | BinaryFacts) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _decoded(value: dict[str, Any]) -> PackageFacts:
    index = value["index"]
    tuples = {name: tuple(value[name]) for name in ("entry_points", "problems")}
    return PackageFacts(
        **value
        | tuples
        | {
            "index": IndexFacts(**index | {name: tuple(index[name]) for name in ("depends", "constrains")}),
            "files": tuple(FileFacts(**dict(zip(_FILE, row, strict=True))) for row in value["files"]),
            "binaries": tuple(_binary(item) for item in value["binaries"]),
        }
    )


def _binary(value: dict[str, Any]) -> BinaryFacts:
    tuples = {name: tuple(value[name]) for name in ("needed", "delayed", "search", "offers")}
    return BinaryFacts(**value | tuples | {"wants": _wants(value["wants"])})


def _wants(rows: Iterable[Sequence[str]]) -> tuple[SymbolVersion, ...]:
    return tuple(SymbolVersion(library=library, version=version) for library, version in rows)
