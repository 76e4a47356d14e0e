"""Interpreters that compile sources one batch after the other: starting one for each batch takes longer."""

import marshal
import threading
import weakref
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from importlib.resources import files as resource_files
from pathlib import Path
from typing import IO, cast

from cuvee import process
from cuvee.errors import ToolMissingError
from cuvee.temporary_folders import temporary_folder

Source = tuple[str, bytes, int]
"""The name of a source for tracebacks, its bytes, and its modification time."""

_SCRIPT = Path(str(resource_files("cuvee"))) / "runtime" / "compile_batch.py"
"""It goes to desktops, too, which must compile the same."""
_SIZE_BYTES = 8


class CompileServers:
    """Interpreters of one kind: as many as there are threads that compile at the same time.

    They end with this object, or with this process.
    """

    def __init__(self, executable: Path) -> None:
        self._executable = executable
        self._lock = threading.Lock()
        self._idle: list[_Server] = []
        weakref.finalize(self, _end, self._idle)

    def compile(self, batch: Sequence[Source]) -> list[bytes | None]:
        """Return the ``.pyc`` of each source; `None` for one that does not compile.

        Raises
        ------
        ToolMissingError
            If the interpreter fails.
        """
        with self._lock:
            server = self._idle.pop() if self._idle else None
        server = server or _Server(self._executable)
        try:
            compiled = server.compile(list(batch))
        except BaseException:
            server.end()
            raise
        with self._lock:
            self._idle.append(server)
        return compiled


class _Server:
    def __init__(self, executable: Path) -> None:
        self._executable = executable
        self._folder = ExitStack()
        folder = self._folder.enter_context(temporary_folder("bytecode"))
        self._messages = self._folder.enter_context((folder / "messages").open("w+b"))
        argv = (str(executable), "-I", "-S", "-B", str(_SCRIPT))
        self._program = process.talk_to(argv, messages=self._messages)
        self._input, self._answer = (
            cast("IO[bytes]", self._program.stdin),
            cast("IO[bytes]", self._program.stdout),
        )

    def compile(self, batch: list[Source]) -> list[bytes | None]:
        with suppress(BrokenPipeError):
            view = memoryview(marshal.dumps(batch))
            while view:  # the pipe has no buffer, so that one write may take a part
                view = view[self._input.write(view) :]
        answer = self._read(int.from_bytes(self._read(_SIZE_BYTES), "little"))
        if not answer:
            self._messages.seek(0)
            told = self._messages.read().decode(errors="replace").strip()
            raise ToolMissingError(
                f"{self._executable} failed to compile byte code: {told[-400:]}",
                hint="The interpreter that runs cuvee seems broken; try another one.",
            )
        compiled: list[bytes | None] = marshal.loads(answer)  # noqa: S302 - written by our script
        return compiled

    def _read(self, size: int) -> bytes:
        """Return what the script has written; nothing if it has ended."""
        pieces: list[bytes] = []
        while size and (piece := self._answer.read(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"" if size else b"".join(pieces)

    def end(self) -> None:
        self._input.close()
        self._answer.close()
        self._program.kill()
        self._program.wait()
        self._folder.close()


def _end(servers: list[_Server]) -> None:
    for server in servers:
        server.end()
