"""Do one thing on another machine: what runners of other machines let `cuvee.process` run.

Usage: ``python -m cuvee.integration.runners.far_client FILE WORD…``. FILE has a `FarWork`; the words are
those of the program there, for logs. Variables, output and exit code are the program's. If it took too long,
this process ends by SIGXCPU, which `cuvee.process` knows. If the connection was lost too often, the last line
says so.
"""

import os
import shlex
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cuvee import process
from cuvee.codec import Document, Json, encode
from cuvee.integration.runners.far_connection import LOST, LostError, ShellConnection, one_line
from cuvee.integration.runners.far_exchange import exchange, files_below
from cuvee.integration.runners.far_scripts import END, FORGET, INSTALL, RECEIVE, RUN
from cuvee.integration.runners.far_work import FarFacts, FarInstallation, FarWork, far_path
from cuvee.process import Request

WORK = Document(name="far-work", kind=FarWork)
FACTS = Document(name="far-facts", kind=FarFacts)
FAR_SIDE = Path(__file__).parents[1] / "inside" / "far_side.py"

_PAUSES = (0.2, 1.0)
"""Seconds to wait before the second attempt, and before later ones."""

_START_SECONDS = 300.0


class LateError(Exception):
    """It took too long."""


class FarClient:
    """Does a work with the variables of the program; the number of the attempt begins with 1."""

    def __init__(self, work: FarWork, environment: Mapping[str, str]) -> None:
        self._work, self._environment = work, environment

    def __call__(self, attempt: int) -> int:
        """Do it, and return the exit code of what ran there."""
        match self._work.action:
            case "install":
                return self._install(attempt)
            case "run":
                return self._run(attempt)
            case "end":
                return self._end(attempt)

    def _connect(self, attempt: int, text: str, **values: object) -> ShellConnection:
        argv = self._work.reach.connect if attempt == 1 else self._work.reach.connect_again
        return ShellConnection(argv, text, top=self._work.top, **values)

    def _install(self, attempt: int) -> int:
        work, installation = self._work, self._work.installation
        if installation is None:
            raise ValueError("there is nothing to install")
        if attempt > 1:
            self._remove(attempt)
        _run_here(work.reach.start)
        return (
            self._send_installer(attempt, installation)
            or self._run_installer(attempt, installation)
            or self._look(attempt, installation)
        )

    def _send_installer(self, attempt: int, installation: FarInstallation) -> int:
        work, path = self._work, Path(installation.installer)
        places = {"temp": far_path(work.temp), "home": far_path(work.home)}
        with self._connect(
            attempt, RECEIVE, own=work.own, installer=far_path(str(path)), **places
        ) as connection:
            with path.open("rb") as file:
                while data := file.read(1 << 20):
                    connection.write(data)
            connection.close_input()
            connection.skip_noise()
            said = connection.read_all().decode(errors="replace")
            code = connection.end()
            if code:
                _write(2, connection.stderr)
                return code
        facts = [line.partition(" ")[::2] for line in said.splitlines()]
        for name, value in facts:
            if name == "sha256" and value != installation.sha256:
                raise LostError(f"the installer has arrived with another content, of SHA-256 {value}")
        self._forget(attempt, [value for name, value in facts if name == "old"])
        return 0

    def _forget(self, attempt: int, names: Sequence[str]) -> None:
        """Remove folders that runs of this host have left there, unless these still run."""
        own, mine = self._work.own, os.path.basename(self._work.top)  # noqa: PTH119 - a path of there
        dead = [name for name in names if name != mine and not is_alive(name.removeprefix(own))]
        olds = " ".join(name for name in dead if name.replace("-", "").isalnum())
        if olds:
            above = os.path.dirname(self._work.top)  # noqa: PTH120 - a path of there
            with self._connect(attempt, FORGET, olds=olds, tmp=above) as connection:
                connection.close_input()
                connection.skip_noise()
                connection.read_all()

    def _run_installer(self, attempt: int, installation: FarInstallation) -> int:
        work = self._work
        variables = {**self._environment, "CUVEE_FAR_RUN": f"{work.top}:install:{attempt}"}
        pairs = " ".join(shlex.quote(f"{name}={value}") for name, value in variables.items())
        program = FAR_SIDE.read_text(encoding="utf-8")
        copied = f"cat >\"$top/far_side.py\" <<'{work.own}' || exit\n{program}{work.own}\n"
        text = f"{copied}set -- {pairs}\n{INSTALL}"
        with self._connect(
            attempt,
            text,
            network="yes" if work.network else "no",
            options=installation.options,
            installer=far_path(installation.installer),
            prefix=far_path(work.prefix),
            temp=far_path(work.temp),
        ) as connection:
            timer = connection.stop_after(work.timeout)
            try:
                connection.skip_noise()
                answer = connection.read_all()
                code = connection.end()
            except LostError as error:
                if not timer.is_alive():
                    raise LateError from error
                raise
            finally:
                timer.cancel()
            said, found, without = answer.rpartition(f"\n{connection.mark} ".encode())
            _write(1, said if found else answer)
            _write(2, connection.stderr)
        self.note(without_network=one_line(without) if found else "")
        return code

    def _look(self, attempt: int, installation: FarInstallation) -> int:
        """Find out what the machine allows, and bring the beginnings of the release's commands here."""
        commands = Path(self._work.prefix, "bin")
        look: Json = {
            "installer": far_path(installation.installer),
            "commands": far_path(str(commands)),
            "isolate": encode(installation.isolate),
        }
        return self._exchange(attempt, {"look": look}, (commands,))

    def _run(self, attempt: int) -> int:
        work = self._work
        wanted: dict[str, Json] = {
            "words": list(work.words),
            "cwd": far_path(work.cwd),
            "environment": dict(self._environment),
            "timeout": work.timeout,
            "folders": [far_path(path) for path in work.folders],
            "discard": [far_path(path) for path in work.discard],
        }
        return self._exchange(attempt, wanted, tuple(map(Path, work.bring_back)))

    def _exchange(self, attempt: int, wanted: dict[str, Json], folders: tuple[Path, ...]) -> int:
        work = self._work
        bring_back: Json = [far_path(path) for path in work.bring_back]
        request = {"run": work.run, "attempt": attempt, "bring_back": bring_back, **wanted}
        python = f"{work.top}/{far_path(work.prefix)}/bin/python"
        with self._connect(attempt, RUN, python=python) as connection:
            connection.skip_noise()
            answer = exchange(connection, request, tuple(files_below(map(Path, work.send))), folders)
            if answer.ended is None:
                code = connection.end()  # else the interpreter has ended before it said how
                _write(2, connection.stderr)
                if not code:
                    raise LostError("the machine has stopped to answer")
                return code
        if answer.looked is not None:
            if work.installation is not None and answer.looked.installer != work.installation.sha256:
                raise LostError(f"the installer there has the SHA-256 {answer.looked.installer}")
            self.note(installer=answer.looked.installer, isolation=answer.looked.isolation)
        _write(1, answer.stdout)
        notes = [f"cuvee: {name} is too large to be brought here" for name in answer.ended.left]
        _write(2, answer.stderr + "\n".join(filter(None, (*notes, answer.ended.error))).encode())
        if answer.ended.late:
            raise LateError
        return answer.ended.code & 0xFF

    def _end(self, attempt: int) -> int:
        code = self._remove(attempt)
        self.note(left=f"{self._work.top} could not be removed completely" if code else "")
        _run_here(self._work.reach.close, demand=False)
        return code

    def _remove(self, attempt: int) -> int:
        """Remove everything from the machine."""
        if self._work.reach.stop:
            _run_here(self._work.reach.stop, demand=False)
            return 0
        with self._connect(attempt, END) as connection:
            connection.close_input()
            connection.skip_noise()
            connection.read_all()
            code = connection.end()
            _write(2, connection.stderr)
        return code

    def note(self, **facts: str) -> None:
        """Keep what was found out for the runner."""
        path = Path(self._work.facts)
        known = FACTS.read(path) if path.exists() else FarFacts()
        FACTS.write(path, replace(known, **facts))


def main(file: str) -> int:
    """Do the work of a file, again if the connection is lost."""
    import resource  # not on Windows

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    work = WORK.read(Path(file))
    client, said = FarClient(work, dict(os.environ)), ""
    os.environ.clear()
    os.environ.update(work.host)
    lost = Path(work.facts).with_name("lost")
    attempts = 1 if lost.exists() else work.attempts  # if it was lost for long, not as often each time
    for attempt in range(1, attempts + 1):
        try:
            code = client(attempt)
        except LateError:
            os.kill(os.getpid(), signal.SIGXCPU)
        except LostError as error:
            said = str(error)
        else:
            lost.unlink(missing_ok=True)
            return code
        if attempt < attempts:
            time.sleep(_PAUSES[min(attempt, len(_PAUSES)) - 1])
    lost.touch()
    if work.action == "end":
        client.note(left=f"{work.top}: the connection was lost; the next run on that machine removes it")
    _write(2, f"cuvee: the connection to {work.machine} was lost: {said}\n".encode())
    return LOST


def _run_here(programs: Sequence[tuple[str, ...]], *, demand: bool = True) -> None:
    for argv in programs:
        done = process.run(Request(argv=argv, timeout=_START_SECONDS))
        if demand and not done.ok:
            raise LostError(one_line(done.stderr.encode()) or f"{argv[0]} failed")


def is_alive(name: str) -> bool:
    """Whether the process of this host that has made a folder there still runs."""
    pid, started, *_ = (*name.split("-"), "", "")
    try:
        return started_at(int(pid)) == started
    except (OSError, ValueError):
        return False


def started_at(pid: int) -> str:
    """Return when a process has started, in a unit of its own; "0" on systems that do not say.

    https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    try:
        return Path(f"/proc/{pid}/stat").read_text("latin-1").rpartition(")")[2].split()[19]
    except FileNotFoundError:
        if Path("/proc/self").exists():
            raise
        os.kill(pid, 0)
        return "0"


def _write(handle: int, data: bytes | bytearray) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
