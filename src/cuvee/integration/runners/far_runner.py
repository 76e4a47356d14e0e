"""Running a release on another machine: what runners that reach one have in common."""

import hashlib
import os
import platform as host
import secrets
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Literal

from cuvee.files import sha256_file
from cuvee.integration.model import PlannedSuite
from cuvee.integration.riding_tools import COMPLETE, FOLDER
from cuvee.integration.runners.far_client import FACTS, WORK, started_at
from cuvee.integration.runners.far_machine import FarMachine
from cuvee.integration.runners.far_work import FarFacts, FarInstallation, FarWork, IsolationTry, Reach
from cuvee.integration.runners.isolation import ISOLATE, LEVELS, isolation_command, limits_note
from cuvee.integration.runners.native import MAINTENANCE, install_options, proxies_to_nowhere
from cuvee.integration.runners.protocol import SHARED, Command, InstallerVerb, Sandbox
from cuvee.process import Completed, Request

_INSIDE = ISOLATE.parent
_WORK = "work"
_OF_THE_RUN = ("far", "installer", "tmp")
"""Folders of a run: that of its jobs, and those that the machine has of its own, or does not need."""

_TRANSFER_SECONDS = 600.0
"""How long the transfer of an installer or of files may take, besides what runs there."""

_END_SECONDS = 120.0


class FarRunner:
    """Runs the release on another machine, which has files of its own.

    The host's folders exist there, too, below one folder of the run. Files that a program needs are sent
    before it runs, and those that it writes to its folder are brought back.

    Parameters
    ----------
    name
        How results name it.
    title
        How messages name the machine.
    machine
        What it is.
    """

    attempts = 3
    """How often a program is started if the connection is lost."""

    def __init__(self, *, name: str, title: str, machine: FarMachine) -> None:
        self.name = name
        self._title, self._machine = title, machine
        # Who made the folder: a later run removes it once that process is gone.
        self._own = f"cuvee-{hashlib.sha256(host.node().encode()).hexdigest()[:8]}-"
        run = f"{os.getpid()}-{started_at(os.getpid())}-{secrets.token_hex(2)}"
        self._top = f"{machine.temp.rstrip('/')}/{self._own}{run}"
        self._control: Path | None = None
        self._first: Sandbox | None = None

    def reach(self, control: Path) -> Reach:
        """Return how to reach the machine; ``control`` is a folder of this host for sockets."""
        raise NotImplementedError

    def refusal(self, platform: str) -> str | None:
        """Return why it cannot run ``platform`` there; `None` when it can."""
        if self._machine.platform == platform:
            return None
        return f"{self._title} is {self._machine.platform or self._machine.uname}"

    def suite_refusal(self, suite: PlannedSuite) -> str | None:
        """Run every suite: what looks at the files of the prefix does it there."""
        return None

    def limitation(self, completed: Completed) -> str | None:
        """Blame the release for every failure."""
        return None

    def keeps_files_away(self) -> bool:
        """Deny it: the machine may be this one."""
        return False

    def prepare(self, sandbox: Sandbox, *, timeout: float) -> Request | None:
        """Prepare nothing."""
        return None

    def places(self, sandbox: Sandbox) -> tuple[Path, ...]:
        """Return HOME, the folder for temporary files, and the one that the prefix is in, as named here."""
        return (sandbox.home, sandbox.temp, sandbox.prefix.parent)

    def shares_files(self) -> bool:
        """Deny it: those of the machine are not here."""
        return False

    def sweep(self, sandbox: Sandbox) -> None:
        """Leave it to the machine, where whatever a program leaves running ends with it."""

    def program(self, sandbox: Sandbox, name: str) -> Path:
        """Return where the beginning of a command is kept here: ``<prefix>/bin/<name>``."""
        return sandbox.prefix / "bin" / PurePosixPath(name).name

    def guest_path(self, path: Path) -> str:
        """Return where the machine has a path of the host."""
        return f"{self._top}{path}"

    def install(self, sandbox: Sandbox, installer: Path, *, timeout: float) -> Request:
        """Make the request that takes the installer there and installs silently.

        The interpreter of the first release that is installed in a run does the work for all others.
        """
        if self._is_another(sandbox):
            words = ("/bin/sh", self.guest_path(installer), *install_options(installer), "-p")
            words = (*words, self.guest_path(sandbox.prefix))
            return self._run(sandbox, words, sandbox.temp, timeout, self._there(sandbox).user_folders)
        self._first = sandbox
        self._control = sandbox.home.parent / "far"
        self._control.mkdir(mode=0o700, exist_ok=True)
        options, there = install_options(installer), self._there(sandbox)
        tries = (IsolationTry(level=level, words=self._isolated(level, sandbox)) for level in LEVELS)
        work = replace(
            self._work(sandbox, "install", timeout),
            network=sandbox.network,
            send=(str(_INSIDE),),
            installation=FarInstallation(
                installer=str(installer),
                sha256=sha256_file(installer),
                options=" ".join(options),
                isolate=tuple(tries),
            ),
        )
        words = ("sh", self.guest_path(installer), *options, "-p", str(there.prefix))
        return self._client(work, words, {**self._variables(sandbox), **there.user_folders})

    def check(self, sandbox: Sandbox, installer: Path, *, timeout: float) -> Request:
        """Make the request ``sh INSTALLER --check``."""
        return self._run(sandbox, ("/bin/sh", self.guest_path(installer), "--check"), sandbox.temp, timeout)

    def maintain(self, sandbox: Sandbox, installer: Path, verb: InstallerVerb, *, timeout: float) -> Request:
        """Make the request ``sh INSTALLER --repair -p PREFIX``, or with the options of another verb."""
        words = ("/bin/sh", self.guest_path(installer), *MAINTENANCE[verb], "-p")
        words = (*words, self.guest_path(sandbox.prefix))
        return self._run(sandbox, words, sandbox.temp, timeout, self._there(sandbox).user_folders)

    def administer(self, sandbox: Sandbox, name: str, verb: str, *, timeout: float) -> Request:
        """Make the request that runs a verb of a prefix's administration."""
        words = (self.guest_path(self.program(sandbox, name)), verb)
        return self._run(sandbox, words, sandbox.temp, timeout, self._there(sandbox).user_folders)

    def request(self, sandbox: Sandbox, command: Command) -> Request:
        """Make the request that runs ``command``."""
        arguments = (arg if isinstance(arg, str) else self.guest_path(arg) for arg in command.arguments)
        words = (self.guest_path(self.program(sandbox, command.program)), *arguments)
        return self._run(sandbox, words, command.cwd, command.timeout)

    def finish(self, sandbox: Sandbox) -> Request | None:
        """Make the request that removes everything from the machine, or one of several desktops there."""
        if self._control is None or self._first is None:
            return None
        if self._is_another(sandbox):
            cwd, words = str(self._first.home), ("/bin/sh", "-c", "exit 0")
            work = replace(
                self._work(sandbox, "run", _END_SECONDS),
                words=words,
                cwd=cwd,
                folders=(cwd,),
                discard=(str(sandbox.home.parent),),
            )
            return self._client(work, words, {})
        work = self._work(sandbox, "end", _END_SECONDS)
        return self._client(work, ("rm", "-rf", self._top), {})

    def environment(self) -> Mapping[str, str]:
        """Return which machine it is, and how the network and files were kept away there."""
        facts = self._facts()
        flags = facts.isolation.split(",")
        network = "none but loopback" if "net" in flags else "proxies that lead nowhere"
        if not facts.without_network:
            network += "; the installer had it"
        files = "not kept away: programs of packages may read and write what the user of that machine may"
        if "files" in flags:
            files = "read-only but for the test's own folder and those for temporary files"
        return {
            **self._machine.facts,
            "isolation": facts.isolation or "none",
            "network": network,
            "files": files,
            "limits": limits_note(facts.isolation or None),
            **({"left behind": facts.left} if facts.left else {}),
        }

    def _run(
        self,
        sandbox: Sandbox,
        words: tuple[str, ...],
        cwd: Path,
        timeout: float,
        variables: Mapping[str, str] | None = None,
    ) -> Request:
        level = self._facts().isolation
        jobs = tuple(str(path) for path in self._jobs(sandbox, cwd, words))
        environment = {**self._variables(sandbox), **(variables or {})}
        isolated = words
        if level:
            isolated = (*self._isolated(level, sandbox, limited=True), *words)
        elif not sandbox.network:
            environment = {**proxies_to_nowhere(), **environment}
        work = replace(
            self._work(sandbox, "run", timeout),
            send=(*self._shared(sandbox), *jobs),
            bring_back=jobs,
            words=isolated,
            cwd=str(cwd),
            folders=(str(sandbox.home), str(sandbox.temp), str(cwd)),
            discard=() if sandbox.temp.parent == sandbox.home.parent else (str(sandbox.temp),),
        )
        return self._client(work, words, environment)

    def _client(self, work: FarWork, words: tuple[str, ...], environment: Mapping[str, str]) -> Request:
        """Return the request for the program of this host that does a work; its variables are those there."""
        file = Path(work.facts).with_name(f"{work.run}.json")
        WORK.write(file, work)
        argv = (sys.executable, "-I", "-m", "cuvee.integration.runners.far_client", str(file), *words)
        seconds = self.attempts * (work.timeout + _TRANSFER_SECONDS)
        return Request(argv=argv, environment=environment, timeout=seconds, allowed=work.timeout)

    def _work(self, sandbox: Sandbox, action: Literal["install", "run", "end"], timeout: float) -> FarWork:
        if self._control is None or self._first is None:
            raise RuntimeError("`install` must be called first")
        return FarWork(
            action=action,
            machine=self._title,
            reach=self.reach(self._control),
            # What an installer has begun cannot be done again.
            attempts=1 if self._is_another(sandbox) else self.attempts,
            top=self._top,
            own=self._own,
            facts=str(self._control / "facts.json"),
            prefix=str(self._first.prefix),
            home=str(sandbox.home),
            temp=str(sandbox.temp),
            run=secrets.token_hex(8),
            host=dict(os.environ),
            timeout=timeout,
        )

    def _is_another(self, sandbox: Sandbox) -> bool:
        """Whether a sandbox is a desktop of its own, among the folders of jobs."""
        first = self._first
        return first is not None and sandbox.home.is_relative_to(first.home.parent / _WORK)

    def _facts(self) -> FarFacts:
        path = None if self._control is None else self._control / "facts.json"
        return FACTS.read(path) if path is not None and path.exists() else FarFacts()

    def _there(self, sandbox: Sandbox) -> Sandbox:
        """Return the sandbox with its paths on the machine; the user's home there is hidden."""
        home = self._machine.home.rstrip("/")
        return replace(
            sandbox,
            prefix=Path(self.guest_path(sandbox.prefix)),
            home=Path(self.guest_path(sandbox.home)),
            temp=Path(self.guest_path(sandbox.temp)),
            watched=tuple(Path(self.guest_path(path)) for path in sandbox.watched),
            hidden=(Path(home),) if home and not f"{self._top}/".startswith(f"{home}/") else (),
            readonly=(),
        )

    def _variables(self, sandbox: Sandbox) -> dict[str, str]:
        there = self._there(sandbox)
        return {"PATH": f"{there.prefix / 'bin'}:/usr/local/bin:/usr/bin:/bin", **there.environment}

    def _isolated(self, level: str, sandbox: Sandbox, *, limited: bool = False) -> tuple[str, ...]:
        """Return what to prefix a command with on the machine, with the release's own interpreter."""
        there = self._there(sandbox)
        program = ("-X", "utf8", "-I", "-S", self.guest_path(ISOLATE))
        options = isolation_command(level, there if limited else None)[-3:]
        prefix = self._first.prefix if self._first is not None else sandbox.prefix
        words = (f"{self.guest_path(prefix)}/bin/python", *program, *options)
        return words if limited else (*words, "/bin/sh", "-c", "exit 0")

    def _shared(self, sandbox: Sandbox) -> Iterator[str]:
        """Yield what of this host's files more than one job needs."""
        yield str(_INSIDE)
        top = sandbox.home.parent
        for path in sorted(top.iterdir()):
            if path.name == _WORK:
                if (path / SHARED).is_dir():
                    yield str(path / SHARED)
            elif path.name == FOLDER:  # others are being linked meanwhile
                yield from (str(item) for item in sorted(path.iterdir()) if (item / COMPLETE).exists())
            elif path != sandbox.home and path.name not in _OF_THE_RUN and path != sandbox.prefix:
                yield str(path)

    def _jobs(self, sandbox: Sandbox, cwd: Path, words: tuple[str, ...]) -> Iterator[Path]:
        """Yield the folders of the job that runs in ``cwd``, and of which arguments name files."""
        work, seen = sandbox.home.parent / _WORK, {SHARED}
        named = (Path(word.removeprefix(self._top)) for word in words if word.startswith(self._top))
        for path in (cwd, *named):
            if path.is_relative_to(work) and path != work:
                name = path.relative_to(work).parts[0]
                if name not in seen:
                    seen.add(name)
                    yield work / name
