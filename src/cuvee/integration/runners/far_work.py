"""What `cuvee.integration.runners.far_client` does on another machine, and what it finds out about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolationTry:
    """A level of isolation, and the words of a program that runs with it."""

    level: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FarInstallation:
    """The installer, its hash and its options, and the levels of isolation to try once it has run."""

    installer: str
    sha256: str
    options: str
    isolate: tuple[IsolationTry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How to reach a machine.

    Attributes
    ----------
    connect, connect_again
        Programs that reach it and run the channel there; the latter after a connection was lost.
    start, stop
        What to run here before the first connection, and instead of removing the folder.
    close
        What to run here after the folder has been removed.
    """

    connect: tuple[str, ...]
    connect_again: tuple[str, ...]
    start: tuple[tuple[str, ...], ...] = ()
    stop: tuple[tuple[str, ...], ...] = ()
    close: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FarWork:
    """One thing to do on another machine.

    Attributes
    ----------
    machine
        Its name in messages.
    reach
        How to reach it.
    top
        The machine's folder of this run. Files of this host are below it, at their own paths.
    own
        How such folders of this host are named.
    facts
        The host's file for what was found out.
    prefix, home, temp
        Paths of this host, as are ``cwd`` and those of the tuples.
    run
        A name for this work, which no other has.
    host
        The variables of this host: those that this process has itself are the program's there.
    send
        Files and folders that the program needs.
    bring_back
        Folders in which it may write files that are wanted here.
    folders, discard
        Folders to make before, and to remove afterwards.
    """

    action: Literal["install", "run", "end"]
    machine: str
    reach: Reach
    attempts: int
    top: str
    own: str
    facts: str
    prefix: str
    home: str
    temp: str
    run: str
    host: Mapping[str, str]
    network: bool = False
    timeout: float
    send: tuple[str, ...] = ()
    bring_back: tuple[str, ...] = ()
    installation: FarInstallation | None = None
    words: tuple[str, ...] = ()
    cwd: str = ""
    folders: tuple[str, ...] = ()
    discard: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FarFacts:
    """What was found out while a release was installed.

    ``installer`` is the hash of the installer as it is there, ``without_network`` how the installer was kept
    from the network, if it was, and ``isolation`` the level that programs of the release get.
    ``left`` is why the machine still has files of the run; empty if it has none.
    """

    installer: str = ""
    isolation: str = ""
    without_network: str = ""
    left: str = ""


def far_path(path: str) -> str:
    """Return where a file of this host is on the machine, relative to the folder of the run."""
    return path.lstrip("/")
