"""Files: hashing, canonical JSON, CSV, and atomic writing.

Artefacts are written to a temporary name and renamed, so a reader sees either the old file or the new one.
"""

import csv
import errno
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cuvee.errors import BusyError, CuveeError, StorageError

# umask(2) can only be read by setting it, which is not safe with threads: read it once.
_UMASK = os.umask(0o022)
os.umask(_UMASK)

_SMALL = 256 << 10
"""Bytes of a file that is read at once: `hashlib.file_digest` would make and clear a buffer of that size."""


def sha256_bytes(data: bytes | bytearray | memoryview) -> str:
    """Return the hex SHA-256 of ``data``."""
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the hex SHA-256 of a file, read once."""
    with path.open("rb", buffering=0) as stream:
        if os.fstat(stream.fileno()).st_size < _SMALL:
            return sha256_bytes(stream.read())
        return hashlib.file_digest(stream, "sha256").hexdigest()


def parse_json(data: bytes | str) -> Any:
    """Return the value of a JSON document of whatever origin.

    Raises
    ------
    ValueError
        If it is not JSON, or is nested too deeply for the parser.
    """
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def canonical_json(value: Any) -> bytes:
    """Return JSON with sorted keys, two spaces and a final newline: equal values give equal bytes."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode(
        errors="backslashreplace"  # a lone surrogate is not UTF-8, but its escape is JSON
    )


def csv_text(heading: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table as CSV, with ``\\n`` at the end of each line."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return stream.getvalue()


def fingerprint(value: Any) -> str:
    """Return the hex SHA-256 of a JSON value, for cache keys."""
    return sha256_bytes(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary file next to ``path``, and rename it to ``path`` if the block succeeds.

    Raises
    ------
    StorageError
        If the disk is full, read-only or refuses the name.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:60]}.", suffix=".part", dir=path.parent)
        os.close(handle)
    beside = Path(name)
    try:
        with storage_errors(path):
            yield beside
            beside.chmod(0o666 & ~_UMASK)
            beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder next to ``path``, which replaces ``path`` if the block succeeds."""
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{path.name[:60]}.", suffix=".part", dir=path.parent))
    try:
        with storage_errors(path):
            yield beside
            beside.chmod(0o777 & ~_UMASK)
            if path.exists():
                old = Path(tempfile.mkdtemp(prefix=f".{path.name[:60]}.", suffix=".old", dir=path.parent))
                path.rename(old / "old")
                beside.rename(path)
                shutil.rmtree(old)
            else:
                beside.rename(path)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write ``data`` to ``path`` atomically."""
    with replacing(path) as beside:
        beside.write_bytes(data)


@contextmanager
def writing_behind(write: Callable[[bytes], object]) -> Iterator[Callable[[bytes], None]]:
    """Yield a function that calls ``write`` in a thread, in order, while the caller reads what is next."""
    from concurrent.futures import Future, ThreadPoolExecutor

    with ThreadPoolExecutor(1, thread_name_prefix="writing") as thread:
        written: list[Future[object]] = []

        def write_next(data: bytes) -> None:
            if written:
                written.pop().result()
            written.append(thread.submit(write, data))

        yield write_next
        for last in written:
            last.result()


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 to ``path`` atomically."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as canonical JSON to ``path`` atomically."""
    write_bytes(path, canonical_json(value))


@contextmanager
def locked_file(path: Path, *, folder: Path) -> Iterator[None]:
    """Hold ``folder`` for this process, by a lock of the system on the file at ``path``, which is made.

    Raises
    ------
    BusyError
        If another process holds it.
    """
    with storage_errors(folder):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _try_lock(handle):
            raise BusyError(
                f"Another cuvee is working on {folder}", hint="Wait until it has finished, or stop it."
            )
        yield
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows: two runs at once are for the user to avoid
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn errors of the file system into a `StorageError` that names the path."""
    try:
        yield
    except CuveeError:
        raise
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            message, hint = (
                f"No space left while writing {path}",
                "Free some space and run the same command again.",
            )
        elif error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            message, hint = f"No permission to write {path}", "Choose a folder that you may write to."
        elif error.errno in {errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY}:
            message, hint = f"Cannot write {path}: {error.strerror}", "Choose another folder."
        else:
            raise
        raise StorageError(message, hint=hint) from error
