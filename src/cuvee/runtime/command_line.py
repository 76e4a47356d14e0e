"""The runtime's command lines: what an installer starts, and `<distribution>-admin` in a prefix later.

From an installer: ``VERB INSTALLER STAGED PREFIX ANCHOR VERIFIED MANIFEST_{AT,SIZE,RAW,SHA256} [OPTION…]``

VERB            install, repair, uninstall, extract, check, dry-run, list, info, licenses,
                sbom
INSTALLER       the file that is being run
STAGED          the folder beside PREFIX that stage 0 was unpacked into
PREFIX          where the prefix will be, absolute
ANCHOR          the nearest folder above PREFIX that existed before
VERIFIED        the SHA-256 that the shell computed over the whole installer, to be compared with what that
                states; ``-`` where the caller has done so itself
MANIFEST_…      offset, sizes and hash of the image's manifest; the payload follows it
"""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
from collections.abc import Callable

from . import (
    desktop_byte_code,
    inspection,
    install,
    installer_handover,
    installer_log,
    known_errata,
    repair,
    rollback,
    site_upgrade,
    uninstall,
    verify,
)
from .crash_recovery import abandon, recover_aside
from .delta_base import refuse_verb
from .failure import FAILED, INTERRUPTED, USAGE, InstallError
from .file_operations import remove_empty, remove_tree
from .installer_run import InstallerRun
from .payload_manifest import PayloadManifest
from .prefix_names import known_name
from .prefix_state import KEPT, InstalledRelease, load, read_marker
from .standard_streams import with_streams
from .transaction import ignore_signals


class _StoppedError(BaseException):
    """A signal asks us to stop."""


_USAGE = """\
usage: {name}-admin VERB [OPTION…]

verify [--json]                 find changed, missing and extra files
list [--json]                   the packages of the release, and those that were added
info [--json]                   what this release is
sbom                            its bill of materials, CycloneDX JSON
status --errata FILE [--json]   the known errata that it lacks fixes for, by the publisher's
                                errata.json and its signature, FILE.sig
rollback [--json]               go back to the release that was upgraded, or forth again
clean [--json]                  remove that release
upgrade INSTALLER [--no-keep] [--new-key]
                                check a new release's .sh by the key that signed this one, then upgrade;
                                --new-key takes a release that somebody else signed;
                                with --from SITE [--root=FILE] in place of INSTALLER, the newest release
                                of a signed site or its mirror, by the root in FILE or of the last time
repair [--from INSTALLER] [--json]
                                restore changed and missing files from the installer that is kept here,
                                or from another one of the same release
compile [--json]                make the byte code that is missing, if the release leaves that to you
uninstall [--dry-run] [--json] [--no-scripts]
                                remove the release; files that it did not bring stay;
                                --no-scripts does so without the script that it brought for that
help                            this text

exit codes: 0 done, 1 failed or differences were found, 2 wrong usage, 3 something is missing,
5 something is damaged, 130 interrupted
"""
_ADMIN_VERBS: dict[str, Callable[[InstalledRelease, frozenset[str]], int]] = {
    "verify": verify.report,
    "list": inspection.list_installed,
    "info": inspection.describe_installed,
    "sbom": inspection.print_installed_sbom,
    "rollback": rollback.rollback,
    "compile": desktop_byte_code.report,
    "clean": rollback.clean,
    "uninstall": lambda installed, options: uninstall.uninstall(
        installed.prefix, lambda: load(installed.prefix), options
    ),
}
_WITH_FILE: dict[str, Callable[[str, str, frozenset[str]], int]] = {
    "upgrade": installer_handover.upgrade,
    "repair": installer_handover.repair,
    "status": lambda prefix, path, options: known_errata.status(load(prefix), path, options),
}
"""The verbs that take a file."""
ANSWERS = frozenset(("verify", "list", "info", "sbom", "status", "help", "check", "dry-run", "licenses"))
"""The verbs that only answer."""
_INSPECTIONS: dict[str, Callable[[InstallerRun, PayloadManifest], int]] = {
    "check": inspection.check,
    "extract": inspection.extract,
    "dry-run": inspection.dry_run,
    "list": lambda run, manifest: inspection.list_packages(manifest, [], run.options),
    "info": lambda run, manifest: inspection.describe(manifest, run.manifest_sha256, {}, run.options),
    "licenses": inspection.licenses,
    "sbom": inspection.print_sbom,
}


def main(argv: list[str]) -> int:
    """Run a verb of either command line; return the exit code."""
    verb = argv[0] if argv else "help"
    return with_streams(lambda: _main(argv), lost=FAILED if verb in ANSWERS else 0)


def _main(argv: list[str]) -> int:
    if len(argv) >= len(InstallerRun._fields) - 1 and not argv[1].startswith("-"):
        verb, installer, staged, prefix, anchor, verified, at, size, raw, sha256 = argv[:10]
        numbers, options = (int(at), int(size), int(raw)), frozenset(argv[10:])
        return run_installer(
            InstallerRun(verb, installer, staged, prefix, anchor, verified, *numbers, sha256, options)
        )
    here = os.path.abspath(__file__)
    for _ in f"{KEPT}/runtime/command_line.py".split("/"):
        here = os.path.dirname(here)
    return administer(here, argv)


def run_installer(run: InstallerRun) -> int:
    """Run a verb of an installer; return the exit code. Unless it is 0, nothing has been changed."""
    run = run._replace(prefix=known_name(run.prefix))
    for option in run.options:
        if option.startswith("--log="):
            installer_log.copy_to(option.partition("=")[2])

    def give_up(code: int, message: str) -> None:
        ignore_signals()
        sys.stderr.write(f"Error: {message}\n")
        if run.verb in {"install", "repair", "uninstall"}:
            installer_log.note(run.prefix, run.verb, code, message)
        abandon(run.staged, run.prefix)
        if run.verb in {"install", "extract"}:  # no others make the folders above the prefix
            remove_empty(os.path.dirname(run.prefix), run.anchor)

    return guarded(lambda: _run_installer(run), give_up, unchanged="nothing was installed")


def _run_installer(run: InstallerRun) -> int:
    if run.verb == "install":
        return install.install(run)
    if run.verb == "repair":
        return repair.repair(run)
    manifest = run.read_manifest(run.manifest_bytes())
    try:
        if run.read_index() is not None:
            refuse_verb(run.verb, manifest)
        if run.verb == "uninstall":  # of a release that cannot remove itself any more
            return uninstall.uninstall(run.prefix, lambda: repair.load_same(run, manifest), run.options)
        return _INSPECTIONS[run.verb](run, manifest)
    finally:
        remove_tree(run.staged)
        if os.path.basename(run.staged).startswith("cuvee-"):
            recover_aside(run.staged)


def administer(prefix: str, argv: list[str]) -> int:
    """Run a verb on an installed release; return the exit code."""
    prefix = known_name(prefix)
    verb = argv[0] if argv and argv[0] not in {"-h", "--help"} else "help"
    words = [word for word in argv[1:] if not word.startswith("-")]
    options = frozenset(argv[1:]) - {*words}
    fits = bool(argv) and _fits(verb, words, options)
    if verb == "help" or not fits:
        marker = read_marker(prefix)
        text = _USAGE.format(name=marker.distribution if marker else "<distribution>")
        (sys.stdout if fits else sys.stderr).write(text)
        return 0 if fits else USAGE

    def work() -> int:
        if verb == "upgrade" and "--from" in options:
            return site_upgrade.upgrade(prefix, "".join(words), options - {"--from"})
        if verb in _WITH_FILE:
            return _WITH_FILE[verb](prefix, "".join(words), options - {"--from", "--errata"})
        return _ADMIN_VERBS[verb](load(prefix), options)

    def give_up(code: int, message: str) -> None:
        sys.stderr.write(f"Error: {message}\n")
        installer_log.note(prefix, verb, code, message)

    return guarded(work, give_up)


def _fits(verb: str, words: list[str], options: frozenset[str]) -> bool:
    """Return whether a verb takes these arguments, by its line of `_USAGE`."""
    if verb not in {*_ADMIN_VERBS, *_WITH_FILE, "help"}:
        return False
    if verb == "upgrade" and "--from" in options:
        own = {option for option in options if not option.startswith("--root=")}
        return len(words) == 1 and own <= {"--from", "--no-keep", "--new-key"}
    line = next(line for line in _USAGE.splitlines() if line.split(" ")[0] == verb)
    known = re.sub(r"[][]", "", line.partition("  ")[0]).split()
    if "FILE" in known and "--errata" not in options:
        return False
    count = int("FILE" in known or ("INSTALLER" in known and ("--from" not in known or "--from" in options)))
    return len(words) == count and options <= {*known}


def guarded(
    work: Callable[[], int],
    give_up: Callable[[int, str], None],
    *,
    unchanged: str = "",
    on_bug: Callable[[], None] = lambda: None,
) -> int:
    """Do the work; whatever ends it early becomes an exit code and a line, never a traceback."""
    _listen()
    os.umask(os.umask(0o022) | 0o002)  # even with a umask of 0 no other user may change the files
    try:
        return work()
    except InstallError as error:
        code, message = error.code, error.message
    except (KeyboardInterrupt, _StoppedError):
        code, message = INTERRUPTED, f"Interrupted; {unchanged}." if unchanged else "Interrupted."
    except OSError as error:
        full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
        code, where = FAILED, f" ({error.filename})" if error.filename else ""
        message = f"{'The disk is full' if full else error.strerror}{where}."
        message += f" {unchanged.capitalize()}." if unchanged else ""
    except Exception as error:  # noqa: BLE001 - a bug
        on_bug()
        code = FAILED
        message = f"{type(error).__name__}: {error}. This should not happen; please report it."
    give_up(code, installer_log.printable(message))
    return code


def _listen() -> None:
    def stop(*_: object) -> None:
        raise _StoppedError

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), stop)
