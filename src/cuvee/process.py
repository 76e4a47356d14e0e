"""The one place that runs external programs: `run` takes a request and returns a completed process."""

import os
import selectors
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Self

from cuvee.errors import ToolMissingError
from cuvee.windows_jobs import WindowsJob

_stopping = threading.Event()
_CHUNK, _PIPE = 1 << 16, 1 << 20
"""Bytes read at once, and at most in a pipe."""

_OUT_OF_TIME = -getattr(signal, "SIGXCPU", 0) or None
"""How a program ends that had a time of its own, and exceeded it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A program to run.

    Attributes
    ----------
    argv
        The executable and its arguments; no shell is used.
    environment
        The environment of the program; `None` is that of this process.
    timeout
        Seconds after which the program and its children are killed.
    most_output
        Bytes of each output that are kept: its beginning and its end. `None` keeps all.
    allowed
        Seconds that the program itself keeps to, besides which it may need others; `None` if it has none. It
        says that they are over by ending with SIGXCPU.
    cleans_up
        Whether it removes what others have left, and so runs even after an interruption.
    """

    argv: tuple[str, ...]
    cwd: Path | None = None
    environment: Mapping[str, str] | None = None
    stdin: bytes = b""
    timeout: float | None = None
    most_output: int | None = None
    allowed: float | None = None
    cleans_up: bool = False

    @property
    def line(self) -> str:
        """The command as a line that can be pasted into a shell."""
        return shlex.join(self.argv)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """The result of a program. ``exit_code`` is negative for a signal; invalid UTF-8 is replaced."""

    request: Request
    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """Whether it exited with 0 in time."""
        return self.exit_code == 0 and not self.timed_out


_running: set["subprocess.Popen[bytes]"] = set()
_jobs: dict["subprocess.Popen[bytes]", WindowsJob] = {}


def run(request: Request) -> Completed:
    """Run a program in a process group of its own, so that a timeout or Ctrl-C ends its children too.

    Its output is read only until it exits: a daemon that it started, such as Wine's services, may keep the
    pipes open for hours. These are pipes because Python under Wine cannot write to a file that was opened
    outside of Wine.

    Raises
    ------
    ToolMissingError
        If the executable does not exist or may not be executed.
    """
    started = time.monotonic()
    if _stopping.is_set() and not request.cleans_up:
        raise KeyboardInterrupt
    with _input(request.stdin) as stdin:
        try:
            process = subprocess.Popen(
                request.argv,
                cwd=request.cwd,
                env=None if request.environment is None else dict(request.environment),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except (FileNotFoundError, PermissionError) as error:
            raise ToolMissingError(f"Cannot run {request.argv[0]}: {error.strerror}") from error
    pipes = (stream.fileno() for stream in (process.stdout, process.stderr) if stream is not None)
    listener = _WindowsListener if os.name == "nt" else _Listener
    with process, listener(*pipes, most=request.most_output) as heard, _job(process):
        exit_code, timed_out = _wait(process, request.timeout)
    stdout, stderr = (text.decoded() for text in heard.texts)
    return Completed(
        request=request,
        exit_code=exit_code,
        stdout=stdout,
        stderr=stderr,
        seconds=time.monotonic() - started,
        timed_out=timed_out or exit_code == _OUT_OF_TIME,
    )


def talk_to(argv: tuple[str, ...], *, messages: IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start a program, and return it: the caller uses its standard input and output, and ends it.

    It is in the process group of the caller. What it writes to stderr goes to the file ``messages``.
    """
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=messages, bufsize=0)


def _input(data: bytes) -> IO[bytes]:
    """Open the standard input. Python under Wine supports no file there, but it does support /dev/null."""
    if not data:
        return Path(os.devnull).open("rb")
    stream = TemporaryFile()  # noqa: SIM115 - the caller closes it
    stream.write(data)
    stream.seek(0)
    return stream


def _wait(process: "subprocess.Popen[bytes]", timeout: float | None) -> tuple[int, bool]:
    """Return the exit code, and whether the timeout was exceeded."""
    _running.add(process)
    late = threading.Event()

    def stop() -> None:
        late.set()
        _kill(process)

    # `Popen.wait` with a timeout polls; without one it returns at once.
    timer = None if timeout is None else threading.Timer(timeout, stop)
    try:
        if timer is not None:
            timer.start()
        return process.wait(), late.is_set()
    except BaseException:
        _kill(process)
        process.wait()
        raise
    finally:
        _running.discard(process)
        if timer is not None:
            timer.cancel()


@contextmanager
def _job(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """On Windows, end what the program has started with it: there is no process group that could be ended."""
    if os.name != "nt":
        yield
        return
    _jobs[process] = WindowsJob(process.pid)
    try:
        yield
    finally:
        _jobs.pop(process).close()


class _Output:
    """The beginning and the end of an output, of at most so many bytes together; `None` keeps all."""

    def __init__(self, most: int | None) -> None:
        self._half = None if most is None else most // 2
        self._begin, self._end = bytearray(), bytearray()
        self._left_out = 0

    def add(self, data: bytes) -> None:
        """Add what was read; from the middle of much, something is left out."""
        if self._half is None:
            self._begin += data
            return
        room = self._half - len(self._begin)
        self._begin += data[:room]
        self._end += data[room:]
        if len(self._end) > 2 * self._half:  # not every time, since it is moved
            self._shorten(self._half)

    def decoded(self) -> str:
        """Return it as text; invalid UTF-8 is replaced."""
        if self._half is not None:
            self._shorten(self._half)
        note = f"\n[… {self._left_out:,} bytes left out …]\n" if self._left_out else ""
        if not note:
            return bytes(self._begin + self._end).decode(errors="replace")
        return f"{self._begin.decode(errors='replace')}{note}{self._end.decode(errors='replace')}"

    def _shorten(self, half: int) -> None:
        excess = len(self._end) - half
        if excess > 0:
            del self._end[:excess]
            self._left_out += excess


class _WindowsListener:
    """Reads pipes on Windows, where no pipe says whether there is something to read: a thread for each.

    All programs that could write to them have ended before the block does.
    """

    def __init__(self, *pipes: int, most: int | None) -> None:
        self.texts = tuple(_Output(most) for _ in pipes)
        self._threads = [
            threading.Thread(target=_read_all, args=pair, daemon=True)
            for pair in zip(pipes, self.texts, strict=True)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join()


def _read_all(pipe: int, text: _Output) -> None:
    with suppress(OSError):
        while data := os.read(pipe, _CHUNK):
            text.add(data)


class _Listener:
    """Reads pipes in a thread while its block runs; afterwards ``texts`` has the output of each."""

    def __init__(self, *pipes: int, most: int | None) -> None:
        self.texts = tuple(_Output(most) for _ in pipes)
        self._pipes = dict(zip(pipes, self.texts, strict=True))
        self._end, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._wake)
        self._thread.join()
        os.close(self._end)

    def _read(self) -> None:
        with selectors.DefaultSelector() as selector:
            for pipe in (self._end, *self._pipes):
                os.set_blocking(pipe, False)
                selector.register(pipe, selectors.EVENT_READ)
            while True:
                ready = [key.fd for key, _ in selector.select()]
                if self._end in ready:
                    break
                for pipe in ready:
                    if not self._take(pipe):
                        selector.unregister(pipe)
        # The program's last output is still in the pipes; later output is that of daemons.
        for pipe in self._pipes:
            rounds = _PIPE // _CHUNK
            while rounds and self._take(pipe):
                rounds -= 1

    def _take(self, pipe: int) -> bool:
        """Read a part; return whether there was any."""
        try:
            data = os.read(pipe, _CHUNK)
        except BlockingIOError:
            return False
        self._pipes[pipe].add(data)
        return bool(data)


def pause(seconds: float) -> None:
    """Wait; raise `KeyboardInterrupt` as soon as `stop_all` has ended this run."""
    if _stopping.wait(seconds):
        raise KeyboardInterrupt


def stop_all(*, refuse_more: bool = False, within: Path | None = None) -> None:
    """Kill every program that `run` waits for in any thread: Ctrl-C reaches only the main one.

    With ``refuse_more``, later calls of `run` raise `KeyboardInterrupt`. With a folder ``within``, only those
    are killed whose command names it.
    """
    if refuse_more:
        _stopping.set()
    for process in tuple(_running):
        if within is None or str(within) in " ".join(map(str, process.args)):  # type: ignore[arg-type]
            _kill(process)


def find(name: str, *, hint: str) -> str:
    """Return the absolute path of the program ``name`` on PATH.

    Raises
    ------
    ToolMissingError
        With ``hint``, which says what to install.
    """
    path = shutil.which(name)
    if path is None:
        raise ToolMissingError(f"The program {name} is not installed", hint=hint)
    return path


def _kill(process: "subprocess.Popen[bytes]") -> None:
    if os.name == "nt":
        job = _jobs.get(process)
        process.kill() if job is None else job.end()
        return
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()
