"""Byte code, compiled when the release is cut, so that desktops do not have to.

Python validates it by the time of the source, and not by its hash (https://peps.python.org/pep-0552/), so
that it need not read the source. It does not depend on the platform: a source that several platforms or
releases have is compiled once, also if some have it with the line endings of Windows.
"""

import hashlib
import importlib.util
import os
import shutil
import struct
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from cuvee import process
from cuvee.byte_code.batches import batches
from cuvee.byte_code.compile_servers import CompileServers
from cuvee.byte_code.compiled_store import CompiledStore
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
        self._store = CompiledStore(cache / "bytecode" / f"{self.full_version}-{_FORM}.sqlite", reporter)
        self._servers = CompileServers(executable)
        self._pool = ThreadPoolExecutor(_PROCESSES, thread_name_prefix="bytecode")
        self._lock = threading.Lock()
        self._claims: dict[bytes, Future[dict[bytes, bytes | None]]] = {}
        """What some thread looks for or compiles now."""

    def compile(self, sources: Sequence[PythonSource], *, time: int) -> list[bytes | None]:
        """Return the ``.pyc`` of each source; `None` if it does not compile in this version. Thread-safe.

        ``time`` is the modification time that the sources will have, in seconds since 1970.
        """
        texts = [_as_compiled(source) for source in sources]
        keys = [_key(text) for text in texts]
        compiled = self._once(dict(zip(keys, texts, strict=True)))
        return [
            _with_header(compiled[key], time, len(source.data))
            for key, source in zip(keys, sources, strict=True)
        ]

    def _once(self, wanted: Mapping[bytes, PythonSource]) -> dict[bytes, bytes | None]:
        """Return the byte code of sources by key; what another thread compiles is waited for."""
        claim: Future[dict[bytes, bytes | None]] = Future()
        with self._lock:
            elsewhere = {key: self._claims[key] for key in wanted if key in self._claims}
            mine = {key: source for key, source in wanted.items() if key not in elsewhere}
            self._claims |= dict.fromkeys(mine, claim)
        try:
            found = self._kept_or_compiled(mine)
        except BaseException as error:
            claim.set_exception(error)
            raise
        else:
            claim.set_result(found)
        finally:
            with self._lock:
                for key in mine:
                    del self._claims[key]
        # Own work is done by now, so two threads never wait for each other.
        return found | {key: other.result()[key] for key, other in elsewhere.items()}

    def _kept_or_compiled(self, wanted: Mapping[bytes, PythonSource]) -> dict[bytes, bytes | None]:
        found = self._store.get(wanted)
        missing = (key for key in wanted if key not in found)
        todo = list(batches(missing, lambda key: len(wanted[key].data), _BATCH_BYTES))
        fresh: dict[bytes, bytes | None] = {}
        results = self._pool.map(self._run, ([wanted[key] for key in batch] for batch in todo))
        for batch, compiled in zip(todo, results, strict=True):
            fresh.update(zip(batch, compiled, strict=True))
        self._store.put(fresh)
        return found | fresh

    def _run(self, batch: Sequence[PythonSource]) -> list[bytes | None]:
        return self._servers.compile([(source.name, source.data, _UNDATED) for source in batch])


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


def _key(source: PythonSource) -> bytes:
    return hashlib.sha256(source.name.encode() + b"\0" + source.data).digest()


def _as_compiled(source: PythonSource) -> PythonSource:
    """Return a source with the line endings that Python's tokenizer sees, also within strings.

    https://docs.python.org/3/reference/lexical_analysis.html#physical-lines
    """
    if b"\r" not in source.data:
        return source
    return replace(source, data=source.data.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))


def _with_header(compiled: bytes | None, time: int, size: int) -> bytes | None:
    """Return byte code for a source with another modification time and size."""
    if compiled is None:
        return None
    return compiled[:8] + struct.pack("<II", time & 0xFFFFFFFF, size & 0xFFFFFFFF) + compiled[16:]
