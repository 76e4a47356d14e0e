"""Running the host's own platform."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from cuvee import platforms
from cuvee.integration.model import PlannedSuite
from cuvee.integration.runners.isolation import (
    files_note,
    isolation_command,
    limits_note,
    strongest_isolation,
)
from cuvee.integration.runners.protocol import Command, InstallerVerb, Sandbox
from cuvee.process import Completed, Request

_HEADER = 1 << 16
_NO_SHORTCUTS = b"-m           disable the creation of menu items / shortcuts"
"""A line of constructor's installers that know this option; others fail because of it."""

MAINTENANCE = {
    InstallerVerb.UPGRADE: ("-b", "-u"),
    InstallerVerb.REPAIR: ("--repair",),
    InstallerVerb.UNINSTALL: ("--uninstall",),
}
_NOWHERE = "http://127.0.0.1:9"  # the discard port, where nothing listens


class NativeRunner:
    """Runs the host's own platform, without network where Linux allows it, and with a clean environment."""

    name = "native"

    def refusal(self, platform: str) -> str | None:
        """Return why it cannot run ``platform`` here; `None` when it can, empty on Windows."""
        host = platforms.host()
        if host is None or host.name != platform:
            return f"no runner for it on this host ({host or sys.platform})"
        return "" if host.is_windows else None

    def suite_refusal(self, suite: PlannedSuite) -> str | None:
        """Run every suite."""
        return None

    def limitation(self, completed: Completed) -> str | None:
        """Blame the release for every failure."""
        return None

    def install(self, sandbox: Sandbox, installer: Path, *, timeout: float) -> Request:
        """Make the request that installs silently: ``sh INSTALLER -b -p PREFIX``."""
        argv = ("/bin/sh", str(installer), *install_options(installer), "-p", str(sandbox.prefix))
        return self._for_user(sandbox, argv, timeout)

    def check(self, sandbox: Sandbox, installer: Path, *, timeout: float) -> Request:
        """Make the request ``sh INSTALLER --check``."""
        return self._request(sandbox, ("/bin/sh", str(installer), "--check"), sandbox.temp, timeout)

    def maintain(self, sandbox: Sandbox, installer: Path, verb: InstallerVerb, *, timeout: float) -> Request:
        """Make the request ``sh INSTALLER --repair -p PREFIX``, or with the options of another verb."""
        argv = ("/bin/sh", str(installer), *MAINTENANCE[verb], "-p", str(sandbox.prefix))
        return self._for_user(sandbox, argv, timeout)

    def administer(self, sandbox: Sandbox, name: str, verb: str, *, timeout: float) -> Request:
        """Make the request that runs a verb of a prefix's administration."""
        return self._for_user(sandbox, (str(self.program(sandbox, name)), verb), timeout)

    def request(self, sandbox: Sandbox, command: Command) -> Request:
        """Make the request that runs ``command``."""
        arguments = (arg if isinstance(arg, str) else self.guest_path(arg) for arg in command.arguments)
        argv = (str(self.program(sandbox, command.program)), *arguments)
        return self._request(sandbox, argv, command.cwd, command.timeout)

    def program(self, sandbox: Sandbox, name: str) -> Path:
        """Return the path of ``<prefix>/bin/<name>``, never one outside of ``bin``."""
        return sandbox.prefix / "bin" / PurePosixPath(name).name

    def guest_path(self, path: Path) -> str:
        """Return the path unchanged."""
        return str(path)

    def prepare(self, sandbox: Sandbox, *, timeout: float) -> Request | None:
        """Prepare nothing."""
        return None

    def places(self, sandbox: Sandbox) -> tuple[Path, ...]:
        """Return HOME, the folder for temporary files, and the one that the prefix is in."""
        return (sandbox.home, sandbox.temp, sandbox.prefix.parent)

    def shares_files(self) -> bool:
        """Confirm it."""
        return True

    def sweep(self, sandbox: Sandbox) -> None:
        """Leave it to the process namespaces, which end with their program."""

    def keeps_files_away(self) -> bool:
        """Whether this host allows namespaces of files."""
        return "files" in (strongest_isolation() or "").split(",")

    def finish(self, sandbox: Sandbox) -> Request | None:
        """Leave it to the process namespaces, which end with their program."""
        return None

    def environment(self) -> Mapping[str, str]:
        """Return how the network and files were kept away."""
        level = strongest_isolation()
        if level is None:
            return {
                "network": "proxies that lead nowhere; this host allows no namespaces",
                "files": files_note(None),
                "limits": limits_note(None),
            }
        children = "; stray processes end with their test" if "pid" in level else ""
        network = f"none but loopback, in namespaces of its own ({level}){children}"
        return {"network": network, "files": files_note(level), "limits": limits_note(level)}

    def _for_user(self, sandbox: Sandbox, argv: tuple[str, ...], timeout: float) -> Request:
        """Return a request to install or administer: menu entries are kept to the sandbox."""
        request = self._request(sandbox, argv, sandbox.temp, timeout)
        return replace(request, environment={**(request.environment or {}), **sandbox.user_folders})

    def _request(self, sandbox: Sandbox, argv: tuple[str, ...], cwd: Path, timeout: float) -> Request:
        level = strongest_isolation()
        environment = {"PATH": f"{sandbox.prefix / 'bin'}:/usr/bin:/bin", **sandbox.environment}
        if level is None and not sandbox.network:
            environment |= proxies_to_nowhere()
        elif level is not None:
            argv = (*isolation_command(level, sandbox), *argv)
        return Request(argv=argv, cwd=cwd, environment=environment, timeout=timeout)


def proxies_to_nowhere() -> dict[str, str]:
    """Return the variables that keep well-behaved programs from the network where nothing else does."""
    variables = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), _NOWHERE)
    variables["no_proxy"] = "localhost,127.0.0.1"
    return variables | {name.upper(): value for name, value in variables.items()}


def install_options(installer: Path) -> tuple[str, ...]:
    """Return the options with which an installer asks nothing."""
    return ("-b", "-m") if _leaves_out_menus(installer) else ("-b",)


def _leaves_out_menus(installer: Path) -> bool:
    """Whether it is constructor's, and can leave out menu entries, which root gets outside of any home."""
    try:
        with installer.open("rb") as stream:
            return _NO_SHORTCUTS in stream.read(_HEADER)
    except OSError:
        return False  # the shell says what is wrong with it
