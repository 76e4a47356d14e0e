"""The verb `verify`: compare every file of a prefix with what was installed."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import stat
import struct
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from .added_packages import AddedPackage, added_packages
from .expected_file import MODE, Batch, ExpectedFile, TakeFiles, batches, differing
from .failure import FAILED
from .file_operations import files_below
from .forked_work import forked
from .installer_log import labelled, show
from .moved_prefix import explanation, moved_from
from .prefix_state import HISTORY, KEPT, SAVED, UNLISTED, UNPROVED, InstalledRelease
from .prefix_tree import PrefixTree, is_folder
from .worker_threads import share

_CONDAS = ("envs/", "pkgs/")  # what conda makes in a prefix that it is run from
_ENVIRONMENT = re.compile(r"(.+?)/(?:conda-meta/.*|pyvenv\.cfg)", re.DOTALL)


class Differences(NamedTuple):
    """How a prefix differs from its release; paths are relative and sorted.

    ``rewritten`` is byte code that Python made again, ``waiting`` what the desktop has not made yet, or
    Python by itself in another form. ``extra`` are all files that are not the release's, ``unknown`` those of
    them that belong to no package, ``compiled`` byte code made later, and ``meta`` what conda's tools keep in
    ``conda-meta``. Of these only ``unknown`` is damage.
    """

    files: int
    changed: list[str]
    missing: list[str]
    modes: list[str]
    unknown: list[str]
    rewritten: list[str]
    waiting: list[str]
    extra: list[str]
    compiled: list[str]
    meta: list[str]
    added: list[AddedPackage]

    @property
    def good(self) -> bool:
        """Whether the prefix is what was released; byte code may be missing that the desktop makes."""
        return not (self.changed or self.missing or self.modes or self.unknown)

    def user_files(self, prefix: str) -> list[str]:
        """Return what an upgrade, a rollback and a removal keep, except files that were changed."""
        saved = [f"{SAVED}/{path}" for path in files_below(f"{prefix}/{SAVED}")]
        return [path for path in [*self.extra, *self.meta] if path != HISTORY] + saved


def expected_files(installed: InstalledRelease) -> tuple[dict[str, ExpectedFile], dict[str, str]]:
    """Return each file that a prefix should hold, and each link's target."""
    manifest, state = installed.manifest, installed.state
    files: dict[str, ExpectedFile] = {}
    lists = [frame.files for frame in [*manifest.frames(), *manifest.records]]
    late = state.late
    for path, mode, _, size, how, sha256, extra in itertools.chain(*lists, manifest.stage0):
        if how == "piece":
            known = files.setdefault(path, ExpectedFile(mode | 0o200, 0, []))
            pieces = [*known.pieces, (extra, size, sha256)]
            files[path] = known._replace(size=known.size + size, pieces=pieces)
        elif how != "link":
            sha256, size = late.get(path, (sha256, size))  # noqa: PLW2901
            files[path] = ExpectedFile(mode, size, [(0, size, sha256)])
    fixed = {*state.own, *state.gone, *state.links}
    for path, file in manifest.compiled().items():
        if source_of(path) not in fixed:  # else post_install has changed what it would be made from
            files[path] = ExpectedFile(file.mode, file.size, [(0, file.size, file.sha256)])
    for path, (mode, sha256, size) in state.own.items():
        files[path] = ExpectedFile(mode, size, [(0, size, sha256)], masked=False)
    links = manifest.links() | state.links
    for path in [*state.gone, *state.links]:
        files.pop(path, None)
    for path in [*state.gone, *state.own]:
        links.pop(path, None)
    return files, links


def report(installed: InstalledRelease, options: frozenset[str]) -> int:
    """Run the verb: show every difference; return 1 if there is one."""
    found = verify(installed)
    manifest = installed.manifest
    proved = not os.path.lexists(f"{installed.prefix}/{UNPROVED}")
    moved = moved_from(installed)
    good = found.good and proved and not moved and not found.waiting
    value = {
        "good": good,
        "proved": proved,
        "prefix": installed.prefix,
        "moved_from": moved or None,
        "distribution": manifest.distribution,
        "version": manifest.version,
        "files": found.files,
        "changed": found.changed,
        "missing": found.missing,
        "modes": found.modes,
        "extra": found.unknown,
        "byte_code": {"rewritten": found.rewritten, "compiled": found.compiled, "waiting": found.waiting},
        "added": [{"name": added.name, "version": added.version, "by": added.by} for added in found.added],
    }
    texts = labelled(changed=found.changed, missing=found.missing, mode_changed=found.modes)
    texts += labelled(extra=found.unknown, byte_code_made_again_by_Python=found.rewritten)
    texts += [f"added with {added.by}: {added.name} {added.version}" for added in found.added]
    texts += [] if proved else ["not proved: its post_install has not ended; start its installer again"]
    texts += [f"moved: {explanation(installed)}"] if moved else []
    verdict = "is as it was released" if good else "differs from what was released"
    if found.waiting and found.good and proved and not moved:
        verdict = (
            f"is as it was released, but for {len(found.waiting):,} files of byte code, still to be made"
        )
        texts.append(f"make them: {manifest.distribution}-admin compile")
    texts.append(f"{manifest.label} {verdict}: {found.files:,} files checked")
    show(value, texts, options)
    return 0 if good else FAILED


def verify(
    installed: InstalledRelease,
    *,
    only: Collection[str] | None = None,
    meanwhile: Callable[[], None] = lambda: None,
    take: TakeFiles | None = None,
) -> Differences:
    """Compare a prefix with its release; nothing is written. With ``only`` no files but those are read.

    ``meanwhile`` is done, too, while other processes read. They call ``take`` with the files of each folder
    whose bytes are as they should be.
    """
    prefix = installed.prefix
    scan = _Scan(installed, only, take)
    todo = scan.batches()
    if work := forked(todo, scan.look):
        try:
            meanwhile()
            scan.walk()
        except BaseException:
            work.end()
            raise
        scan.note(work.results())
    else:
        meanwhile()
        scan.walk()
        share(todo, lambda batch: scan.note(scan.look(batch)))
    rewritten = _rewritten(installed, scan.changed)
    made_here = installed.manifest.compiled().keys() & scan.files.keys()
    waiting = {path for path in made_here if path not in scan.seen}
    waiting |= {path for path in made_here.intersection(scan.changed) if _is_pythons(installed, path)}
    waiting -= rewritten
    others = set(scan.extra)
    nested = _in_environments(scan.extra)
    compiled = {path for path in others - nested if source_of(path) and source_of(path) not in others}
    compiled |= {path for path in others if path.removesuffix(".new") in made_here}  # of one that was killed
    meta = {path for path in scan.extra if path.startswith("conda-meta/") and not path.startswith(f"{KEPT}/")}
    added, owned = added_packages(prefix, sorted(others - compiled - nested))
    others -= compiled | meta
    owned |= {path for path in others if path.startswith(_CONDAS)}
    owned |= {path for path in others if source_of(path) in others}  # its source is listed
    return Differences(
        files=len(scan.files) + len(scan.links) - len(waiting),
        changed=sorted(set(scan.changed) - rewritten - waiting),
        missing=sorted({*scan.files, *scan.links} - scan.seen - waiting),
        modes=sorted(set(scan.modes) - set(scan.changed)),
        unknown=sorted(others - owned),
        rewritten=sorted(rewritten),
        waiting=sorted(waiting),
        extra=sorted(others),
        compiled=sorted(compiled),
        meta=sorted(meta),
        added=added,
    )


def _in_environments(extra: list[str]) -> set[str]:
    """Return the files of other environments in the prefix, whose packages and byte code are their own."""
    found = {path for path in extra if path.startswith(_CONDAS)}
    matches = (_ENVIRONMENT.fullmatch(path) for path in extra if path not in found)
    folders = tuple({f"{match[1]}/" for match in matches if match is not None})
    return found | {path for path in extra if path.startswith(folders)}


class _Scan:
    """One walk through a prefix, and one look into its files, in any order or at once.

    With ``only``, no files but those are looked into.
    """

    def __init__(
        self, installed: InstalledRelease, only: Collection[str] | None, take: TakeFiles | None
    ) -> None:
        self.files, self.links = expected_files(installed)
        self.seen: set[str] = set()
        self.changed: list[str] = []
        self.modes: list[str] = []
        self.extra: list[str] = []
        self._installed = installed
        self._read: Collection[str] = self.files if only is None else self.files.keys() & only
        self._take = take

    def walk(self) -> None:
        """Note what shows without reading the files."""
        for path, entry in _walk(self._installed.prefix):
            self.seen.add(path)
            if path in self.files:
                if path not in self._read:
                    self._sort(path, entry.stat(follow_symlinks=False))
            elif path in self.links:
                if not entry.is_symlink() or os.readlink(entry.path) != self.links[path]:
                    self.changed.append(path)
            elif path not in UNLISTED and not path.startswith(f"{SAVED}/"):
                self.extra.append(path)

    def batches(self) -> list[Batch]:
        """Return the files that are to be read."""
        return batches(self._read, self.files)

    def look(self, batch: Batch) -> list[str]:
        """Return the files that are not as they should be, see `differing`."""
        return differing(self._installed.prefix, batch, self.files, self._installed.state.masks, self._take)

    def note(self, texts: list[str]) -> int:
        """Note files that were read and differ, unless they are only missing."""
        for text in texts:
            path = text[1:]
            if path in self.seen:
                (self.modes if text[0] == MODE else self.changed).append(path)
        return len(texts)

    def _sort(self, path: str, found: os.stat_result) -> None:
        expected = self.files[path]
        if not stat.S_ISREG(found.st_mode) or found.st_size != expected.size:
            self.changed.append(path)
        elif os.name == "posix":
            may_be = expected.modes(self._installed.state.masks)
            if stat.S_IMODE(found.st_mode) not in may_be:
                self.modes.append(path)


def _walk(prefix: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield each file and link below the prefix; folders that are links are not entered."""
    todo = [""]
    while todo:
        folder = todo.pop()
        with os.scandir(f"{prefix}/{folder}") as entries:
            inside = f"{folder}/" if folder else ""
            for entry in entries:
                path = inside + entry.name
                if is_folder(entry):
                    todo.append(path)
                else:
                    yield path, entry


def source_of(path: str) -> str | None:
    """Return the source that byte code in a ``__pycache__`` was made from."""
    folder, _, name = path.rpartition("/")
    if not name.endswith(".pyc") or not f"/{folder}".endswith("/__pycache__"):
        return None
    return f"{folder.removesuffix('__pycache__')}{name.partition('.')[0]}.py"


def _is_pythons(installed: InstalledRelease, path: str) -> bool:
    """Return whether Python has made byte code by itself: that has a longer name of its source."""
    try:
        data = PrefixTree(installed.prefix).read(path)
        flags, time = struct.unpack("<4xII", data[:12])
        now = int(os.stat(f"{installed.prefix}/{source_of(path)}").st_mtime) & 0xFFFFFFFF
    except (OSError, struct.error):
        return False
    return flags == 0 and time == now and len(data) > installed.manifest.compiled()[path].size


def _rewritten(installed: InstalledRelease, changed: list[str]) -> set[str]:
    """Return the byte code that Python made again, because its source had got another time.

    The header of byte code is that of https://peps.python.org/pep-0552/.
    """
    manifest, found = installed.manifest, set()
    sources = {source: path for path in changed if (source := source_of(path)) is not None}
    lists = [manifest.stage0, *(frame.files for frame in manifest.frames())] if sources else []
    times = {file.path: file.extra for files in lists for file in files if file.path in sources}
    for source, path in sources.items():
        released = manifest.source_time if times.get(source) is None else times[source]
        with contextlib.suppress(OSError, struct.error):
            flags, time = struct.unpack("<4xII", PrefixTree(installed.prefix).read(path)[:12])
            now = int(os.stat(f"{installed.prefix}/{source}").st_mtime) & 0xFFFFFFFF
            if flags == 0 and time == now != released:
                found.add(path)
    return found
