"""What every runner does: the protocol, and the values that it is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cuvee.process import Completed, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """Where one platform's release is installed and tested; all of it is temporary.

    Attributes
    ----------
    prefix
        The installed release.
    home, temp
        HOME, empty when the run starts, and the folder for temporary files.
    """

    platform: str
    prefix: Path
    home: Path
    temp: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program of the release to run.

    Attributes
    ----------
    program
        ``python`` for the interpreter, else the name of one of the release's commands.
    arguments
        Host paths are given as `Path`, so that a runner can spell them as the program needs.
    timeout
        Seconds.
    """

    program: str
    arguments: tuple[str | Path, ...] = ()
    cwd: Path
    timeout: float


class Runner(Protocol):
    """One way to run a platform's programs on this host."""

    name: str

    def refusal(self, platform: str) -> str | None:
        """Why it can not run ``platform`` here; `None` when it can, empty when nobody would expect it to."""

    def refuses_suite(self, suite: str) -> str | None:
        """Why it does not run a suite; `None` when it does."""

    def limit(self, completed: Completed) -> str | None:
        """Why a program that failed says more of the runner than of the release; `None` when it does not."""

    def install(self, sandbox: Sandbox, installer: Path, *, timeout: float) -> Request:
        """Make the request that installs ``installer`` silently into the sandbox's prefix."""

    def request(self, sandbox: Sandbox, command: Command) -> Request:
        """Make the request that runs ``command``."""

    def program(self, sandbox: Sandbox, name: str) -> Path:
        """Give the host's path of a command of the release."""

    def spell(self, path: Path) -> str:
        """Give a host's path as the release's programs must spell it."""

    def finish(self, sandbox: Sandbox) -> Request | None:
        """Make the request that ends what programs left running in the sandbox; `None` if nothing can be."""

    def environment(self) -> Mapping[str, str]:
        """Give what a reader needs to judge a run by it."""
