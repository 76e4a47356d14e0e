"""Make a Wine prefix that says it is Windows 10, and run an installer in it, silently.

Usage: ``python wine_install.py WINE WINESERVER INSTALLER FOLDER``, with ``WINEPREFIX`` set; WINESERVER may
be empty. The exit code is the installer's.
"""

import os
import subprocess
import sys

_STAYS = "-p60"
"""Seconds for which Wine's server outlives the last program: one that starts while it ends would fail."""


def main(wine: str, server: str, installer: str, folder: str) -> int:
    if server:
        os.makedirs(os.environ["WINEPREFIX"], exist_ok=True)  # noqa: PTH103 - nothing else here wants pathlib
        subprocess.run([server, _STAYS], check=False)
    # The first program that runs makes the prefix. Wine 8 says that it is Windows 7, unless told otherwise.
    code = subprocess.run([wine, "winecfg", "-v", "win10"], check=False).returncode
    if code:
        return code
    # NSIS wants the folder last, and unquoted, so it must not hold a space.
    return subprocess.run([wine, installer, "/S", f"/D={folder}"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
