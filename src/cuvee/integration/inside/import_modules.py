"""Import modules in the installed release; each must come from it. Usage: ``python imports.py MODULE…``.

Exit code 1 when a module does not import, with the traceback on stderr, and ``module: error`` on stdout.
"""

from __future__ import annotations  # for releases with an old Python

import importlib
import os
import sys
import traceback
from types import ModuleType


def main(names: list[str]) -> int:
    failed = 0
    for name in names:
        try:
            problem = _stranger(importlib.import_module(name))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  a module may even call sys.exit
            traceback.print_exc()
            problem = f"{type(error).__name__}: {error}"
        if problem:
            failed = 1
            sys.stdout.write(f"{name}: {problem}\n")
    return failed


def _stranger(module: ModuleType) -> str | None:
    """Return where a module came from, as a reason, if that is not this release."""
    inside = [os.path.realpath(path) + os.sep for path in (sys.prefix, sys.base_prefix)]
    for path in [getattr(module, "__file__", None), *getattr(module, "__path__", [])]:
        if path and not any(os.path.realpath(path).startswith(prefix) for prefix in inside):
            return f"it was imported from outside the release: {path}"
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
