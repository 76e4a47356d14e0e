"""Byte code in the cache: of each source once, whatever package, platform or release it belongs to."""

import hashlib
import sqlite3
import threading
import weakref
from collections.abc import Iterable
from pathlib import Path

from cuvee.progress import Reporter


class CompiledStore:
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
        """Return the byte code of keys that is in the cache and intact. Thread-safe."""
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
        """Keep byte code by key; `None` for what does not compile. Thread-safe."""
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
        # Python 3.13 warns of a connection that is not closed.
        weakref.finalize(self, connection.close).atexit = False
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
