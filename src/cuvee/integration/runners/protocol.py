"""The protocol of runners, and the values that they take."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cuvee.integration.model import PlannedSuite
from cuvee.process import Completed, Request

SHARED = "shared"
"""The folder, among those that jobs work in, of what more than one of them reads."""


class InstallerVerb(enum.Enum):
    """What an installer does with a release that is installed."""

    UPGRADE = "upgrade"
    REPAIR = "repair"
    UNINSTALL = "uninstall"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """Where one platform's release is installed, ``prefix``, and tested; all of it is temporary.

    ``home`` and ``temp`` become HOME, empty when the run starts, and the folder for temporary files. Where
    the host allows it, programs see nothing of ``hidden``, and change nothing in the folders ``readonly``.
    They have no network but loopback, unless ``network``. Together they have at most ``memory`` bytes,
    ``disk`` bytes in the folders ``watched``, and so many ``processes``; `None` does not limit them.
    """

    platform: str
    prefix: Path
    home: Path
    temp: Path
    hidden: tuple[Path, ...] = ()
    readonly: tuple[Path, ...] = ()
    network: bool = False
    memory: int | None = None
    disk: int | None = None
    processes: int | None = None
    watched: tuple[Path, ...] = ()

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that all programs in it get, whatever the runner."""
        return {"HOME": str(self.home), "TMPDIR": str(self.temp), "LANG": "C.UTF-8", "TZ": "UTC"}

    @property
    def user_folders(self) -> Mapping[str, str]:
        """The variables that keep an installer that root runs to ``home``: its menu entries are root's own.

        https://specifications.freedesktop.org/basedir-spec/latest/
        """
        return {
            "XDG_DATA_HOME": str(self.home / ".local" / "share"),
            "XDG_STATE_HOME": str(self.home / ".local" / "state"),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program of the release to run: ``python``, the interpreter, or one of the release's commands.

    Host paths in ``arguments`` are given as `Path`, so that a runner can convert them to paths of the guest.
    ``timeout`` is in seconds; ``environment`` are variables besides those of the sandbox.
    """

    program: str
    arguments: tuple[str | Path, ...] = ()
    cwd: Path
    timeout: float
    environment: Mapping[str, str] = field(default_factory=dict)


class Runner(Protocol):
    """One way to run a platform's programs on this host."""

    name: str

    def refusal(self, platform: str) -> str | None:
        """Return why it cannot run ``platform`` here; `None` when it can, empty when it never does."""

    def suite_refusal(self, suite: PlannedSuite) -> str | None:
        """Return why it does not run a suite; `None` when it does."""

    def limitation(self, completed: Completed) -> str | None:
        """Return which limit of the runner made a program fail; `None` when the release did."""

    def install(self, sandbox: Sandbox, installer: Path, *, timeout: float) -> Request:
        """Return the request that installs ``installer`` silently into the sandbox's prefix."""

    def check(self, sandbox: Sandbox, installer: Path, *, timeout: float) -> Request:
        """Return the request with which ``installer`` verifies itself, and installs nothing."""

    def maintain(self, sandbox: Sandbox, installer: Path, verb: InstallerVerb, *, timeout: float) -> Request:
        """Return the request with which ``installer`` changes the release in the prefix, silently."""

    def administer(self, sandbox: Sandbox, name: str, verb: str, *, timeout: float) -> Request:
        """Return the request that runs a verb of the command ``name``, which administers the prefix."""

    def request(self, sandbox: Sandbox, command: Command) -> Request:
        """Return the request that runs ``command``."""

    def program(self, sandbox: Sandbox, name: str) -> Path:
        """Return the path, on the host, of a command of the release."""

    def guest_path(self, path: Path) -> str:
        """Return a path of the host as programs of the release see it."""

    def prepare(self, sandbox: Sandbox, *, timeout: float) -> Request | None:
        """Return the request that makes what the first program would make anyway, or `None`."""

    def places(self, sandbox: Sandbox) -> tuple[Path, ...]:
        """Return the folders of the host in which an installation may leave something."""

    def shares_files(self) -> bool:
        """Whether the files of the sandbox are where the host sees them."""

    def sweep(self, sandbox: Sandbox) -> None:
        """End what one program has left running; the sandbox is that program's own."""

    def keeps_files_away(self) -> bool:
        """Whether programs of packages can change nothing outside of the sandbox, such as the cache."""

    def finish(self, sandbox: Sandbox) -> Request | None:
        """Return the request that ends what programs left running in the sandbox, or `None`."""

    def environment(self) -> Mapping[str, str]:
        """Return what a reader of the results needs to know about it."""
