"""Append the Python packages of a prefix beside the release to ``sys.path``, after all others.

It is copied to the folder ``start`` of that prefix, which is on PYTHONPATH. A ``sitecustomize`` of the
release is run as if this one were not there.
"""

from __future__ import annotations  # for releases with an old Python

import importlib.machinery
import importlib.util
import os
import site
import sys
from pathlib import Path

_here = Path(__file__).resolve().parent
sys.path[:] = [path for path in sys.path if Path(path or os.curdir).resolve() != _here]
_other = importlib.machinery.PathFinder.find_spec("sitecustomize", sys.path)
if _other is not None and _other.loader is not None:
    _other.loader.exec_module(importlib.util.module_from_spec(_other))
for _folder in (
    *(_here.parent / "lib").glob("python3*/site-packages"),
    _here.parent / "Lib" / "site-packages",
):
    if _folder.is_dir():
        site.addsitedir(str(_folder))
_libraries = _here.parent / "Library" / "bin"
if hasattr(os, "add_dll_directory") and _libraries.is_dir():
    os.add_dll_directory(str(_libraries))
