"""Running a Windows release under Wine: slower than Windows, and less than Windows.

Wine lacks functions and libraries that packages need: Wine 8 has no ``ucrtbase.dll.crealf``, so numpy 2
does not start, and no ``bcryptprimitives.dll``, which programs in Rust ask for. What fails for that says
nothing of the release, and is reported as not supported here.
"""

import re
import shutil
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath

from cuvee import process
from cuvee.integration.plan import SMOKE
from cuvee.integration.runners import Command, Place, isolated_network
from cuvee.process import Completed, Request

_INSTALL = Path(__file__).parent / "inside" / "wine_install.py"
_DEBIAN_SERVER = "/usr/lib/wine/wineserver"  # not on PATH there
_FINISH_SECONDS = 60.0
_FUNCTION = re.compile(r"[Uu]nimplemented function (\S+?),? (?:called|aborting)")
_LIBRARY = re.compile(r"Library (\S+) \(which is needed by [^)]*\) not found", re.IGNORECASE)
# Only what every Windows 10 has is Wine's to bring; anything else is missing in the release.
_PART_OF_WINDOWS = re.compile(r"(?:bcryptprimitives|api-ms-win-.+|ext-ms-.+)\.dll", re.IGNORECASE)


class WineRunner:
    """Runs ``win-64`` under Wine on Linux, in a Wine prefix of its own, without a network."""

    name = "wine"

    def refusal(self, platform: str) -> str | None:
        """Why it can not run ``platform`` here; the empty text when that is no surprise."""
        if platform != "win-64" or sys.platform != "linux":
            return ""
        return None if shutil.which("wine") else "Wine is not installed (Debian packages wine and wine64)"

    def refuses_suite(self, suite: str) -> str | None:
        """Why it does not run a suite; most tests across projects need what Wine lacks."""
        return None if suite == SMOKE else "Wine runs the smoke suite alone; the others need a real Windows"

    def limit(self, completed: Completed) -> str | None:
        """Name what Wine lacks, if a program ended for want of it."""
        text = completed.stderr + completed.stdout
        function = _FUNCTION.search(text)
        if function is not None:
            return f"Wine lacks {function[1]}"
        lacking = [name for name in _LIBRARY.findall(text) if _PART_OF_WINDOWS.fullmatch(name)]
        return f"Wine lacks {lacking[0]}" if lacking else None

    def install(self, place: Place, installer: Path, *, timeout: float) -> Request:
        """Make the request that makes the Wine prefix, and installs silently into the place's prefix."""
        programs = (_wine(), _server() or "")
        argv = (
            sys.executable,
            "-I",
            "-S",
            str(_INSTALL),
            *programs,
            str(installer),
            self.spell(place.prefix),
        )
        return self._request(place, argv, place.temp, timeout)

    def request(self, place: Place, command: Command) -> Request:
        """Make the request that runs ``command``."""
        arguments = (arg if isinstance(arg, str) else self.spell(arg) for arg in command.arguments)
        argv = (_wine(), str(self.program(place, command.program)), *arguments)
        return self._request(place, argv, command.cwd, command.timeout)

    def program(self, place: Place, name: str) -> Path:
        """Give the host's path of ``python.exe``, or of a program in ``Scripts``."""
        if name == "python":
            return place.prefix / "python.exe"
        return place.prefix / "Scripts" / f"{PurePosixPath(name).name}.exe"

    def spell(self, path: Path) -> str:
        """Give a host's path as Windows programs see it: below ``Z:``."""
        return "Z:" + str(path).replace("/", "\\")

    def finish(self, place: Place) -> Request | None:
        """Make the request that ends Wine's services, which stay for a while after the last program."""
        server = _server()
        if server is None or not self._folder(place).exists():
            return None
        return self._request(place, (server, "--kill"), place.home.parent, _FINISH_SECONDS)

    def facts(self) -> Mapping[str, str]:
        """Name the Wine that ran it: what fails may be Wine's."""
        return {"wine": _version(), "network": "none but loopback" if isolated_network() else "not kept away"}

    def _request(self, place: Place, argv: tuple[str, ...], cwd: Path, timeout: float) -> Request:
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(place.home),
            "TMPDIR": str(place.temp),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "WINEPREFIX": str(self._folder(place)),
            "WINEDEBUG": "-all,err+module",  # says which library was not found
            "PYTHONIOENCODING": "utf-8",
        }
        return Request(argv=(*isolated_network(), *argv), cwd=cwd, environment=environment, timeout=timeout)

    def _folder(self, place: Place) -> Path:
        return place.home.parent / "wine"


def _wine() -> str:
    return process.find("wine", hint="Install the Debian packages wine and wine64.")


def _server() -> str | None:
    return shutil.which("wineserver") or shutil.which(_DEBIAN_SERVER)


@cache
def _version() -> str:
    return process.run(Request(argv=(_wine(), "--version"), timeout=60)).stdout.strip()
