"""The verbs that the installer's and the uninstaller's NSIS part call, and the command that stays.

``install``, ``repair``, ``uninstall``
    Everything from the checks to the registry. Stage 0 has been unpacked into RUN. The uninstaller gives no
    options; the installer gives ``--manifest=SHA256`` and any of ``--machine --path=0|1 --register=0|1
    --no-shortcuts=0|1 --no-scripts --no-registry --no-program --no-keep --managed --force --new-key
    --batch``. What is not said is as it was before, in an upgrade, or else as it is by default.
``stage``
    Copy what the uninstaller's work needs out of the prefix into RUN: a running program can't be removed.
``info``, ``list``, ``check``, ``licenses``, ``sbom``, ``dry-run``, ``extract``
    Look into the installer; with ``--json``.
``admin VERB …``
    What ``Scripts\\<distribution>-admin.cmd`` runs, see `administering`.

Paths come through the environment, which knows no quoting and no limit of 1,024 characters:
CUVEE_INSTALLER the file that is being run; CUVEE_PREFIX where the release is or will be; CUVEE_RUN the folder
that this runs from; CUVEE_STAGED an empty folder beside the prefix; CUVEE_ANCHOR the nearest folder above the
prefix that existed before; CUVEE_LOG another place for the log; CUVEE_OUTPUT a file that gets what is asked
for; CUVEE_PLACE where ``extract`` puts the files; CUVEE_KEY the public key that must have signed the release,
as hex digits or a PEM file; CUVEE_MENU and CUVEE_DESKTOP where shortcuts go.
With CUVEE_WINDOW, the installer's window shows what is said, in UTF-16.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Mapping
from typing import NamedTuple

from ..failure import FAILED, InstallError
from . import administering, installing, longpaths, looking, removing
from .log import Log, folder, show_progress, talk_to_window
from .registry import Product, read_product


class Place(NamedTuple):
    """What the NSIS part knows; see the module's own text."""

    installer: str
    prefix: str
    run: str
    staged: str
    anchor: str
    log: str
    output: str
    place: str
    menu: str
    desktop: str
    key: str

    def key_options(self) -> list[str]:
        """Give the runtime's option for the key, if one is asked for."""
        return [f"--key={self.key}"] if self.key else []


def main(argv: list[str], environment: Mapping[str, str]) -> int:
    """Run a verb; give the exit code."""
    verb, options = argv[0], argv[1:]
    longpaths.allow()
    place = Place(*(environment.get(f"CUVEE_{name.upper()}", "") for name in Place._fields))
    if environment.get("CUVEE_WINDOW"):
        talk_to_window()
    if verb == "stage":
        return _guarded(lambda: removing.stage(place.prefix, place.run), None)
    if verb == "admin":
        return _guarded(lambda: administering.administer(place, options), None)
    product = read_product(os.path.join(place.run, ".cuvee", "product.json"))
    if verb not in {"install", "repair", "uninstall"}:
        return _guarded(lambda: looking.look(verb, place, options), None)
    return _change(verb, options, product, place, environment)


def _change(
    verb: str, options: list[str], product: Product, place: Place, environment: Mapping[str, str]
) -> int:
    machine = "--machine" in options if options else removing.is_machine(place.prefix)
    log = Log(place.log or os.path.join(folder(environment, product.name, machine=machine), f"{verb}.log"))
    log.listen()
    show_progress()
    log.note(f"{verb} {product.title} {product.version}: {place} {options}")
    work: dict[str, Callable[[], int]] = {
        "install": lambda: installing.install(product, place, options),
        "repair": lambda: installing.repair(product, place, options),
        "uninstall": lambda: removing.uninstall(product, place, options),
    }
    code = _guarded(work[verb], log)
    if code:
        sys.stderr.write(f"The log is {log.path}\n")
    facts = {"distribution": product.distribution, "version": product.version, "prefix": place.prefix}
    log.close(verb, code, facts)
    return code


def _guarded(work: Callable[[], int], log: Log | None) -> int:
    """Run a verb; what goes wrong is said in one line."""
    try:
        return work()
    except InstallError as error:
        sys.stderr.write(f"Error: {error.message}\n")
        return error.code
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        sys.stderr.write(f"Error: {error.strerror or error}{where}\n")
    except Exception as error:  # noqa: BLE001 - a bug: its story belongs in the log, not on the screen
        if log is not None:
            log.note(traceback.format_exc())
        sys.stderr.write(f"Error: {error!r}. Please report this; the log has the details.\n")
    return FAILED
