"""Running a Windows release on Windows itself, with the account of the user who runs the tests."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from cuvee import platforms
from cuvee.integration.model import PlannedSuite, SuiteKind
from cuvee.integration.runners.isolation import files_note, limits_note
from cuvee.integration.runners.protocol import Command, InstallerVerb, Sandbox
from cuvee.process import Completed, Request

_KEPT = (
    "COMSPEC", "NUMBER_OF_PROCESSORS", "OS", "PATHEXT", "PROCESSOR_ARCHITECTURE", "PROCESSOR_IDENTIFIER",
    "PROGRAMDATA", "SYSTEMDRIVE", "SYSTEMROOT", "WINDIR",
)  # fmt: skip
"""Variables without which programs of Windows do not start, or do not know the machine."""

_NOWHERE = "http://127.0.0.1:9"  # the discard port, where nothing listens
_FINISH_SECONDS = 600.0


class WindowsRunner:
    """Runs ``win-64`` on Windows. Nothing keeps programs from the network, or from the user's files."""

    name = "native"

    def refusal(self, platform: str) -> str | None:
        """Return why it cannot run ``platform`` here; empty for platforms and hosts that are not its own."""
        host = platforms.host()
        if host is None or not host.is_windows or host.name != platform:
            return ""
        if " " in tempfile.gettempdir():  # the installer wants its folder unquoted
            return "the folder for temporary files has a space in its name: let TEMP name another one"
        return None

    def suite_refusal(self, suite: PlannedSuite) -> str | None:
        """Return why it does not run a suite."""
        if suite.kind is SuiteKind.LIFECYCLE:
            return "its installations would meet in the account of the user who runs the tests"
        return None

    def limitation(self, completed: Completed) -> str | None:
        """Blame the release for every failure."""
        return None

    def install(self, sandbox: Sandbox, installer: Path, *, timeout: float) -> Request:
        """Make the request that installs silently: ``INSTALLER /S /D=PREFIX``."""
        return self._request(sandbox, (str(installer), "/S", f"/D={sandbox.prefix}"), sandbox.temp, timeout)

    def maintain(self, sandbox: Sandbox, installer: Path, verb: InstallerVerb, *, timeout: float) -> Request:
        """Make the request ``INSTALLER /S /repair /D=PREFIX``, or with the option of another verb."""
        options = () if verb is InstallerVerb.UPGRADE else (f"/{verb.value}",)
        argv = (str(installer), "/S", *options, f"/D={sandbox.prefix}")
        return self._request(sandbox, argv, sandbox.temp, timeout)

    def check(self, sandbox: Sandbox, installer: Path, *, timeout: float) -> Request:
        """Make the request ``INSTALLER /check``."""
        return self._request(sandbox, (str(installer), "/check"), sandbox.temp, timeout)

    def administer(self, sandbox: Sandbox, name: str, verb: str, *, timeout: float) -> Request:
        """Make the request that runs a verb of a prefix's administration, which is a batch file."""
        script = str(sandbox.prefix / "Scripts" / f"{name}.cmd")
        return self._request(sandbox, ("cmd", "/c", script, verb), sandbox.temp, timeout)

    def request(self, sandbox: Sandbox, command: Command) -> Request:
        """Make the request that runs ``command``."""
        arguments = (str(arg) for arg in command.arguments)
        argv = (str(self.program(sandbox, command.program)), *arguments)
        return self._request(sandbox, argv, command.cwd, command.timeout)

    def program(self, sandbox: Sandbox, name: str) -> Path:
        """Return the path of ``python.exe``, or of a program in ``Scripts``."""
        if name == "python":
            return sandbox.prefix / "python.exe"
        return sandbox.prefix / "Scripts" / f"{PurePosixPath(name).name}.exe"

    def guest_path(self, path: Path) -> str:
        """Return a path as it is."""
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
        """Do nothing: a program's job has ended with it, see `cuvee.windows_jobs`."""

    def keeps_files_away(self) -> bool:
        """Deny it."""
        return False

    def finish(self, sandbox: Sandbox) -> Request | None:
        """Make the request that uninstalls: the account has menu entries and registry keys of the release."""
        program = next(sandbox.prefix.glob("Uninstall-*.exe"), None)
        if program is None:
            return None
        # With this option it does not go on in a copy of itself, for which none would wait:
        # https://nsis.sourceforge.io/Docs/Chapter3.html#installerusageuninstaller
        argv = (str(program), "/S", f"_?={sandbox.prefix}")
        return self._request(sandbox, argv, sandbox.home.parent, _FINISH_SECONDS)

    def environment(self) -> Mapping[str, str]:
        """Return that nothing is kept away."""
        return {
            "network": "proxies that lead nowhere; Windows has no namespaces",
            "files": files_note(None),
            "limits": limits_note(None),
        }

    def _request(self, sandbox: Sandbox, argv: tuple[str, ...], cwd: Path, timeout: float) -> Request:
        prefix, home, temp = sandbox.prefix, sandbox.home, str(sandbox.temp)
        system = Path(os.environ.get("SYSTEMROOT", r"C:\Windows"))
        folders = (prefix, prefix / "Library" / "bin", prefix / "Scripts", system / "System32", system)
        environment = {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            **sandbox.environment,
            "PATH": ";".join(map(str, folders)),
            "USERPROFILE": str(home),
            "APPDATA": str(home / "AppData" / "Roaming"),
            "LOCALAPPDATA": str(home / "AppData" / "Local"),
            "TEMP": temp,
            "TMP": temp,
            "PYTHONIOENCODING": "utf-8",
        }
        if not sandbox.network:
            proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), _NOWHERE)
            environment |= {**proxies, "NO_PROXY": "localhost,127.0.0.1"}
        return Request(argv=argv, cwd=cwd, environment=environment, timeout=timeout)
