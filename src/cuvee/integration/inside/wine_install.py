"""Make a Wine prefix that says it is Windows 10, and run an installer in it, silently.

Usage: ``python wine_install.py WINE INSTALLER FOLDER``, with ``WINEPREFIX`` set. The exit code is the
installer's.
"""

import subprocess
import sys


def main(wine: str, installer: str, folder: str) -> int:
    # The first program that runs makes the prefix. Wine 8 says that it is Windows 7, unless told otherwise.
    code = subprocess.run([wine, "winecfg", "-v", "win10"], check=False).returncode
    if code:
        return code
    # NSIS wants the folder last, and unquoted, so it must not hold a space.
    return subprocess.run([wine, installer, "/S", f"/D={folder}"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
