"""Whether a file in a prefix is the signed one with the prefix put into it: the prefix is taken out again.

The hash of such a file is known only to the prefix itself, and is not signed. The rules of putting
it in are those of `cuvee.runtime.prefix_replacement`. Pure.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cuvee.files import sha256_bytes
from cuvee.runtime.payload_manifest import PayloadFile

_EXEC = re.compile(rb"#!/bin/sh\n'''exec' \"([^\"]*)\"([^\n]*) \"\$0\" \"\$@\" #'''")
_ENV = re.compile(rb"#!/usr/bin/env ([^ \n]+)([^\n]*)")


def is_proven(data: bytes, signed: PayloadFile, prefix: bytes, system: str) -> bool:
    """Whether a text or binary file is what was signed, with ``prefix`` in place of its placeholder."""
    old = str(signed.extra).encode()
    new = prefix.replace(b"\\", b"/") if system == "win" and signed.how == "text" else prefix
    found = _strings(data, new, old) if signed.how == "binary" else _texts(data, new, old)
    return any(sha256_bytes(item) == signed.sha256 for item in found)


def _texts(data: bytes, new: bytes, old: bytes) -> Iterator[bytes]:
    yield data.replace(new, old)
    match = _EXEC.match(data)
    if match is not None:
        program = match[1].replace(new, old)
        yield b"#!" + program + match[2] + data[match.end() :].replace(new, old)
    match = _ENV.match(data)
    if match is not None:
        for folder in (b"/bin/", b"/Scripts/", b"/"):
            yield b"#!" + old + folder + match[1] + match[2] + data[match.end() :].replace(new, old)


def _strings(data: bytes, new: bytes, old: bytes) -> Iterator[bytes]:
    """Yield the bytes before the prefix came in: each C string grows into the NULs that follow it."""
    pieces, start = [], 0
    while (found := data.find(new, start)) >= 0:
        end = data.find(b"\0", found)
        end = len(data) if end < 0 else end
        before = data[found:end].replace(new, old)
        filled = len(before) - (end - found)
        if filled < 0 or data[end : end + filled].strip(b"\0"):
            return
        pieces += [data[start:found], before]
        start = end + filled
    yield b"".join([*pieces, data[start:]])


def is_proven_record(data: bytes, signed: PayloadFile, files: Mapping[str, PayloadFile]) -> bool:
    """Whether a record of conda is what was signed, but for the hashes of files that have the prefix."""
    try:
        record: dict[str, Any] = json.loads(data)
        lines: Sequence[dict[str, Any]] = record["paths_data"]["paths"]
        for number, path in signed.extra:
            line = lines[number]
            key = "sha256" if "entry_point" in line["path_type"] else "sha256_in_prefix"
            line[key], line["size_in_bytes"] = files[path].sha256, files[path].size
    except (ValueError, LookupError, TypeError):
        return False
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    return sha256_bytes(text.encode(errors="surrogateescape")) == signed.sha256
