"""A Windows desktop for tests: Wine, with a prefix of its own."""

import os
import re
import threading
from collections.abc import Mapping
from pathlib import Path

from cuvee import process
from cuvee.process import Completed, Request
from needed_programs import HANGING, needed

_VALUE = re.compile(r"^ {4}(.*?) {4}(REG_\w+) {4}(.*)$")


class Wine:
    """Runs Windows programs; ``folder`` gets the C: drive, ``display`` the windows: an X server's name."""

    def __init__(self, folder: Path, *, display: str = "") -> None:
        self._wine = needed("wine")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "WINEPREFIX": str(folder / "wine"),
            "WINEDEBUG": "-all",
            "TMPDIR": str(folder),  # Wine leaves a folder there
            # No Mono, no Gecko: they would ask to be fetched. No entries in the menus of the host.
            "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=",
            # Windows are seen only if this is known when Wine's folder is made.
            **({"DISPLAY": display} if display else {}),
        }
        self.drive = folder / "wine" / "drive_c"
        # Its server would end with the last program, and one that starts at that moment would fail.
        self.drive.parent.mkdir(parents=True, exist_ok=True)
        process.run(Request(argv=(self._server(), "-p300"), environment=self.environment, timeout=HANGING))
        # Wine 8 says that it is Windows 7, unless told otherwise.
        done = self.run("reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f")
        assert done.ok, done
        said = self.run("cmd", "/c", "ver").stdout.strip()
        assert " 10." in said, f"Wine was told to be Windows 10, and says that it is {said}"

    def run(
        self, *argv: str | Path, environment: Mapping[str, str] | None = None, timeout: float = HANGING
    ) -> Completed:
        """Run a program to its end."""
        return process.run(
            Request(
                argv=(self._wine, *map(str, argv)),
                environment=self.environment | dict(environment or {}),
                timeout=timeout,
            )
        )

    def install(self, installer: Path, place: Path | None, *options: str) -> Completed:
        """Run an installer silently."""
        where = () if place is None else (f"/D={windows(place)}",)
        return self.run(installer, "/S", *options, *where)

    def uninstall(self, uninstaller: Path, *options: str, timeout: float = HANGING) -> int:
        """Run an uninstaller silently, to its very end; give the first part's exit code.

        A program can't remove itself, so NSIS's uninstallers go on in a copy, which nobody waits for.
        """
        prefix = uninstaller.parent
        code = self.run(uninstaller, "/S", *options).exit_code
        for _ in range(int(10 * timeout)):
            left = list(prefix.parent.glob(f".{prefix.name}.cuvee-*.run"))
            if not uninstaller.exists() and not left:
                return code
            threading.Event().wait(0.1)
        raise TimeoutError(f"{uninstaller} did not end: {left}")

    def stop(self) -> None:
        """End everything in this Wine prefix."""
        process.run(Request(argv=(self._server(), "-k"), environment=self.environment, timeout=HANGING))
        assert not running_below(self.drive.parent)

    def registry(self, key: str) -> dict[str, str]:
        """Return the values of a key, by name; none when there is no such key."""
        query = self.run("reg", "query", key)
        found = (_VALUE.match(line) for line in query.stdout.splitlines())
        return {match[1]: match[3] for match in found if match is not None}

    def has_key(self, key: str) -> bool:
        """Whether the registry has a key."""
        return self.run("reg", "query", key).exit_code == 0

    def log(self, name: str, verb: str, suffix: str = "log") -> str:
        """Return the text of the log of this user's installations."""
        (path,) = self.drive.glob(f"users/*/AppData/Local/{name}/{verb}.{suffix}")
        data = path.read_bytes()
        return data.decode("utf-16" if data.startswith(b"\xff\xfe") else "utf-8")

    def _server(self) -> str:
        beside = Path("/usr/lib/wine/wineserver")
        return str(beside) if beside.exists() else needed("wineserver")


def running_below(folder: Path) -> list[str]:
    """Return the command lines of programs, Wine's services too, whose Wine prefix is below ``folder``.

    Those that are being killed get a moment to end.
    """
    wanted = f"WINEPREFIX={folder}".encode()
    for _ in range(20):
        found = []
        for process_folder in Path("/proc").glob("[0-9]*"):
            try:
                if wanted in (process_folder / "environ").read_bytes():
                    found.append((process_folder / "cmdline").read_text(errors="replace"))
            except OSError:  # ended, or somebody else's
                continue
        if not found:
            break
        threading.Event().wait(0.1)
    return found


def windows(path: Path) -> str:
    r"""Return a host's path as Windows programs spell it: ``Z:\tmp\…``."""
    return "Z:" + str(path).replace("/", "\\")
