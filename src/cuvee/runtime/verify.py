"""The verb `verify`: hold every file of a prefix to what was installed."""

from __future__ import annotations

import contextlib
import os
import stat
import struct
from collections.abc import Collection, Iterator
from typing import NamedTuple

from .added import Added, added_packages
from .digest import sha256_of
from .failure import FAILED
from .log import show
from .sharing import share
from .state import KEPT, LOGS, MANIFEST, MARKER, PASSING, SAVED, STATE, UNPROVED, Installed

_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_BATCH, _BATCH_SIZE = 64, 4 << 20
_CONDAS = ("envs/", "pkgs/")  # what conda makes in a prefix that it is run from
_UNTOLD = frozenset((MARKER, MANIFEST, STATE, UNPROVED, *LOGS, *PASSING))


class Expected(NamedTuple):
    """A file as it should be: its mode, its size, and ``(offset, size, SHA-256)`` of its pieces."""

    mode: int
    size: int
    pieces: list[tuple[int, int, str]]
    masked: bool


class Findings(NamedTuple):
    """How a prefix differs from its release; paths are relative and sorted.

    ``rewritten`` is byte code that Python made again, ``extra`` all files that are not the release's,
    ``unknown`` those of them that belong to no package, ``compiled`` byte code made later, and ``meta`` what
    conda's tools keep in ``conda-meta``. None of these but ``unknown`` is damage. ``times`` says, in seconds,
    when each of the release's files was last written.
    """

    files: int
    changed: list[str]
    missing: list[str]
    modes: list[str]
    unknown: list[str]
    rewritten: list[str]
    extra: list[str]
    compiled: list[str]
    meta: list[str]
    added: list[Added]
    times: dict[str, int]

    @property
    def good(self) -> bool:
        """Whether the prefix is what was released."""
        return not (self.changed or self.missing or self.modes or self.unknown)


def expected_files(installed: Installed) -> tuple[dict[str, Expected], dict[str, str]]:
    """Give each file that a prefix should hold, and each link's target."""
    manifest, state = installed.manifest, installed.state
    files: dict[str, Expected] = {}
    for frame in [*manifest.frames(), *manifest.records]:
        for file in frame.files:
            if file.how == "piece":
                known = files.setdefault(file.path, Expected(file.mode | 0o200, 0, [], masked=True))
                pieces = [*known.pieces, (file.extra, file.size, file.sha256)]
                files[file.path] = known._replace(size=known.size + file.size, pieces=pieces)
            else:
                sha256, size = state.late.get(file.path, (file.sha256, file.size))
                files[file.path] = Expected(file.mode, size, [(0, size, sha256)], masked=True)
    links = {path: target for package in manifest.packages for path, target in package.links}
    for early in manifest.stage0:
        if early.how != "link":
            sha256, size = state.late.get(early.path, (early.sha256, early.size))
            files[early.path] = Expected(early.mode, size, [(0, size, sha256)], masked=True)
    for path, (mode, sha256, size) in state.own.items():
        files[path] = Expected(mode, size, [(0, size, sha256)], masked=False)
    links.update(state.links)
    for path in [*state.gone, *state.links]:
        files.pop(path, None)
    for path in [*state.gone, *state.own]:
        links.pop(path, None)
    return files, links


def report(installed: Installed, options: frozenset[str]) -> int:
    """Run the verb: tell every difference; give 1 if there is one."""
    found = verify(installed)
    manifest = installed.manifest
    proved = not os.path.lexists(f"{installed.prefix}/{UNPROVED}")
    good = found.good and proved
    value = {
        "good": good,
        "proved": proved,
        "prefix": installed.prefix,
        "distribution": manifest.distribution,
        "version": manifest.version,
        "files": found.files,
        "changed": found.changed,
        "missing": found.missing,
        "modes": found.modes,
        "extra": found.unknown,
        "byte_code": {"rewritten": found.rewritten, "compiled": found.compiled},
        "added": [{"name": added.name, "version": added.version, "by": added.by} for added in found.added],
    }
    texts = [f"changed: {path}" for path in found.changed]
    texts += [f"missing: {path}" for path in found.missing]
    texts += [f"mode changed: {path}" for path in found.modes]
    texts += [f"extra: {path}" for path in found.unknown]
    texts += [f"byte code made again by Python: {path}" for path in found.rewritten]
    texts += [f"added with {added.by}: {added.name} {added.version}" for added in found.added]
    texts += [] if proved else ["not proved: its post_install has not ended; start its installer again"]
    verdict = "is as it was released" if good else "differs from what was released"
    texts.append(f"{manifest.title} {manifest.version} {verdict}: {found.files:,} files checked")
    show(value, texts, as_json="--json" in options)
    return 0 if good else FAILED


def verify(installed: Installed, *, hashes: bool = True, only: Collection[str] | None = None) -> Findings:
    """Compare; nothing is written.

    Without ``hashes`` only what is there is looked at; with ``only`` no files but those are hashed.
    """
    prefix = installed.prefix
    look = _Look(installed, hashes=hashes, only=only)
    share(look.batches(), lambda: contextlib.nullcontext(look.hold))
    files, links, changed, extra = look.files, look.links, look.changed, look.extra
    rewritten = {path for path in changed if _is_rewritten(installed, path)}
    others = set(extra)
    compiled = {path for path in extra if _source(path) is not None and _source(path) not in others}
    meta = {path for path in extra if path.startswith("conda-meta/") and not path.startswith(f"{KEPT}/")}
    added, owned = added_packages(prefix, sorted(others - compiled))
    others -= compiled | meta
    owned |= {path for path in others if path.startswith(_CONDAS)}
    owned |= {path for path in others if _source(path) is not None}  # its source is told
    return Findings(
        files=len(files) + len(links),
        changed=sorted(set(changed) - rewritten),
        missing=sorted(path for path in [*files, *links] if path not in look.seen),
        modes=sorted(set(look.modes) - set(changed)),
        unknown=sorted(others - owned),
        rewritten=sorted(rewritten),
        extra=sorted(others),
        compiled=sorted(compiled),
        meta=sorted(meta),
        added=added,
        times=look.times,
    )


class _Look:
    """One look at a prefix: several threads hash files while others are still looked for."""

    def __init__(self, installed: Installed, *, hashes: bool, only: Collection[str] | None) -> None:
        self.files, self.links = expected_files(installed)
        self.seen: set[str] = set()
        self.changed: list[str] = []
        self.modes: list[str] = []
        self.extra: list[str] = []
        self.times: dict[str, int] = {}
        self._installed = installed
        self._hashes = hashes
        self._only = only

    def batches(self) -> Iterator[list[tuple[str, Expected]]]:
        """Walk through the prefix; give what is to be hashed."""
        batch: list[tuple[str, Expected]] = []
        size = 0
        for path, found in _walk(self._installed.prefix):
            wanted = self._sort(path, found)
            if wanted is not None and self._hashes and (self._only is None or path in self._only):
                batch.append((path, wanted))
                size += wanted.size
            if len(batch) >= _BATCH or size >= _BATCH_SIZE:
                yield batch
                batch, size = [], 0
        yield batch

    def hold(self, batch: list[tuple[str, Expected]]) -> int:
        """Hash files, and hold them to what they should be."""
        prefix = self._installed.prefix
        self.changed += [path for path, wanted in batch if not holds(f"{prefix}/{path}", wanted)]
        return len(batch)

    def _sort(self, path: str, found: os.stat_result) -> Expected | None:
        """Note what can be told without reading the file; what to hold its bytes to, if that makes sense."""
        self.seen.add(path)
        wanted = self.files.get(path)
        if wanted is None:
            if path in self.links:
                place = f"{self._installed.prefix}/{path}"
                if not stat.S_ISLNK(found.st_mode) or os.readlink(place) != self.links[path]:
                    self.changed.append(path)
            elif path not in _UNTOLD and not path.startswith(f"{SAVED}/"):
                self.extra.append(path)
            return None
        self.times[path] = int(found.st_mtime)
        if not stat.S_ISREG(found.st_mode) or found.st_size != wanted.size:
            self.changed.append(path)
            return None
        if os.name == "posix" and not _bears_mode(stat.S_IMODE(found.st_mode), wanted, self._installed):
            self.modes.append(path)
        return wanted


def _bears_mode(mode: int, wanted: Expected, installed: Installed) -> bool:
    # `tar` keeps modes as they are for root, and takes the umask away for others.
    masks = installed.state.masks if wanted.masked else []
    return mode == wanted.mode or any(mode == wanted.mode & ~mask for mask in masks)


def _walk(prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    """Give each file and link below the prefix; folders that are links are not entered."""
    todo = [""]
    while todo:
        folder = todo.pop()
        with os.scandir(f"{prefix}/{folder}") as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    todo.append(path)
                else:
                    yield path, entry.stat(follow_symlinks=False)


def holds(place: str, wanted: Expected) -> bool:
    """Whether the file's bytes are what they should be."""
    try:
        handle = os.open(place, _READ)  # `open` asks the system for more than a file's bytes
    except OSError:
        return False
    try:
        at = 0
        for offset, size, sha256 in wanted.pieces:
            if offset != at:
                os.lseek(handle, offset, os.SEEK_SET)
            if sha256_of(lambda count: os.read(handle, count), size) != sha256:
                return False
            at = offset + size
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def _source(path: str) -> str | None:
    """Name the source that byte code in a ``__pycache__`` was made from."""
    folder, _, name = path.rpartition("/")
    if not name.endswith(".pyc") or not f"/{folder}".endswith("/__pycache__"):
        return None
    return f"{folder.removesuffix('__pycache__')}{name.partition('.')[0]}.py"


def _is_rewritten(installed: Installed, path: str) -> bool:
    """Whether Python made this byte code again, because its source had got another time."""
    source = _source(path)
    if source is None:
        return False
    try:
        with open(f"{installed.prefix}/{path}", "rb") as stream:
            flags, time = struct.unpack("<4xII", stream.read(12))
        now = int(os.stat(f"{installed.prefix}/{source}").st_mtime) & 0xFFFFFFFF
    except (OSError, struct.error):
        return False
    return bool(flags == 0 and time == now and now != installed.manifest.source_time)
