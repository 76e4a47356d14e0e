"""The verbs that the installer's and the uninstaller's NSIS part call, and the command that stays.

``install``, ``repair``, ``uninstall``
    Everything from the checks to the registry. Stage 0 has been unpacked into RUN. The uninstaller gives no
    options; the installer gives ``--manifest=SHA256`` and any of ``--machine --path=0|1 --register=0|1
    --no-shortcuts=0|1 --no-scripts --no-registry --no-program --no-keep --keep-installer=0|1 --managed
    --force --new-key --json --batch``. What is not given is as it was before, in an upgrade, or else as it is
    by default.
``stage``
    Copy what the uninstaller's work needs out of the prefix into RUN: a running program cannot be removed.
``info``, ``list``, ``check``, ``licenses``, ``sbom``, ``dry-run``, ``extract``
    Look into the installer; with ``--json``.
``admin VERB …``
    What ``Scripts\\<distribution>-admin.cmd`` runs, see `admin_verbs`.

Paths come through the environment, which has no quoting and no limit of 1,024 characters:
CUVEE_INSTALLER the file that is being run; CUVEE_PREFIX where the release is or will be; CUVEE_RUN the folder
that this runs from; CUVEE_STAGED an empty folder beside the prefix; CUVEE_ANCHOR the nearest folder above the
prefix that existed before; CUVEE_LOG another path for the log; CUVEE_OUTPUT a file for the answer;
CUVEE_FOLDER where ``extract`` puts the files, or the current folder of ``admin``; CUVEE_KEY the public key
that must have signed the release, as hex digits or a PEM file; CUVEE_MENU and CUVEE_DESKTOP where
shortcuts go. With CUVEE_WINDOW, the installer's window shows what is written, in UTF-16.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import traceback
from collections.abc import Callable, Mapping

from ..command_line import ANSWERS, guarded, run_installer
from ..delta_base import refuse_verb
from ..failure import FAILED, InstallError
from ..file_operations import remove_empty, remove_tree
from ..prefix_names import known_name
from ..staged_folder import claim, settle_in, stay_claimed
from ..standard_streams import with_streams
from . import long_paths
from .admin_verbs import administer
from .nsis_call import NsisCall
from .registration import is_machine
from .registry import Product, read_product
from .staged_files import copy_stage0, stage
from .windows_install import install, repair
from .windows_log import WindowsLog, folder, write_for_window
from .windows_uninstall import uninstall

_CHANGES: dict[str, Callable[[Product, NsisCall], int]] = {
    "install": install,
    "repair": repair,
    "uninstall": uninstall,
}
# What reads the payload's every byte checks the file's hash first; the others read what has its own.
_READS_ALL = frozenset(("check", "extract"))
_FOR_RUNTIME = frozenset(("--json", "--force", "--new-key"))


def main(argv: list[str], environment: Mapping[str, str]) -> int:
    """Run a verb; return the exit code."""
    lost = FAILED if argv[0] in ANSWERS else 0
    return with_streams(lambda: _main(argv, environment), lost=lost)


def _main(argv: list[str], environment: Mapping[str, str]) -> int:
    verb, options = argv[0], argv[1:]
    long_paths.allow()
    stay_claimed(os.path.abspath(environment.get("CUVEE_RUN", "")))
    paths = {name: environment.get(f"CUVEE_{name.upper()}", "") for name in NsisCall._fields[:-1]}
    if paths["prefix"]:
        paths["prefix"] = known_name(os.path.abspath(paths["prefix"]))
    call = NsisCall(**paths, options=tuple(options))
    if environment.get("CUVEE_WINDOW"):
        write_for_window()
    if verb in _CHANGES:
        return _change(verb, call, environment)
    if verb == "stage":
        return _guarded(lambda: stage(call.prefix, call.run), None)
    if verb == "admin":
        return _guarded(lambda: administer(call, options), None)
    return _guarded(lambda: _inspect(verb, call), None)


def _change(verb: str, call: NsisCall, environment: Mapping[str, str]) -> int:
    product = read_product(os.path.join(call.run, ".cuvee", "product.json"))
    machine = "--machine" in call.options if call.options else is_machine(call.prefix)
    logs = folder(environment, product.name, machine=machine)
    log = WindowsLog(call.log or os.path.join(logs, f"{verb}.log"))
    log.listen()
    log.note(f"{verb} {product.label}: {call}")

    def work() -> int:
        if call.installer and verb != "install":
            run = call.installer_run(verb, (), check=False)
            if run.read_index() is not None:
                refuse_verb(verb, run.read_manifest(run.manifest_bytes()))
        return _CHANGES[verb](product, call)

    code = _guarded(work, log)
    if code and os.path.isfile(log.path):
        sys.stderr.write(f"The log is {log.path}\n")
    details = {"distribution": product.distribution, "version": product.version, "prefix": call.prefix}
    log.close(verb, code, details)
    return code


def _guarded(work: Callable[[], int], log: WindowsLog | None) -> int:
    def give_up(_: int, message: str) -> None:
        sys.stderr.write(f"Error: {message}\n")

    def note_bug() -> None:
        if log is not None:
            log.note(traceback.format_exc())

    return guarded(work, give_up, on_bug=note_bug)


def _inspect(verb: str, call: NsisCall) -> int:
    if call.output:
        # First of all, so that nothing is made before the answer has a place.
        with open(call.output, "w", encoding="utf-8") as stream, contextlib.redirect_stdout(stream):
            return _inspect(verb, call._replace(output=""))
    options = [option for option in call.options if option in _FOR_RUNTIME]
    if verb == "dry-run" and os.path.isdir(call.prefix):
        options.append("--replace")
    run = call.installer_run(verb, options, check=verb in _READS_ALL)
    if verb == "extract":
        target = call.folder.rstrip("\\")
        staged, anchor = _prepare(target, call.run)
        run = run._replace(prefix=target, staged=staged, anchor=anchor)
    return run_installer(run)


def _prepare(target: str, run: str) -> tuple[str, str]:
    """Copy stage 0 beside the folder that will be made; return where, and the nearest folder above."""
    if os.path.lexists(target):
        raise InstallError(f"{target} exists already. Name a folder that is not there yet.")
    anchor = os.path.dirname(target)
    while not os.path.isdir(anchor) and os.path.dirname(anchor) != anchor:
        anchor = os.path.dirname(anchor)
    staged = ""
    try:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        staged = claim(target)
        copy_stage0(run, staged)
    except OSError as error:
        settle_in(staged)
        remove_tree(staged)
        remove_empty(os.path.dirname(target), anchor)
        reason = "The disk is full" if error.errno == errno.ENOSPC else error.strerror
        raise InstallError(f"{target} cannot be made: {reason}. Nothing was extracted.") from error
    return staged, anchor
