"""Make a Wine prefix that says it is Windows 10, if it is not there, and run a program in it.

Usage: ``python wine_start.py WINE WINESERVER [PROGRAM ARGUMENT…]``, with ``WINEPREFIX`` set; WINESERVER may
be empty. The exit code is the program's.
"""

import os
import subprocess
import sys

_STAYS = "-p60"
"""Seconds for which Wine's server outlives the last program: one that starts while it ends would fail."""

_NO_CRASH_DIALOG = (
    r"HKCU\Software\Wine\WineDbg",
    "/v",
    "ShowCrashDialog",
    "/t",
    "REG_DWORD",
    "/d",
    "0",
    "/f",
)


def main(wine: str, server: str, *command: str) -> int:
    prefix = os.environ["WINEPREFIX"]
    os.makedirs(os.environ["TMPDIR"], exist_ok=True)  # noqa: PTH103 - nothing else here wants pathlib
    if server:
        os.makedirs(prefix, exist_ok=True)  # noqa: PTH103
        subprocess.run([server, _STAYS], check=False)
    made = os.path.join(prefix, "cuvee-made")  # noqa: PTH118
    if not os.path.exists(made):  # noqa: PTH110
        # The first program makes the prefix. Wine 8 says that it is Windows 7, unless told otherwise.
        code = subprocess.run([wine, "winecfg", "-v", "win10"], check=False).returncode
        # A program that crashes would open a dialog, and with it a desktop, which stays and keeps the pipes
        # of the program open: whoever reads its output would wait forever. The debugger still writes there.
        code = code or subprocess.run([wine, "reg", "add", *_NO_CRASH_DIALOG], check=False).returncode
        if code:
            return code
        os.close(os.open(made, os.O_CREAT | os.O_WRONLY))
    return subprocess.run([wine, *command], check=False).returncode if command else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
