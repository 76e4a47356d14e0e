"""Byte code, compiled when the release is cut, so that desktops do not have to.

Its names follow https://peps.python.org/pep-3147/. Python validates it by the time of the source, and not by
its hash (https://peps.python.org/pep-0552/), so that it need not read the source: the runtime gives every
source the one `SOURCE_TIME`. The cache is keyed on content, so that a source of several platforms or releases
compiles once.
"""

import hashlib
import marshal
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cuvee import process
from cuvee.errors import ToolMissingError
from cuvee.image.model import SOURCE_TIME
from cuvee.image.spool import batches

_SCRIPT = Path(__file__).with_name("compile_batch.py")
_BATCH_BYTES = 2 << 20
_PROCESSES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonSource:
    """A Python source: its path below ``site-packages`` or the standard library, and its bytes."""

    name: str
    data: bytes


class ByteCompiler:
    """Compiles with one interpreter, of the release's minor version, and caches the results in a folder.

    Raises
    ------
    ToolMissingError
        If the interpreter cannot be run.
    """

    def __init__(self, executable: Path, cache: Path) -> None:
        self.executable = executable
        probe = "import sys, importlib.util as u; print(*sys.version_info[:2], u.MAGIC_NUMBER.hex())"
        done = process.run(process.Request(argv=(str(executable), "-I", "-S", "-B", "-c", probe), timeout=60))
        if not done.ok:
            raise ToolMissingError(
                f"{executable} does not run as a Python interpreter: {done.stderr.strip()[-200:]}",
                hint="Byte code is compiled by an interpreter of the release's minor version.",
            )
        major, minor, magic = done.stdout.split()
        self.version = f"{major}.{minor}"
        self._store = _Store(cache / "bytecode" / f"{magic}.sqlite")
        self._pool = ThreadPoolExecutor(_PROCESSES, thread_name_prefix="bytecode")

    def compile(self, sources: Sequence[PythonSource]) -> list[bytes | None]:
        """Return the ``.pyc`` of each source; `None` if it does not compile in this version. Thread-safe."""
        keys = [_key(source) for source in sources]
        known = self._store.get(keys)
        todo = {key: source for key, source in zip(keys, sources, strict=True) if key not in known}
        fresh: dict[bytes, bytes | None] = {}
        todo_batches = list(batches(todo.items(), lambda item: len(item[1].data), _BATCH_BYTES))
        for batch, results in zip(todo_batches, self._pool.map(self._run, todo_batches), strict=True):
            fresh.update(zip([key for key, _ in batch], results, strict=True))
        self._store.put(fresh)
        known |= fresh
        return [known[key] for key in keys]

    def _run(self, batch: list[tuple[bytes, PythonSource]]) -> list[bytes | None]:
        with TemporaryDirectory(prefix="cuvee-bytecode-") as folder:
            output = Path(folder) / "compiled"
            payload = marshal.dumps([(source.name, source.data, SOURCE_TIME) for _, source in batch])
            argv = (str(self.executable), "-I", "-S", "-B", str(_SCRIPT), str(output))
            done = process.run(process.Request(argv=argv, stdin=payload))
            if not done.ok:
                raise ToolMissingError(
                    f"{self.executable} failed to compile byte code: {done.stderr.strip()[-400:]}",
                    hint="The interpreter that runs cuvee seems broken; try another one.",
                )
            results: list[bytes | None] = marshal.loads(output.read_bytes())  # noqa: S302 - written by our script
        return results


class _Store:
    """Byte code by key, in one SQLite file: tens of thousands of small files would be slower."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, timeout=120, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous = OFF")  # a lost cache is filled again
        self._connection.execute("CREATE TABLE IF NOT EXISTS pyc (key BLOB PRIMARY KEY, data BLOB)")
        self._connection.commit()

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes | None]:
        found: dict[bytes, bytes | None] = {}
        with self._lock:
            for key in keys:
                row = self._connection.execute("SELECT data FROM pyc WHERE key = ?", (key,)).fetchone()
                if row is not None:
                    found[key] = row[0]
        return found

    def put(self, items: dict[bytes, bytes | None]) -> None:
        with self._lock, self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO pyc VALUES (?, ?)", items.items())


def _key(source: PythonSource) -> bytes:
    return hashlib.sha256(source.name.encode() + b"\0" + source.data).digest()
