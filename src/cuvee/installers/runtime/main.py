"""The runtime: what an installer starts, and what `<distribution>-admin` starts in a prefix later.

From an installer: ``VERB INSTALLER STAGED PREFIX ANCHOR VERIFIED MANIFEST_{AT,SIZE,RAW,SHA256} [OPTION…]``

VERB            install, repair, uninstall, extract, check, dry-run, list, info, licenses,
                sbom
INSTALLER       the file that is being run
STAGED          the folder beside PREFIX that stage 0 was unpacked into
PREFIX          where the prefix will be, absolute
ANCHOR          the nearest folder above PREFIX that existed before
VERIFIED        the SHA-256 that the shell computed over the whole installer, to be held to what that states;
                ``-`` where the caller has done so itself
MANIFEST_…      place, sizes and hash of the image's manifest; the payload follows it
"""

# Stage 0 has no pathlib.
# ruff: noqa: PTH100, PTH113, PTH120

from __future__ import annotations

import errno
import os
import signal
import sys

from . import (
    bill,
    handover,
    install,
    listing,
    log,
    looking,
    placing,
    repair,
    rollback,
    signature,
    state,
    uninstall,
    verify,
)
from .failure import FAILED, INTERRUPTED, USAGE, InstallError
from .job import Job

_HELP = """usage: {name}-admin VERB [OPTION…]

verify [--json]                 find changed, missing and extra files
list [--json]                   the packages of the release, and those that were added
info [--json]                   what this release is
sbom                            its bill of materials, CycloneDX JSON
rollback [--json]               go back to the release that was upgraded, or forth again
clean [--json]                  let go of that release
upgrade INSTALLER [--no-keep]   check a new release's .sh by the key that signed this one, then upgrade;
                                --new-key takes a release that somebody else signed
repair --from INSTALLER         restore changed and missing files from the installer of the same release
uninstall [--dry-run] [--json]  remove the release; files that it did not bring stay
          [--no-scripts]        without the script that it brought for that
help                            this text

exit codes: 0 done, 1 failed or differences were found, 2 wrong usage, 3 something is missing,
5 something is damaged, 130 interrupted
"""

_OPTIONS = {
    "verify": {"--json"},
    "list": {"--json"},
    "info": {"--json"},
    "sbom": set(),
    "rollback": {"--json"},
    "clean": {"--json"},
    "uninstall": {"--json", "--dry-run", "--no-scripts"},
}
_LOOKS = {"check": looking.check, "extract": looking.extract, "dry-run": looking.dry_run}


class _Stopped(BaseException):
    """A signal asked us to stop."""


def main(argv: list[str]) -> int:
    """Run a verb; give the exit code."""
    _listen()
    if len(argv) >= len(Job._fields) - 1 and not argv[1].startswith("-"):
        verb, installer, staged, prefix, anchor, verified, at, size, raw, sha256 = argv[:10]
        numbers = int(at), int(size), int(raw)
        options = frozenset(argv[10:])
        for option in options:
            if option.startswith("--log="):
                log.copy_to(option.partition("=")[2])
        return _from_installer(
            Job(verb, installer, staged, prefix, anchor, verified, *numbers, sha256, options)
        )
    here = os.path.abspath(__file__)
    for _ in f"{state.KEPT}/runtime/main.py".split("/"):
        here = os.path.dirname(here)
    return administer(here, argv)


def administer(prefix: str, argv: list[str]) -> int:
    """Run a verb on the prefix that this code lies in."""
    verb, options = (argv[0] if argv else "help"), set(argv[1:])
    if verb == "repair":
        return _hand_over(prefix, argv[1:])
    installer = ""
    if verb == "upgrade" and argv[1:] and options - {signature.NEW_KEY, "--no-keep"} == set(argv[1:2]):
        installer = os.path.abspath(argv[1])
        options -= {argv[1]}
    if not installer and (verb not in _OPTIONS or options - _OPTIONS[verb]):
        asked = verb in {"help", "-h", "--help"}
        marker = state.read_marker(prefix) or {}
        text = _HELP.format(name=marker.get("distribution", "<distribution>"))
        (sys.stdout if asked else sys.stderr).write(text)
        return 0 if asked else USAGE
    try:
        if installer:
            return handover.upgrade(prefix, installer, frozenset(options))
        return _administer(prefix, verb, options)
    except InstallError as error:
        code, message = error.code, error.message
    except (KeyboardInterrupt, _Stopped):
        code, message = INTERRUPTED, "Interrupted."
    except OSError as error:
        code, message = FAILED, _explain(error)
    except Exception as error:  # noqa: BLE001 - nobody should have to read a traceback
        code, message = FAILED, _bug(error)
    sys.stderr.write(f"Error: {message}\n")
    log.note(prefix, verb, code, message)
    return code


def _administer(prefix: str, verb: str, options: set[str]) -> int:
    installed = state.load(prefix)
    as_json = "--json" in options
    if verb == "sbom":
        return bill.of_prefix(installed)
    if verb == "info":
        return listing.describe(installed.manifest, installed.sha256, installed, as_json=as_json)
    if verb == "list":
        return listing.list_packages(
            installed.manifest, verify.verify(installed, hashes=False), as_json=as_json
        )
    if verb in {"rollback", "clean"}:
        return (rollback.rollback if verb == "rollback" else rollback.clean)(installed, options)
    if verb == "uninstall":
        return uninstall.uninstall(installed, options)
    return verify.report(installed, as_json=as_json)


def _hand_over(prefix: str, arguments: list[str]) -> int:
    """Let the installer do the repair: it brings a Python that is whole."""
    if len(arguments) != 2 or arguments[0] != "--from":  # noqa: PLR2004 - the option and its value
        sys.stderr.write("Error: Repairing needs the installer of this release: repair --from INSTALLER\n")
        return USAGE
    installer = os.path.abspath(arguments[1])
    if os.name == "nt" or not os.path.isfile(installer):
        sys.stderr.write(f"Error: {installer} is no .sh installer.\n")
        return USAGE
    return os.spawnv(os.P_WAIT, "/bin/sh", ["sh", installer, "--repair", "-p", prefix])  # noqa: S606 - no shell string


def _from_installer(job: Job) -> int:
    try:
        if job.verb == "install":
            return install.install(job, _ignore_signals)
        if job.verb in _CHANGES:
            return _CHANGES[job.verb](job)
        return _describe(job)
    except InstallError as error:
        code, message = error.code, error.message
    except (KeyboardInterrupt, _Stopped):
        code, message = INTERRUPTED, "Interrupted; nothing was installed."
    except OSError as error:
        code, message = FAILED, f"{_explain(error)} Nothing was installed."
    except Exception as error:  # noqa: BLE001 - nobody should have to read a traceback
        code, message = FAILED, _bug(error)
    return _give_up(message, code, job)


def _uninstall(job: Job) -> int:
    """Remove a release that can't remove itself any more."""
    manifest = job.read_manifest(job.manifest_bytes())
    try:
        repair.check_same(job, manifest)
        installed, _ = repair.load_or_guess(job, manifest)
        return uninstall.uninstall(installed, set(job.options))
    finally:
        placing.remove_tree(job.staged)


_CHANGES = {"repair": repair.repair, "uninstall": _uninstall}


def _describe(job: Job) -> int:
    manifest = job.read_manifest(job.manifest_bytes())
    as_json = "--json" in job.options
    try:
        if job.verb in _LOOKS:
            return _LOOKS[job.verb](job, manifest)
        if job.verb == "list":
            return listing.list_packages(manifest, None, as_json=as_json)
        if job.verb == "sbom":
            return bill.of_installer(job, manifest)
        if job.verb == "licenses":
            return listing.licenses(job, manifest, as_json=as_json)
        return listing.describe(manifest, job.manifest_sha256, None, as_json=as_json)
    finally:
        placing.remove_tree(job.staged)


def _give_up(message: str, code: int, job: Job) -> int:
    _ignore_signals()
    sys.stderr.write(f"Error: {message}\n")
    if job.verb in {"install", "repair", "uninstall"}:
        log.note(job.prefix, job.verb, code, message)
    placing.abandon(job.staged, job.prefix)
    if job.verb in {"install", "extract"}:  # which alone made the folders above the prefix
        placing.remove_empty(os.path.dirname(job.prefix), job.anchor)
    return code


def _bug(error: Exception) -> str:
    return f"{type(error).__name__}: {error}. This should not happen; please report it."


def _explain(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return f"The disk is full{where}."
    return f"{error.strerror}{where}."


def _listen() -> None:
    def stop(*_: object) -> None:
        raise _Stopped

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)


def _ignore_signals() -> None:
    """From here on stopping would do more harm than going on."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
