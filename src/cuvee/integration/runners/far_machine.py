"""What another machine is: its platform and its C library, as its shell tells them."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from cuvee import process
from cuvee.errors import SourceUnreachableError, UsageError
from cuvee.integration.runners.far_connection import LOST, one_line
from cuvee.integration.runners.far_scripts import LOOK, script
from cuvee.platforms import PLATFORMS
from cuvee.process import Completed, Request

_SYSTEMS = {"Linux": "linux", "Darwin": "osx"}
_SECONDS, _ATTEMPTS = 90.0, 3
_FINAL = ("Permission denied", "Host key verification failed", "Could not resolve hostname", "Bad ")
"""What ssh says that no second attempt changes."""

_WINDOWS = ("is not recognized as", "Microsoft Windows", "CommandNotFoundException")


@dataclass(frozen=True, slots=True, kw_only=True)
class FarMachine:
    """A machine as its POSIX shell describes it.

    ``platform`` is `None` if cuvee does not know it; ``uname`` says what it is then. ``libc`` is the version
    of its glibc, empty if it has another one.
    """

    platform: str | None
    uname: str
    kernel: str = ""
    title: str = ""
    libc: str = ""
    temp: str = "/tmp"  # noqa: S108 - where programs there put such files
    home: str = ""

    @property
    def facts(self) -> Mapping[str, str]:
        """What a reader of the results needs to know about it."""
        facts = {"host": f"{self.uname} {self.kernel}".strip(), "system": self.title, "glibc": self.libc}
        return {name: value for name, value in facts.items() if value}


def look_at(
    argv: tuple[str, ...], name: str, *, hint: str, run: Callable[[Request], Completed] = process.run
) -> FarMachine:
    """Return what the machine is that a program reaches; nothing is changed there.

    Parameters
    ----------
    argv
        The program, which runs the channel there.
    name
        The machine's name in messages.
    hint
        What to try if it does not answer.

    Raises
    ------
    SourceUnreachableError
        If it does not answer.
    UsageError
        If it has no POSIX shell.
    """
    mark = f"cuvee-{secrets.token_hex(8)}"
    request = Request(
        argv=argv, stdin=script(f"printf '\\n%s\\n' \"$mark\"\n{LOOK}", mark=mark), timeout=_SECONDS
    )
    for attempt in range(1, _ATTEMPTS + 1):
        done = run(request)
        said = one_line(done.stderr.encode())
        if mark in done.stdout and done.ok:
            return described(done.stdout.partition(mark)[2])
        if done.exit_code != LOST or attempt == _ATTEMPTS or any(text in said for text in _FINAL):
            break
    if done.timed_out or done.exit_code == LOST:
        why = "it did not answer in time" if done.timed_out else said or "ssh gives no reason"
        raise SourceUnreachableError(f"{name} cannot be reached: {why}", hint=hint)
    if any(text in done.stdout + done.stderr for text in _WINDOWS):
        raise UsageError(
            f"{name} is a Windows machine, and releases are tested only on machines with a POSIX shell",
            hint="Run cuvee there, on a copy of the release folder, then `cuvee import-results` here.",
        )
    raise UsageError(
        f"{name} does not start a POSIX shell: {said or one_line(done.stdout.encode()) or 'it says nothing'}",
        hint=hint,
    )


def described(text: str) -> FarMachine:
    """Return the machine that the answer to `LOOK` describes."""
    found = {name: value.strip() for name, _, value in (line.partition(" ") for line in text.splitlines())}
    system, machine = found.get("system", ""), found.get("machine", "")
    names = (
        item.name
        for item in PLATFORMS.values()
        if item.system == _SYSTEMS.get(system) and item.machine.lower() == machine.lower()
    )
    macos = found.get("macos", "")
    temp = PurePosixPath(found.get("temp") or "/tmp")  # noqa: S108 - as above
    return FarMachine(
        platform=next(names, None),
        uname=f"{system} {machine}".strip(),
        kernel=found.get("kernel", ""),
        title=found.get("title") or (f"macOS {macos}" if macos else ""),
        libc=found.get("glibc", "").removeprefix("glibc").strip(),
        temp=str(temp) if temp.is_absolute() else "/tmp",  # noqa: S108 - as above
        home=found.get("home", ""),
    )
