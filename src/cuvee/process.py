"""The one place that runs external programs: a request goes in, a completed process comes out."""

import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from cuvee.errors import ToolMissingError

_stopping = threading.Event()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A program to run.

    Attributes
    ----------
    argv
        The executable and its arguments; no shell ever sees them.
    environment
        The whole environment of the program; `None` passes on this process's own.
    timeout
        Seconds after which the program and its children are killed.
    secrets
        Texts that must not appear in a log.
    """

    argv: tuple[str, ...]
    cwd: Path | None = None
    environment: Mapping[str, str] | None = None
    stdin: bytes = b""
    timeout: float | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def line(self) -> str:
        """The command as a line that can be pasted into a shell, secrets masked."""
        return mask(shlex.join(self.argv), self.secrets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What a program did. ``exit_code`` is negative for a signal; output is decoded leniently."""

    request: Request
    exit_code: int
    stdout: str
    stderr: str
    seconds: float
    timed_out: bool = False

    @property
    def ok(self) -> bool:
        """Whether it ended by itself with exit code 0."""
        return self.exit_code == 0 and not self.timed_out


_running: set["subprocess.Popen[bytes]"] = set()


def run(request: Request) -> Completed:
    """Run a program to its end, in a process group of its own so that a timeout or Ctrl-C ends all of it.

    Its output goes to files, not to pipes: a pipe ends only with the last program that holds it, and a daemon
    that was started on the way, as Wine starts its services, would be waited for too.

    Raises
    ------
    ToolMissingError
        If the executable does not exist or may not be executed.
    """
    started = time.monotonic()
    if _stopping.is_set():
        raise KeyboardInterrupt
    with TemporaryFile() as stdin, TemporaryFile() as stdout, TemporaryFile() as stderr:
        stdin.write(request.stdin)
        stdin.seek(0)
        exit_code, timed_out = _run(request, stdin, stdout, stderr)
        return Completed(
            request=request,
            exit_code=exit_code,
            stdout=mask(_read(stdout), request.secrets),
            stderr=mask(_read(stderr), request.secrets),
            seconds=time.monotonic() - started,
            timed_out=timed_out,
        )


def _run(request: Request, stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes]) -> tuple[int, bool]:
    """Give the exit code, and whether the time ran out."""
    try:
        process = subprocess.Popen(
            request.argv,
            cwd=request.cwd,
            env=None if request.environment is None else dict(request.environment),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    except (FileNotFoundError, PermissionError) as error:
        raise ToolMissingError(f"Can not run {request.argv[0]}: {error.strerror}") from error
    _running.add(process)
    late = threading.Event()

    def stop() -> None:
        late.set()
        _kill(process)

    # `wait` with a timeout looks again and again; without one it is told at once.
    timer = None if request.timeout is None else threading.Timer(request.timeout, stop)
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


def _read(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode(errors="replace")


def stop_all(*, refuse_more: bool = False) -> None:
    """Kill every program that `run` waits for in any thread: Ctrl-C reaches only the main one.

    With ``refuse_more``, whoever wants to run another from now on is interrupted instead.
    """
    if refuse_more:
        _stopping.set()
    for process in tuple(_running):
        _kill(process)


def find(name: str, *, hint: str) -> str:
    """Give the absolute path of the program ``name`` on PATH.

    Raises
    ------
    ToolMissingError
        With ``hint``, which says what to install.
    """
    path = shutil.which(name)
    if path is None:
        raise ToolMissingError(f"The program {name} is not installed", hint=hint)
    return path


def mask(text: str, secrets: tuple[str, ...]) -> str:
    """Replace each secret in ``text`` by ``***``."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return text


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()
