"""The verbs that the installer's and the uninstaller's NSIS part call.

``install [--machine] [--path] [--register] [--no-registry] [--no-program] [--force] --manifest=SHA256``
    Everything from the checks to the registry. Stage 0 has been unpacked into RUN.
``stage``
    Copy what the uninstaller's work needs out of the prefix into RUN: a running program can't be removed.
``uninstall``
    Remove what was installed, and nothing else.

Paths come through the environment, which knows no quoting and no limit of 1,024 characters:
CUVEE_INSTALLER the file that is being run; CUVEE_PREFIX where the release is or will be; CUVEE_RUN the folder
that this runs from; CUVEE_STAGED an empty folder beside the prefix; CUVEE_ANCHOR the nearest folder above the
prefix that existed before; CUVEE_LOG another place for the log.
"""

# Stage 0 has no pathlib.
# ruff: noqa: PTH118, PTH123

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from collections.abc import Mapping
from typing import NamedTuple

from . import installing, removing
from .log import Log, folder
from .registry import Product


class Place(NamedTuple):
    """What the NSIS part knows; see the module's own text."""

    installer: str
    prefix: str
    run: str
    staged: str
    anchor: str
    log: str


def main(argv: list[str], environment: Mapping[str, str]) -> int:
    """Run a verb; give the exit code."""
    verb, options = argv[0], argv[1:]
    place = Place(*(environment.get(f"CUVEE_{name.upper()}", "") for name in Place._fields))
    if verb == "stage":
        removing.stage(place.prefix, place.run)
        return 0
    product = read_product(os.path.join(place.run, ".cuvee", "product.json"))
    machine = "--machine" in options if verb == "install" else removing.is_machine(place.prefix)
    logs = folder(environment, product.name, machine=machine)
    log = Log(place.log or os.path.join(logs, f"{verb}.log"))
    log.listen()
    log.note(f"{verb} {product.title} {product.version}: {place} {options}")
    code = _run(verb, options, product, place, log)
    if code:
        sys.stderr.write(f"The log is {log.path}\n")
    facts = {"distribution": product.distribution, "version": product.version, "prefix": place.prefix}
    log.close(verb, code, facts)
    return code


def _run(verb: str, options: list[str], product: Product, place: Place, log: Log) -> int:
    failure = importlib.import_module("runtime.failure")
    try:
        if verb == "install":
            return installing.install(product, place, options)
        return removing.uninstall(place.prefix)
    except failure.InstallError as error:
        sys.stderr.write(f"Error: {error.message}\n")
        return int(error.code)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        sys.stderr.write(f"Error: {error.strerror or error}{where}\n")
    except Exception as error:  # noqa: BLE001 - a bug: its story belongs in the log, not on the screen
        log.note(traceback.format_exc())
        sys.stderr.write(f"Error: {error!r}. Please report this; the log has the details.\n")
    return int(failure.FAILED)


def read_product(path: str) -> Product:
    """Read what the build wrote of the release."""
    with open(path, encoding="utf-8") as stream:
        return Product(**json.load(stream))
