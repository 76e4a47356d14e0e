"""Run a program of PATH, where the release's own come first. Usage: ``run_program.py PROGRAM ARGUMENT…``."""

from __future__ import annotations  # for releases with an old Python

import os
import shutil
import subprocess
import sys

if __name__ == "__main__":
    if os.name == "nt":  # there, exec ends this process before the program has ended
        program = shutil.which(sys.argv[1]) or sys.argv[1]
        raise SystemExit(subprocess.run([program, *sys.argv[2:]], check=False).returncode)
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606
