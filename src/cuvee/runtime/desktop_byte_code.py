"""Byte code that an installer does not have: the release's own Python makes it once all else is in place.

The release states the hash of each file. What comes out otherwise is not written. Until a file is there, the
release is whole, but Python compiles its source each time it is imported, or once if it may write there.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple, cast

from . import installer_log
from .failure import FAILED, INTERRUPTED, InstallError
from .hashing import sha256 as hash_of
from .imposed_modes import change
from .installer_run import ProgressLine
from .payload_manifest import PayloadFile, PayloadManifest
from .prefix_lock import hold
from .prefix_state import KEPT, InstalledRelease, load
from .prefix_tree import PrefixTree
from .verify import source_of, verify
from .worker_threads import share

_BATCH_BYTES = 256 << 10
_SIZE_BYTES = 8
_MOST = 32
_NICE = 10
_START = ("-I", "-S", "-B", "-X", "utf8")
_SCRIPT = f"{KEPT}/runtime/compile_batch.py"


class Unmade(NamedTuple):
    """The byte code that could not be made, why not, and whether a signal has stopped that."""

    paths: list[str]
    reason: str
    interrupted: bool


def report(installed: InstalledRelease, options: frozenset[str]) -> int:
    """Run the verb `compile`: make what is not there, or not as it was released."""
    prefix = installed.prefix
    with hold(prefix):
        installed = load(prefix)
        left = make(installed, to_make(installed))
    count = len(installed.manifest.compiled())
    message = f"{installed.manifest.label} in {prefix}: {count - len(left.paths):,} of {count:,} files"
    message += f" of byte code are there{f', {left.reason}' if left.reason else ''}"
    code = (INTERRUPTED if left.interrupted else FAILED) if left.paths else 0
    installer_log.note(prefix, "compile", code, message)
    value = {"prefix": prefix, "files": count, "waiting": left.paths, "reason": left.reason or None}
    installer_log.show(value, [message], options)
    return code


def to_make(installed: InstalledRelease) -> list[str]:
    """Return the byte code that is not there, or not as it was released."""
    wanted = installed.manifest.compiled()
    if not wanted:
        return []
    found = verify(installed, only=wanted)
    return sorted({*found.waiting, *(path for path in [*found.changed, *found.modes] if path in wanted)})


def complete(installed: InstalledRelease) -> None:
    """Make what is not there, at the end of an installation, which does not fail by that.

    The release is in use by then, so it says first that it can be, and the processes have a low priority.
    """
    wanted = installed.manifest.compiled()
    tree = PrefixTree(installed.prefix)
    paths = [path for path, file in wanted.items() if _size(tree, path) != file.size]
    if not paths:
        return
    command = os.path.normpath(f"{installed.prefix}/{installed.manifest.command}")
    sys.stdout.write(
        f"It can be used already. Now {len(paths):,} files of byte code are compiled, so that it starts "
        f"faster. If that is interrupted, this does the rest: {command} compile\n"
    )
    sys.stdout.flush()
    left = make(installed, paths)
    if not left.paths:
        return
    message = f"{len(left.paths):,} of {len(wanted):,} files of byte code are not there, {left.reason}"
    installer_log.note(installed.prefix, "compile", FAILED, message)
    installer_log.warn(
        [f"{message}. All works without them, but starts more slowly. This makes them: {command} compile"]
    )


def complete_in(prefix: str) -> None:
    """Do the same in a prefix, and hold its lock meanwhile."""
    try:
        with hold(prefix):
            complete(load(prefix))
    except (InstallError, OSError) as error:  # somebody else has begun to change it, for one
        installer_log.warn([f"byte code is not made: {getattr(error, 'message', None) or error}"])


def _size(tree: PrefixTree, path: str) -> int | None:
    found = tree.find(path)
    return None if found is None else found.st_size


def make(installed: InstalledRelease, paths: list[str]) -> Unmade:
    """Compile sources, on all cores; return what could not be made. Nothing is raised.

    A signal ends it after the files that are being made.
    """
    wanted = {path: installed.manifest.compiled()[path] for path in paths}
    if not wanted:
        return Unmade([], "", interrupted=False)
    work = _Work(installed, wanted)
    with _told_by_signals(work.stop):
        work.run()
    left = sorted(wanted.keys() - work.made)
    reason = work.reason or f"since they are compiled otherwise here, {left[0]} for one" if left else ""
    return Unmade(left, reason, interrupted=work.interrupted)


class _Work:
    def __init__(self, installed: InstalledRelease, wanted: dict[str, PayloadFile]) -> None:
        self.made: set[str] = set()
        self.reason = ""
        self.interrupted = False
        self._installed = installed
        self._wanted = wanted
        self._tree = PrefixTree(installed.prefix)
        self._sources = _sources(installed.manifest, wanted)
        self._mask = installed.state.masks[0]
        self._idle: list[_Compiler] = []
        self._lock = threading.Lock()

    def stop(self) -> None:
        """End soon, since a signal wants that."""
        self.interrupted, self.reason = True, "since it was interrupted"

    def run(self) -> None:
        """Make all of it, or note the reason why not."""
        progress = ProgressLine("Compiling", sum(file.size for file in self._wanted.values()))
        try:
            share(self._batches(), self._compile, progress.show, most=_MOST)
        except Exception as error:  # noqa: BLE001 - the release is installed already
            self.reason = self.reason or f"since this failed: {getattr(error, 'strerror', None) or error}"
        finally:
            progress.wipe()
            for compiler in self._idle:
                compiler.end()

    def _batches(self) -> Iterator[list[str]]:
        """Yield what is compiled together, the largest files first, so that all processes end together."""
        batch: list[str] = []
        size = 0
        for path in sorted(self._sources, key=lambda path: (-self._wanted[path].size, path)):
            if self.reason:
                return
            batch.append(path)
            size += self._wanted[path].size
            if size >= _BATCH_BYTES:
                yield batch
                batch, size = [], 0
        yield batch

    def _compile(self, paths: list[str]) -> int:
        with self._lock:
            compiler = self._idle.pop() if self._idle else None
        compiler = compiler or _Compiler(self._installed)
        sources = [self._read(path) for path in paths]
        answer = compiler.compile(sources)
        if answer is None:
            compiler.end()
            self.reason = self.reason or "since its Python has stopped"
            return 0
        with self._lock:
            self._idle.append(compiler)
        for path, data in zip(paths, answer, strict=True):
            file = self._wanted[path]
            if data is None or hash_of(data) != file.sha256:
                continue
            self._tree.write(path, data, file.mode & ~self._mask, make=True)
            change(f"{self._installed.prefix}/{path}", file.mode & ~self._mask)
            self.made.add(path)
        return sum(self._wanted[path].size for path in paths)

    def _read(self, path: str) -> tuple[str, bytes, int]:
        source, time = self._sources[path]
        try:
            data = self._tree.read(source)
        except OSError:  # it is missing, which `verify` says
            data = b""
        return _module(source, self._installed.manifest.module_roots), data, time


class _Compiler:
    """A process of the release's Python that runs `compile_batch`."""

    def __init__(self, installed: InstalledRelease) -> None:
        prefix = installed.prefix
        argv = [f"{prefix}/{installed.manifest.interpreter}", *_START, f"{prefix}/{_SCRIPT}"]
        pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
        low = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)
        self._program = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=nothing, creationflags=low)
        _give_way(self._program.pid)

    def compile(self, sources: list[tuple[str, bytes, int]]) -> list[bytes | None] | None:
        """Return the byte code of sources; `None` if the process has ended."""
        to, answer = cast("IO[bytes]", self._program.stdin), cast("IO[bytes]", self._program.stdout)
        try:
            to.write(marshal.dumps(sources))
            to.flush()
            size = int.from_bytes(answer.read(_SIZE_BYTES), "little")
            data = answer.read(size)
            found: list[bytes | None] = marshal.loads(data) if size else []  # noqa: S302 - of our own script
        except (BrokenPipeError, EOFError, ValueError, TypeError):
            return None
        return found if len(found) == len(sources) else None

    def end(self) -> None:
        """End the process."""
        for stream in (self._program.stdin, self._program.stdout):
            with contextlib.suppress(OSError):
                cast("IO[bytes]", stream).close()
        self._program.wait()


def _give_way(number: int) -> None:
    """Lower the priority of a process, so that a desktop on which all cores compile stays usable."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):  # it has ended, which is seen when it should answer
            os.setpriority(os.PRIO_PROCESS, number, os.getpriority(os.PRIO_PROCESS, number) + _NICE)


def _sources(manifest: PayloadManifest, wanted: dict[str, PayloadFile]) -> dict[str, tuple[str, int]]:
    """Return the source of each file, and the time that it has in a prefix."""
    by_source = {source: path for path in wanted if (source := source_of(path)) is not None}
    lists = [manifest.stage0, *(frame.files for frame in manifest.frames())]
    found = {}
    for file in (file for files in lists for file in files):
        if file.path in by_source and file.how == "source":
            time = manifest.source_time if file.extra is None else file.extra
            found[by_source[file.path]] = file.path, int(time)
    return found


def _module(source: str, roots: list[str]) -> str:
    """Return what byte code calls its source: the path below the first folder that has it."""
    return next((source[len(root) + 1 :] for root in roots if source.startswith(f"{root}/")), source)


@contextlib.contextmanager
def _told_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` if a signal comes; those that were ignored are ignored again afterwards."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, lambda *_: stop()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
