"""Runners: how an installer, and programs of an installed release, run on this host."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Protocol

from cuvee import platforms, process
from cuvee.process import Completed, Request

_ISOLATE = Path(__file__).parent / "inside" / "isolate.py"
_LEVELS = ("net,pid", "net,pid,user", "net", "net,user")
_NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
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

    def install(self, place: Place, installer: Path, *, timeout: float) -> Request:
        """Make the request that installs ``installer`` silently into the place's prefix."""

    def request(self, place: Place, command: Command) -> Request:
        """Make the request that runs ``command``."""

    def program(self, place: Place, name: str) -> Path:
        """Give the host's path of a command of the release."""

    def spell(self, path: Path) -> str:
        """Give a host's path as the release's programs must spell it."""

    def finish(self, place: Place) -> Request | None:
        """Make the request that ends what programs left running in the place; `None` if nothing can be."""

    def facts(self) -> Mapping[str, str]:
        """Give what a reader needs to judge a run by it."""


class NativeRunner:
    """Runs the host's own platform, without network where Linux allows it, and with a clean environment."""

    name = "native"

    def refusal(self, platform: str) -> str | None:
        """Why it can not run ``platform`` here; `None` when it can."""
        host = platforms.host()
        if host is None or host.name != platform:
            return f"no runner for it on this host ({host or sys.platform})"
        return "the .exe is not run natively yet" if host.is_windows else None

    def refuses_suite(self, suite: str) -> str | None:
        """Run every suite."""
        return None

    def limit(self, completed: Completed) -> str | None:
        """Blame the release for every failure."""
        return None

    def install(self, place: Place, installer: Path, *, timeout: float) -> Request:
        """Make the request that installs silently: ``sh INSTALLER -b -p PREFIX``."""
        argv = ("/bin/sh", str(installer), "-b", "-p", str(place.prefix))
        return self._request(place, argv, place.temp, timeout)

    def request(self, place: Place, command: Command) -> Request:
        """Make the request that runs ``command``."""
        arguments = (arg if isinstance(arg, str) else self.spell(arg) for arg in command.arguments)
        argv = (str(self.program(place, command.program)), *arguments)
        return self._request(place, argv, command.cwd, command.timeout)

    def program(self, place: Place, name: str) -> Path:
        """Give the path of ``<prefix>/bin/<name>``, never one outside of ``bin``."""
        return place.prefix / "bin" / PurePosixPath(name).name

    def spell(self, path: Path) -> str:
        """Give the path as it is."""
        return str(path)

    def finish(self, place: Place) -> Request | None:
        """Leave it to the process namespaces, which end with their program."""
        return None

    def facts(self) -> Mapping[str, str]:
        """Say how the network was kept away."""
        level = isolation()
        if level is None:
            return {"network": "proxies that lead nowhere; this host allows no namespaces"}
        children = "; stray processes end with their test" if "pid" in level else ""
        return {"network": f"none but loopback, in namespaces of its own ({level}){children}"}

    def _request(self, place: Place, argv: tuple[str, ...], cwd: Path, timeout: float) -> Request:
        level = isolation()
        environment = {
            "PATH": f"{place.prefix / 'bin'}:/usr/bin:/bin",
            "HOME": str(place.home),
            "TMPDIR": str(place.temp),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }
        if level is None:
            proxies = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), _NOWHERE)
            environment |= proxies | {name.upper(): value for name, value in proxies.items()}
            environment |= {"no_proxy": "localhost,127.0.0.1", "NO_PROXY": "localhost,127.0.0.1"}
        else:
            argv = (*_isolated(level), *argv)
        return Request(argv=argv, cwd=cwd, environment=environment, timeout=timeout)


def _isolated(level: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", str(_ISOLATE), level)


@cache
def isolation() -> str | None:
    """Give the strongest isolation that this host allows, by trying; `None` when it allows none."""
    if sys.platform != "linux":
        return None
    for level in _LEVELS:
        argv = (*_isolated(level), sys.executable, "-I", "-S", "-c", "")
        if process.run(Request(argv=argv, environment={}, timeout=20)).ok:
            return level
    return None


def isolated_network() -> tuple[str, ...]:
    """Give what to put before a command so that it has no network, and children may outlive it."""
    level = isolation()
    return () if level is None else _isolated(",".join(flag for flag in level.split(",") if flag != "pid"))


def runners(*, emulate: bool = False, cache: Path | None = None) -> tuple[Runner, ...]:
    """Give all runners, the preferred first; with ``emulate`` also those that only imitate a platform.

    QEMU's keeps what it fetches in ``cache``, and is left out without one.
    """
    if not emulate:
        return (NativeRunner(),)
    from cuvee.integration.qemu import QemuRunner
    from cuvee.integration.wine import WineRunner

    return (NativeRunner(), WineRunner(), *(() if cache is None else (QemuRunner(cache),)))


def choose(platform: str, *, emulate: bool = False, cache: Path | None = None) -> tuple[Runner | None, str]:
    """Give the first runner that can run ``platform`` here, or `None` and why none can."""
    refusals = []
    for runner in runners(emulate=emulate, cache=cache):
        refusal = runner.refusal(platform)
        if refusal is None:
            return runner, ""
        refusals.append(refusal)
    return None, "; ".join(filter(None, refusals))


def workers() -> int:
    """How many tests to run at once: one per core that this process may use, at most 8."""
    affinity = getattr(os, "sched_getaffinity", None)
    return min(8, len(affinity(0)) if affinity else os.cpu_count() or 1)
