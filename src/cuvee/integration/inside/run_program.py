"""Run a program of PATH, where the release's own come first. Usage: ``run_program.py PROGRAM ARGUMENT…``."""

from __future__ import annotations  # for releases with an old Python

import os
import sys

if __name__ == "__main__":
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606
