r"""Start a program of the menu in its environment.

``pythonw start_activated.py [--before=TEXT] PROGRAM [ARGUMENT…]``

It does what activating does: PATH, ``CONDA_PREFIX``, and the packages' ``etc\conda\activate.d\*.bat``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_FOLDERS = ("", r"Library\mingw-w64\bin", r"Library\usr\bin", r"Library\bin", "Scripts", "bin")
_BEFORE = "--before="


def environment(prefix: Path) -> dict[str, str]:
    """Return the environment of a program that runs in ``prefix``."""
    path = [str(prefix / folder) for folder in _FOLDERS]
    return {**os.environ, "CONDA_PREFIX": str(prefix), "PATH": os.pathsep.join([*path, os.environ["PATH"]])}


def main(argv: list[str]) -> int:
    """Run the program to its end, with the console that this was started with, if any."""
    prefix = Path(__file__).parents[5]
    before = [f'call "{script}"' for script in sorted((prefix / "etc/conda/activate.d").glob("*.bat"))]
    if argv and argv[0].startswith(_BEFORE):
        before.append(argv.pop(0).removeprefix(_BEFORE))
    if not before:
        command: str | list[str] = argv
    else:
        steps = " & ".join([*before, subprocess.list2cmdline(argv)])
        command = f'{os.environ["COMSPEC"]} /d /s /c "{steps}"'
    hidden = 0 if sys.stdout is not None else 0x08000000  # CREATE_NO_WINDOW
    return subprocess.run(command, env=environment(prefix), check=False, creationflags=hidden).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
