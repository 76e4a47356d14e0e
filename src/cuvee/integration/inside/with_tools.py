"""Run a script with the Python packages of a prefix beside the release, as the last ones.

Usage: ``python -I with_tools.py START SCRIPT ARGUMENT…``, where START has the ``sitecustomize.py`` that an
isolated interpreter does not look for.
"""

from __future__ import annotations  # for releases with an old Python

import os
import runpy
import sys

if __name__ == "__main__":
    runpy.run_path(os.path.join(sys.argv[1], "sitecustomize.py"))  # noqa: PTH118
    del sys.argv[:2]
    runpy.run_path(sys.argv[0], run_name="__main__")
