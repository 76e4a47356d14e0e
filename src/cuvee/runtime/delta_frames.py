"""A delta: an installer that has only what a prefix of one other release lacks.

An `.exe` brings stage 0 nevertheless, since Windows replaces no program that runs.

Its payload begins with an index: the release that it upgrades, and frames with the files that this one does
not have. A frame may need files of that prefix as zstd's dictionary. The index is not signed, so whatever it
says, each file must come out with the hash that the new release's manifest has.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from .decompression import decompress
from .failure import damaged
from .hashing import sha256 as hash_of
from .payload_manifest import Frame, PayloadFile, PayloadManifest

_MAGIC = b"cuvee-delta-1".ljust(16, b"\0")
_SIGNATURE_AT, _HEAD = 32, 96
_LARGEST, _LARGEST_FILE = 1 << 28, 1 << 40


class DeltaIndex(NamedTuple):
    """What a delta upgrades, and what it has: ``frames`` and ``records`` as JSON has them.

    Their offsets count from ``frames_at`` in the payload.
    """

    version: str
    manifest_sha256: str
    frames: list[dict[str, Any]]
    records: list[dict[str, Any]]
    frames_at: int


class DeltaFrames(NamedTuple):
    """The frames of a delta, with the files of the new release that are in them.

    ``same`` are the files that the old release has, too, by path.
    """

    same: dict[str, PayloadFile]
    frames: list[Frame]
    records: list[Frame]

    def paths(self) -> set[str]:
        """Return the files that it has."""
        return {file.path for frame in [*self.frames, *self.records] for file in frame.files}

    def used(self) -> set[str]:
        """Return the files of the installed prefix that it needs for what it has."""
        return {file.path for frame in [*self.frames, *self.records] for file in frame.base or ()}


def pack_head(size: int, raw: int, signature: bytes) -> bytes:
    """Return what is before the index: its sizes, compressed and not, and the signature of the manifest."""
    return _MAGIC + size.to_bytes(8, "little") + raw.to_bytes(8, "little") + signature


def read_index(installer: str, payload: int) -> DeltaIndex | None:
    """Return the index of a delta; `None` if an installer has the whole release."""
    with open(installer, "rb") as stream:
        stream.seek(payload)
        head = stream.read(_HEAD)
        if not head.startswith(_MAGIC):
            return None
        size, raw = (int.from_bytes(head[at : at + 8], "little") for at in (16, 24))
        if max(size, raw) > _LARGEST:
            raise damaged("The delta's list of files")
        data = stream.read(size)
    try:
        value = json.loads(decompress(data, raw))
        base, frames, records = value["base"], list(value["frames"]), list(value["records"])
        return DeltaIndex(str(base["version"]), str(base["manifest_sha256"]), frames, records, _HEAD + size)
    except (ValueError, KeyError, TypeError):
        raise damaged("The delta's list of files") from None


def signature_at(installer: str, payload: int) -> int | None:
    """Return where a delta has the manifest's signature; `None` if an installer has the whole release."""
    with open(installer, "rb") as stream:
        stream.seek(payload)
        return payload + _SIGNATURE_AT if stream.read(len(_MAGIC)) == _MAGIC else None


def resolve(index: DeltaIndex, new: PayloadManifest, old: PayloadManifest) -> DeltaFrames:
    """Return the frames, with the files as the two manifests describe them."""
    same = same_files(old, new)
    after = {_key(file): file for files in _lists(new) for file in files if file.path not in same}
    parts = (index.frames, index.records)
    try:
        used = {path for part in parts for value in part for path, _ in value["base"]}
        before = {_key(file): file for files in _lists(old) for file in files if file.path in used}
        found = [[_frame(value, index.frames_at, after, before) for value in part] for part in parts]
    except (KeyError, TypeError, ValueError):
        raise damaged("The delta's list of files") from None
    frames = DeltaFrames(same, *found)
    if frames.paths() != {path for path, _ in after}:
        raise damaged("The delta's list of files")
    return frames


def entries(manifest: PayloadManifest) -> dict[tuple[str, int], PayloadFile]:
    """Return all files of a release that a delta has or takes from the prefix, by path and offset.

    Records are among them, and so is stage 0 if no delta brings it.
    """
    return {_key(file): file for files in _lists(manifest) for file in files}


def brings_stage0(manifest: PayloadManifest) -> bool:
    """Return whether a delta to a release has all of its stage 0."""
    return manifest.system == "win"


def same_files(old: PayloadManifest, new: PayloadManifest) -> dict[str, PayloadFile]:
    """Return the files of the new release that the old one has, too, by path."""
    before, after = _lists(old), _lists(new)
    # Most frames are in both, file for file: only what is in the others is looked at one by one.
    first = {_key(files[0]): files for files in before if files}
    equal: set[int] = set()
    for files in after:
        known = first.get(_key(files[0])) if files else None
        if known == files:
            equal.update((id(known), id(files)))
    left = (
        {_key(file): file for files in lists if id(files) not in equal for file in files}
        for lists in (before, after)
    )
    other = _other(*left)
    return {file.path: file for files in after for file in files if file.path not in other}


def _other(before: dict[tuple[str, int], PayloadFile], after: dict[tuple[str, int], PayloadFile]) -> set[str]:
    """Return the files that differ, by path."""
    other = {path for path, at in before.keys() - after.keys() if at}  # of a large file that became smaller
    for key, file in after.items():
        known = before.get(key)
        if known is None or known[3:] != file[3:] or known.mode != file.mode:
            other.add(file.path)
    return other


def _lists(manifest: PayloadManifest) -> list[list[PayloadFile]]:
    lists = [frame.files for frame in [*manifest.frames(), *manifest.records]]
    if not brings_stage0(manifest):
        lists.append([file for file in manifest.stage0 if file.how != "link"])
    return lists


def _key(file: PayloadFile) -> tuple[str, int]:
    return file.path, file.extra if file.how == "piece" else 0


def _frame(
    value: dict[str, Any],
    frames_at: int,
    after: dict[tuple[str, int], PayloadFile],
    before: dict[tuple[str, int], PayloadFile],
) -> Frame:
    files, start = [], 0
    for path, at in value["files"]:
        files.append(after[path, at]._replace(start=start))
        start += files[-1].size
    if start != value["raw"]:
        raise ValueError("the sizes differ")
    base = [before[path, at] for path, at in value["base"]]
    offset, size = int(value["offset"]), int(value["size"])
    if not 0 <= offset <= _LARGEST_FILE or not 0 <= size <= _LARGEST:
        raise ValueError("it is outside of the file")
    return Frame(frames_at + offset, size, start, str(value["sha256"]), files, base)


def unpack(data: bytes, frame: Frame, prefix: str) -> bytes:
    """Return a frame's decompressed bytes, once each file in it has the hash of the new release."""
    dictionary = b"".join(_installed(prefix, file) for file in frame.base or ())
    raw = decompress(data, frame.raw, dictionary)
    for file in frame.files:
        if hash_of(raw[file.start : file.start + file.size]) != file.sha256:
            raise damaged(f"What the delta has of {file.path}")
    return raw


def _installed(prefix: str, file: PayloadFile) -> bytes:
    with open(f"{prefix}/{file.path}", "rb") as stream:
        stream.seek(file.extra if file.how == "piece" else 0)
        return stream.read(file.size)
