"""What a delta carries: the files of a release that a prefix of an older one lacks.

Files that both have by hash are not carried. Others are compressed with what the older release has in their
place as zstd's dictionary, https://www.rfc-editor.org/rfc/rfc8878, if that is smaller.
"""

import json
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from cuvee.byte_code.batches import batches
from cuvee.errors import IntegrityError
from cuvee.files import sha256_bytes
from cuvee.image.frames import FRAME_BYTES
from cuvee.progress import Reporter
from cuvee.runtime.delta_frames import entries, pack_head, same_files
from cuvee.runtime.failure import InstallError
from cuvee.runtime.installer_run import PayloadReader
from cuvee.runtime.payload_manifest import Frame, PayloadFile, PayloadManifest

_LEVEL, _WINDOW_LOG = 19, 25
_SMALLEST_BASE = 64
"""A file with fewer bytes is of no use as a dictionary."""
_OPEN_FRAMES = 3
_WORKERS = 2
_AS_RELEASED = frozenset(("plain", "source", "piece"))
"""How files get into a prefix unchanged."""

Key = tuple[str, int]
"""A file's path, and its offset if it is a piece of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeImage:
    """An image of which everything can be read.

    Attributes
    ----------
    data
        The compressed manifest.
    installer, payload_at
        The file that has the payload, and where.
    stage0
        The files of stage 0 by path, the runtime's among them; none of an `.exe`, as deltas bring those.
    """

    manifest: PayloadManifest
    data: bytes
    manifest_raw: int
    installer: Path
    payload_at: int
    stage0: Mapping[str, bytes]

    @property
    def manifest_sha256(self) -> str:
        """What names the release's image."""
        return sha256_bytes(self.data)

    def signature(self) -> bytes:
        """Return the publisher's signature of the manifest, 64 bytes; NUL if it is not signed."""
        if self.manifest.key is None:
            return bytes(64)
        with self.installer.open("rb") as stream:
            stream.seek(self.payload_at + self.manifest.key[1])
            return stream.read(64)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaPayload:
    """The payload of a delta, and how many files it has whole, as changes, and not at all."""

    data: bytes
    whole: int
    patched: int
    unchanged: int
    raw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Files of one frame of a delta, with their bytes, and the files of the older release that help."""

    files: Sequence[tuple[Key, bytes]]
    base: Sequence[tuple[Key, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Packed:
    group: _Group
    data: bytes

    def entry(self, offset: int) -> dict[str, object]:
        """Return the frame as the index has it."""
        return {
            "offset": offset,
            "size": len(self.data),
            "raw": sum(len(data) for _, data in self.group.files),
            "sha256": sha256_bytes(self.data),
            "files": [list(key) for key, _ in self.group.files],
            "base": [list(key) for key, _ in self.group.base],
        }


def make_delta_payload(old: WholeImage, new: WholeImage, *, task: str, reporter: Reporter) -> DeltaPayload:
    """Return the payload of the delta from one release to another, reproducibly.

    Raises
    ------
    IntegrityError
        If a frame of either is damaged.
    """
    same = same_files(old.manifest, new.manifest)
    after = entries(new.manifest)
    changed = {key for key, file in after.items() if file.path not in same}
    reporter.start(task, total=len(changed))
    with ExitStack() as stack:
        sources = [
            _Contents(
                image, stack.enter_context(closing(PayloadReader(str(image.installer), image.payload_at, "")))
            )
            for image in (old, new)
        ]
        groups = {
            "frames": _groups(_frames(new.manifest), changed, *sources),
            "records": _groups(new.manifest.records, changed, *sources),
        }

        def pack(group: _Group) -> _Packed:
            packed = _pack(group)
            reporter.advance(task, len(group.files))
            return packed

        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="delta") as pool:
            found = {name: _in_order(pool, pack, items) for name, items in groups.items()}
    packed = [item for items in found.values() for item in items]
    base = {"version": old.manifest.version, "manifest_sha256": old.manifest_sha256}
    patched = sum(len(item.group.files) for item in packed if item.group.base)
    return DeltaPayload(
        data=_join(base, found, new.signature()),
        whole=len(changed) - patched,
        patched=patched,
        unchanged=len(same),
        raw=sum(len(data) for item in packed for _, data in item.group.files),
    )


class _Contents:
    """Reads the files of an image; the last frames stay in memory."""

    def __init__(self, image: WholeImage, reader: PayloadReader) -> None:
        self.image = image
        self.entries = entries(image.manifest)
        self._reader = reader
        frames = [*image.manifest.frames(), *image.manifest.records]
        self._frames = {_key(file): (frame, file) for frame in frames for file in frame.files}
        self._open: OrderedDict[int, bytes] = OrderedDict()

    def read(self, key: Key) -> bytes:
        """Return a file as it is before the prefix is put into it."""
        if key not in self._frames:
            return self.image.stage0[key[0]]
        frame, file = self._frames[key]
        if frame.offset not in self._open:
            while len(self._open) >= _OPEN_FRAMES:
                self._open.popitem(last=False)
            try:
                self._open[frame.offset] = self._reader.read(frame)
            except InstallError as error:
                raise IntegrityError(
                    f"{self.image.installer}: {error.message}", hint="Copy it again from where it was made."
                ) from error
        self._open.move_to_end(frame.offset)
        return self._open[frame.offset][file.start : file.start + file.size]


def _key(file: PayloadFile) -> Key:
    return file.path, file.extra if file.how == "piece" else 0


def _frames(manifest: PayloadManifest) -> Iterator[Frame]:
    """Yield the frames of all but records, in the payload's order, and stage 0 as if it were one."""
    for package in manifest.packages:
        yield from package.frames
    yield from manifest.extras
    yield Frame(0, 0, 0, "", [file for file in manifest.stage0 if file.how != "link"])


def _groups(frames: Iterable[Frame], changed: set[Key], old: _Contents, new: _Contents) -> Iterator[_Group]:
    """Yield what is packed together: files of one frame, either all with something older, or none."""
    names = _older_names(old.image.manifest, new.image.manifest)
    for frame in frames:
        keys = [key for key in map(_key, frame.files) if key in changed]
        bases = {key: _base(key, names, old) for key in keys}
        for files in ([key for key in keys if bases[key]], [key for key in keys if bases[key] is None]):
            for batch in batches(files, lambda key: new.entries[key].size, FRAME_BYTES):
                known = dict.fromkeys(base for key in batch if (base := bases[key]) is not None)
                yield _Group(
                    files=[(key, new.read(key)) for key in batch],
                    base=[(key, old.read(key)) for key in known],
                )


def _older_names(old: PayloadManifest, new: PayloadManifest) -> dict[str, str]:
    """Return what the older release calls the files whose paths have a version: the record, the metadata."""
    before = {package.name: package for package in old.packages}
    names: dict[str, str] = {}
    for package in new.packages:
        older = before.get(package.name)
        if older is None or older.stem == package.stem:
            continue
        names[f"conda-meta/{package.stem}.json"] = f"conda-meta/{older.stem}.json"
        for frame in package.frames:
            for file in frame.files:
                names[file.path] = file.path.replace(package.version, older.version)
    return names


def _base(key: Key, names: Mapping[str, str], old: _Contents) -> Key | None:
    """Return the file of the older release that is most like a file, if prefixes have it as released."""
    path, at = key
    for name in (path, names.get(path, path)):
        file = old.entries.get((name, at))
        if file is not None and file.how in _AS_RELEASED and file.size >= _SMALLEST_BASE:
            return name, at
    return None


def _pack(group: _Group) -> _Packed:
    """Compress a group, with the older files as dictionary if that is smaller."""
    raw = b"".join(data for _, data in group.files)
    data = _compress(raw, b"")
    if group.base:
        smaller = _compress(raw, b"".join(content for _, content in group.base))
        if len(smaller) < len(data):
            return _Packed(group=group, data=smaller)
    return _Packed(group=_Group(files=group.files, base=()), data=data)


def _compress(raw: bytes, dictionary: bytes) -> bytes:
    import zstandard

    parameters = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL,
        source_size=len(raw),
        dict_size=len(dictionary),
        window_log=_WINDOW_LOG,
        enable_ldm=bool(dictionary),
        write_content_size=True,
    )
    known = None
    if dictionary:
        known = zstandard.ZstdCompressionDict(dictionary, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return zstandard.ZstdCompressor(compression_params=parameters, dict_data=known).compress(raw)


def _in_order(
    pool: ThreadPoolExecutor, pack: Callable[[_Group], _Packed], groups: Iterable[_Group]
) -> list[_Packed]:
    """Pack groups in several threads; not many more are in memory."""
    waiting: deque[Future[_Packed]] = deque()
    found: list[_Packed] = []
    for group in groups:
        waiting.append(pool.submit(pack, group))
        if len(waiting) > _WORKERS:
            found.append(waiting.popleft().result())
    return [*found, *(future.result() for future in waiting)]


def _join(base: Mapping[str, str], found: Mapping[str, Sequence[_Packed]], signature: bytes) -> bytes:
    """Return the head, the index and the frames; offsets count from the first frame's."""
    index: dict[str, object] = {"base": base}
    body = bytearray()
    for name, items in found.items():
        listed = []
        for item in items:
            listed.append(item.entry(len(body)))
            body += item.data
        index[name] = listed
    text = json.dumps(index, separators=(",", ":"), ensure_ascii=False).encode()
    packed = _compress(text, b"")
    return pack_head(len(packed), len(text), signature) + packed + bytes(body)
