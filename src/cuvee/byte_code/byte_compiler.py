"""Byte code, compiled when the release is cut, so that desktops do not have to.

Python validates it by the time of the source, and not by its hash (https://peps.python.org/pep-0552/), so
that it need not read the source. The cache is keyed on content, so that a source of several platforms or
releases compiles once.
"""

import hashlib
import importlib.util
import os
import shutil
import sqlite3
import struct
import sys
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cuvee import process
from cuvee.byte_code.batches import batches
from cuvee.byte_code.compile_servers import CompileServers
from cuvee.errors import ToolMissingError
from cuvee.progress import SILENT, Reporter

_BATCH_BYTES = 2 << 20
_PROCESSES = os.cpu_count() or 1
_UNDATED = 0
_FORM = 2
"""Part of the cache's name: byte code of another form has other bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonSource:
    """A Python source: its path below ``site-packages`` or the standard library, and its bytes."""

    name: str
    data: bytes


class ByteCompiler:
    """Compiles with one interpreter, of the release's minor version, and caches the results in a folder.

    ``version`` is that minor version, such as ``3.11``, ``full_version`` is ``3.11.7``, and ``magic`` what
    its byte code begins with. A line says if something in the cache is damaged; it is compiled again.

    Raises
    ------
    ToolMissingError
        If the interpreter cannot be run.
    """

    def __init__(self, executable: Path, cache: Path, reporter: Reporter = SILENT) -> None:
        self.executable = executable
        *numbers, self.magic = _own_version() if executable == Path(sys.executable) else _probed(executable)
        self.version = ".".join(numbers[:2])
        self.full_version = ".".join(numbers)
        self._store = _Store(cache / "bytecode" / f"{self.full_version}-{_FORM}.sqlite", reporter)
        self._servers = CompileServers(executable)
        self._pool = ThreadPoolExecutor(_PROCESSES, thread_name_prefix="bytecode")

    def compile(self, sources: Sequence[PythonSource], *, time: int) -> list[bytes | None]:
        """Return the ``.pyc`` of each source; `None` if it does not compile in this version. Thread-safe.

        ``time`` is the modification time that the sources will have, in seconds since 1970.
        """
        keys = [_key(source) for source in sources]
        known = self._store.get(keys)
        todo = {key: source for key, source in zip(keys, sources, strict=True) if key not in known}
        fresh: dict[bytes, bytes | None] = {}
        todo_batches = list(batches(todo.items(), lambda item: len(item[1].data), _BATCH_BYTES))
        for batch, results in zip(todo_batches, self._pool.map(self._run, todo_batches), strict=True):
            fresh.update(zip([key for key, _ in batch], results, strict=True))
        self._store.put(fresh)
        known |= fresh
        return [dated(known[key], time) for key in keys]

    def _run(self, batch: list[tuple[bytes, PythonSource]]) -> list[bytes | None]:
        return self._servers.compile([(source.name, source.data, _UNDATED) for _, source in batch])


def _own_version() -> list[str]:
    """Return the three numbers of the version of the running Python, and what its byte code begins with."""
    return [*map(str, sys.version_info[:3]), importlib.util.MAGIC_NUMBER.hex()]


def _probed(executable: Path) -> list[str]:
    """Return the same of another interpreter."""
    probe = "import sys, importlib.util as u; print(*sys.version_info[:3], u.MAGIC_NUMBER.hex())"
    done = process.run(process.Request(argv=(str(executable), "-I", "-S", "-B", "-c", probe), timeout=60))
    if not done.ok:
        raise ToolMissingError(
            f"{executable} does not run as a Python interpreter: {done.stderr.strip()[-200:]}",
            hint="Byte code is compiled by an interpreter of the release's minor version.",
        )
    return done.stdout.split()


def running_compiler(minor: str, cache: Path, reporter: Reporter = SILENT) -> ByteCompiler | None:
    """Return a compiler for one minor version of Python, `None` unless cuvee itself runs on that version."""
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return ByteCompiler(Path(sys.executable), cache, reporter) if minor == here else None


def matching_compiler(version: str, cache: Path, reporter: Reporter = SILENT) -> ByteCompiler | None:
    """Return a compiler for the very version of Python, such as ``3.11.7``.

    It runs the Python that runs cuvee, or one on the search path; `None` if none has that version.
    """
    minor = ".".join(version.split(".")[:2])
    folders = os.environ.get("PATH", "").split(os.pathsep)
    found = [shutil.which(f"python{minor}", path=folder) for folder in folders if folder]
    for executable in dict.fromkeys([sys.executable, *filter(None, found)]):
        try:
            compiler = ByteCompiler(Path(executable), cache, reporter)
        except ToolMissingError:
            continue
        if compiler.full_version == version:
            return compiler
    return None


def dated(compiled: bytes | None, time: int) -> bytes | None:
    """Return byte code for a source with another modification time."""
    if compiled is None:
        return None
    return compiled[:8] + struct.pack("<I", time & 0xFFFFFFFF) + compiled[12:]


class _Store:
    """Byte code by key with its digest, in one SQLite file: tens of thousands of small files are slower."""

    def __init__(self, path: Path, reporter: Reporter) -> None:
        self._path, self._reporter = path, reporter
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError as error:
            self._connection = self._anew(error)

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes | None]:
        with self._lock:
            try:
                rows = [(key, self._row(key)) for key in keys]
            except sqlite3.DatabaseError as error:
                self._connection.close()
                self._connection = self._anew(error)
                return {}
        found = {key: row[0] for key, row in rows if row is not None and _is_intact(key, *row)}
        damaged = sum(row is not None for _, row in rows) - len(found)
        if damaged:
            self._reporter.warn(f"{self._path} has {damaged} damaged modules; they are compiled again")
        return found

    def put(self, items: dict[bytes, bytes | None]) -> None:
        rows = [(key, data, _digest(key, data)) for key, data in items.items()]
        with self._lock, self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO compiled VALUES (?, ?, ?)", rows)

    def _row(self, key: bytes) -> tuple[bytes | None, bytes] | None:
        query = "SELECT data, digest FROM compiled WHERE key = ?"
        row: tuple[bytes | None, bytes] | None = self._connection.execute(query, (key,)).fetchone()
        return row

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=120, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous = OFF")  # a lost cache is filled again
            connection.execute("DROP TABLE IF EXISTS pyc")  # of an earlier cuvee, without digests
            connection.execute(
                "CREATE TABLE IF NOT EXISTS compiled (key BLOB PRIMARY KEY, data BLOB, digest BLOB)"
            )
            connection.commit()
        except BaseException:
            connection.close()
            raise
        return connection

    def _anew(self, error: sqlite3.DatabaseError) -> sqlite3.Connection:
        """Begin with an empty file if this one is not a whole database; else the error is another one."""
        if error.sqlite_errorcode not in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            raise error
        self._reporter.warn(f"{self._path} is damaged; all byte code is compiled again")
        self._path.unlink()
        return self._open()


def _is_intact(key: bytes, data: object, digest: object) -> bool:
    return (data is None or isinstance(data, bytes)) and digest == _digest(key, data)


def _digest(key: bytes, data: bytes | None) -> bytes:
    return hashlib.sha256(key + (b"" if data is None else b"\x01" + data)).digest()


def _key(source: PythonSource) -> bytes:
    return hashlib.sha256(source.name.encode() + b"\0" + source.data).digest()
