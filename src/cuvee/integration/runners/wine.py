"""Running a Windows release under Wine: slower than Windows, and less than Windows.

Wine lacks functions and libraries that packages need: Wine 8 has no ``ucrtbase.dll.crealf``, so numpy 2
does not start, and no ``bcryptprimitives.dll``, which programs in Rust load. Such a failure says
nothing about the release, and is reported as not supported here.
"""

import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePosixPath

from cuvee import process
from cuvee.integration.model import PlannedSuite
from cuvee.integration.runners.isolation import files_note, limits_note, network_isolation, network_note
from cuvee.integration.runners.protocol import Command, InstallerVerb, Sandbox
from cuvee.integration.runners.wine_processes import MARK, end_marked
from cuvee.process import Completed, Request

_START = Path(__file__).parents[1] / "inside" / "wine_start.py"
_DEBIAN_SERVER = "/usr/lib/wine/wineserver"  # not on PATH there
_LEFT_OUT = "mscoree,mshtml,winemenubuilder.exe="
"""Parts of Wine that are not loaded: they fetch Mono and Gecko, and write entries into the host's menus.

Its debugger stays, though it takes seconds: it tells in the output of a program which function Wine lacks.
"""

_FINISH_SECONDS = 60.0
_FUNCTION = re.compile(r"[Uu]nimplemented function (\S+?),? (?:called|aborting)")
_LIBRARY = re.compile(r"Library (\S+) \(which is needed by [^)]*\) not found", re.IGNORECASE)
# Wine must provide what every Windows 10 has; anything else is missing in the release.
_PART_OF_WINDOWS = re.compile(r"(?:bcryptprimitives|api-ms-win-.+|ext-ms-.+)\.dll", re.IGNORECASE)


class WineRunner:
    """Runs ``win-64`` under Wine on Linux, in a Wine prefix of its own, without a network."""

    name = "wine"

    def refusal(self, platform: str) -> str | None:
        """Return why it cannot run ``platform`` here; empty for platforms that it never runs."""
        if platform != "win-64" or sys.platform != "linux":
            return ""
        return None if shutil.which("wine") else "Wine is not installed (Debian packages wine and wine64)"

    def suite_refusal(self, suite: PlannedSuite) -> str | None:
        """Run every suite: what Wine lacks for a test is told when it is missed."""
        return None

    def limitation(self, completed: Completed) -> str | None:
        """Return what Wine lacks, if that ended a program."""
        text = completed.stderr + completed.stdout
        function = _FUNCTION.search(text)
        if function is not None:
            return f"Wine lacks {function[1]}"
        lacking = [name for name in _LIBRARY.findall(text) if _PART_OF_WINDOWS.fullmatch(name)]
        return f"Wine lacks {lacking[0]}" if lacking else None

    def install(self, sandbox: Sandbox, installer: Path, *, timeout: float) -> Request:
        """Make the request that makes the Wine prefix, and installs silently into the sandbox's prefix."""
        return self._for_user(sandbox, (str(installer), "/S"), timeout)

    def check(self, sandbox: Sandbox, installer: Path, *, timeout: float) -> Request:
        """Make the request ``INSTALLER /check``, in the Wine prefix that the installation made."""
        return self._request(sandbox, (_wine(), str(installer), "/check"), sandbox.temp, timeout)

    def maintain(self, sandbox: Sandbox, installer: Path, verb: InstallerVerb, *, timeout: float) -> Request:
        """Make the request ``INSTALLER /S /repair /D=PREFIX``, or with the option of another verb."""
        options = () if verb is InstallerVerb.UPGRADE else (f"/{verb.value}",)
        return self._for_user(sandbox, (str(installer), "/S", *options), timeout)

    def administer(self, sandbox: Sandbox, name: str, verb: str, *, timeout: float) -> Request:
        """Make the request that runs a verb of a prefix's administration, which is a batch file."""
        script = self.guest_path(sandbox.prefix / "Scripts" / f"{name}.cmd")
        return self._request(sandbox, (_wine(), "cmd", "/c", script, verb), sandbox.temp, timeout)

    def request(self, sandbox: Sandbox, command: Command) -> Request:
        """Make the request that runs ``command``."""
        arguments = (arg if isinstance(arg, str) else self.guest_path(arg) for arg in command.arguments)
        argv = (_wine(), str(self.program(sandbox, command.program)), *arguments)
        return self._request(sandbox, argv, command.cwd, command.timeout)

    def program(self, sandbox: Sandbox, name: str) -> Path:
        """Return the host's path of ``python.exe``, or of a program in ``Scripts``."""
        if name == "python":
            return sandbox.prefix / "python.exe"
        return sandbox.prefix / "Scripts" / f"{PurePosixPath(name).name}.exe"

    def guest_path(self, path: Path) -> str:
        """Return a host's path as Windows programs see it: below ``Z:``."""
        return "Z:" + str(path).replace("/", "\\")

    def prepare(self, sandbox: Sandbox, *, timeout: float) -> Request | None:
        """Make the request that makes the Wine prefix."""
        return self._started(sandbox, (), timeout)

    def places(self, sandbox: Sandbox) -> tuple[Path, ...]:
        """Return those of Linux, and on the drive C the folders of users, of all users, and of the menu."""
        drive = self._folder(sandbox) / "drive_c"
        return (
            sandbox.home,
            self._temp(sandbox),
            sandbox.prefix.parent,
            drive / "users",
            drive / "ProgramData",
        )

    def shares_files(self) -> bool:
        """Confirm it."""
        return True

    def sweep(self, sandbox: Sandbox) -> None:
        """End the Windows programs that a program has started: they are in no process namespace."""
        end_marked(str(sandbox.temp))

    def keeps_files_away(self) -> bool:
        """Deny it: Windows' programs see the host's files as the drive Z."""
        return False

    def finish(self, sandbox: Sandbox) -> Request | None:
        """Make the request that ends Wine's services, which stay for a while after the last program."""
        server = _server()
        if server is None or not self._folder(sandbox).exists():
            return None
        return self._request(sandbox, (server, "--kill"), sandbox.home.parent, _FINISH_SECONDS)

    def environment(self) -> Mapping[str, str]:
        """Return the version of Wine: what fails may be its fault."""
        return {
            "wine": _version(),
            "network": network_note(),
            "files": files_note(None),
            "limits": limits_note(None),
        }

    def _for_user(self, sandbox: Sandbox, installer: tuple[str, ...], timeout: float) -> Request:
        """Return a request to start an installer; the folder is its last option.

        Logs, which stay on Windows when a release is removed, go beside the folders that are compared.
        """
        log, folder = map(self.guest_path, (sandbox.home.parent / "installer.log", sandbox.prefix))
        return self._started(sandbox, (*installer, f"/LOG={log}", f"/D={folder}"), timeout)

    def _started(self, sandbox: Sandbox, command: tuple[str, ...], timeout: float) -> Request:
        """Return a request that makes the Wine prefix, if it is not there, and runs a program in it."""
        argv = (sys.executable, "-I", "-S", str(_START), _wine(), _server() or "", *command)
        request = self._request(sandbox, argv, sandbox.temp, timeout)
        return replace(request, environment={**(request.environment or {}), **sandbox.user_folders})

    def _request(self, sandbox: Sandbox, argv: tuple[str, ...], cwd: Path, timeout: float) -> Request:
        environment = {
            "PATH": "/usr/bin:/bin",
            **sandbox.environment,
            "WINEPREFIX": str(self._folder(sandbox)),
            # Debian's Wine starts a second server, on the same registry, if this is another folder.
            "TMPDIR": str(self._temp(sandbox)),
            MARK: str(sandbox.temp),
            "WINEDEBUG": "-all,err+module",  # reports the library that was not found
            "WINEDLLOVERRIDES": _LEFT_OUT,
            "PYTHONIOENCODING": "utf-8",
        }
        inside = (*network_isolation(sandbox), *argv)
        return Request(argv=inside, cwd=cwd, environment=environment, timeout=timeout)

    def _folder(self, sandbox: Sandbox) -> Path:
        return sandbox.home.parent / "wine"

    def _temp(self, sandbox: Sandbox) -> Path:
        return sandbox.home.parent / "wine-tmp"


def _wine() -> str:
    return process.find("wine", hint="Install the Debian packages wine and wine64.")


def _server() -> str | None:
    return shutil.which("wineserver") or shutil.which(_DEBIAN_SERVER)


@cache
def _version() -> str:
    return process.run(Request(argv=(_wine(), "--version"), timeout=60)).stdout.strip()
