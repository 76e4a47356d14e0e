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

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from typing import NamedTuple

from . import (
    handover,
    install,
    listing,
    log,
    looking,
    placing,
    repair,
    rollback,
    state,
    uninstall,
    verify,
)
from .failure import FAILED, INTERRUPTED, USAGE, InstallError
from .job import Job
from .manifest import Manifest


class _Stopped(BaseException):
    """A signal asked us to stop."""


class _Verb(NamedTuple):
    """A verb of an installed release: what it takes and does, in the words of its help, and how.

    ``run`` gets the prefix, the INSTALLER if one was named, and the options.
    """

    takes: str
    text: str
    run: Callable[[str, str, frozenset[str]], int]


def _of_release(work: Callable[[state.Installed, frozenset[str]], int]) -> Callable[..., int]:
    return lambda prefix, _, options: work(state.load(prefix), options)


_VERBS = {
    "verify": _Verb("[--json]", "find changed, missing and extra files", _of_release(verify.report)),
    "list": _Verb(
        "[--json]",
        "the packages of the release, and those that were added",
        _of_release(listing.list_installed),
    ),
    "info": _Verb("[--json]", "what this release is", _of_release(listing.describe_installed)),
    "sbom": _Verb("", "its bill of materials, CycloneDX JSON", _of_release(listing.bill_installed)),
    "rollback": _Verb(
        "[--json]", "go back to the release that was upgraded, or forth again", _of_release(rollback.rollback)
    ),
    "clean": _Verb("[--json]", "let go of that release", _of_release(rollback.clean)),
    "upgrade": _Verb(
        "INSTALLER [--no-keep] [--new-key]",
        "check a new release's .sh by the key that signed this one, then upgrade;\n"
        "--new-key takes a release that somebody else signed",
        handover.upgrade,
    ),
    "repair": _Verb(
        "[--from INSTALLER] [--json]",
        "restore changed and missing files from the installer that is kept here,\n"
        "or from another one of the same release",
        handover.repair,
    ),
    "uninstall": _Verb(
        "[--dry-run] [--json] [--no-scripts]",
        "remove the release; files that it did not bring stay;\n"
        "--no-scripts does so without the script that it brought for that",
        _of_release(uninstall.uninstall),
    ),
    "help": _Verb("", "this text", lambda prefix, *_: _help(prefix)),
}
_LOOKS: dict[str, Callable[[Job, Manifest], int]] = {
    "check": looking.check,
    "extract": looking.extract,
    "dry-run": looking.dry_run,
    "list": listing.list_packages,
    "info": listing.describe,
    "licenses": listing.licenses,
    "sbom": listing.bill,
}
_CHANGES = {"install", "repair", "uninstall"}


def main(argv: list[str]) -> int:
    """Run a verb; give the exit code."""
    _listen()
    os.umask(os.umask(0o022) | 0o002)  # whoever's umask is 0 makes no release that everybody may change
    if len(argv) >= len(Job._fields) - 1 and not argv[1].startswith("-"):
        verb, installer, staged, prefix, anchor, verified, at, size, raw, sha256 = argv[:10]
        numbers = int(at), int(size), int(raw)
        options = frozenset(argv[10:])
        job = Job(verb, installer, staged, prefix, anchor, verified, *numbers, sha256, options)
        for option in job.options:
            if option.startswith("--log="):
                log.copy_to(option.partition("=")[2])
        return _guarded(
            lambda: _from_installer(job),
            lambda code, message: _give_up(job, code, message),
            unchanged="nothing was installed",
        )
    here = os.path.abspath(__file__)
    for _ in f"{state.KEPT}/runtime/main.py".split("/"):
        here = os.path.dirname(here)
    return administer(here, argv)


def administer(prefix: str, argv: list[str]) -> int:
    """Run a verb on the prefix that this code lies in."""
    verb = argv[0] if argv and argv[0] not in {"-h", "--help"} else "help"
    words = [word for word in argv[1:] if not word.startswith("-")]
    options = frozenset(argv[1:]) - {*words}
    if not argv or verb not in _VERBS or not _fits(_VERBS[verb].takes, words, options):
        sys.stderr.write(_usage(prefix))
        return USAGE

    def tell(code: int, message: str) -> None:
        sys.stderr.write(f"Error: {message}\n")
        log.note(prefix, verb, code, message)

    return _guarded(lambda: _VERBS[verb].run(prefix, "".join(words), options - {"--from"}), tell)


def _fits(takes: str, words: list[str], options: frozenset[str]) -> bool:
    """Whether what was given is what a verb takes; an option's brackets hold its value too."""
    known = takes.replace("[", "").replace("]", "").split()
    wanted = int("INSTALLER" in known and ("--from" not in known or "--from" in options))
    return len(words) == wanted and options <= {*known}


def _usage(prefix: str) -> str:
    name = (state.read_marker(prefix) or {}).get("distribution", "<distribution>")
    lines = [f"usage: {name}-admin VERB [OPTION…]", ""]
    for verb, (takes, text, _) in _VERBS.items():
        first, *rest = text.split("\n")
        head = f"{verb} {takes}".rstrip()
        lines += [f"{head:<31} {first}" if len(head) < 32 else f"{head}\n{'':31} {first}"]  # noqa: PLR2004
        lines += [f"{'':31} {line}" for line in rest]
    return "\n".join(
        [
            *lines, "",
            "exit codes: 0 done, 1 failed or differences were found, 2 wrong usage, 3 something is missing,",
            "5 something is damaged, 130 interrupted", "",
        ]
    )  # fmt: skip


def _help(prefix: str) -> int:
    sys.stdout.write(_usage(prefix))
    return 0


def _from_installer(job: Job) -> int:
    if job.verb == "install":
        return install.install(job, _ignore_signals)
    if job.verb == "repair":
        return repair.repair(job)
    manifest = job.read_manifest(job.manifest_bytes())
    try:
        if job.verb == "uninstall":  # of a release that can't remove itself any more
            repair.check_same(job, manifest)
            installed, _ = repair.load_or_guess(job, manifest)
            return uninstall.uninstall(installed, job.options)
        return _LOOKS[job.verb](job, manifest)
    finally:
        placing.remove_tree(job.staged)


def _give_up(job: Job, code: int, message: str) -> None:
    _ignore_signals()
    sys.stderr.write(f"Error: {message}\n")
    if job.verb in _CHANGES:
        log.note(job.prefix, job.verb, code, message)
    placing.abandon(job.staged, job.prefix)
    if job.verb in {"install", "extract"}:  # which alone made the folders above the prefix
        placing.remove_empty(os.path.dirname(job.prefix), job.anchor)


def _guarded(work: Callable[[], int], give_up: Callable[[int, str], None], *, unchanged: str = "") -> int:
    """Do the work; whatever ends it early becomes an exit code and a line, never a traceback."""
    try:
        return work()
    except InstallError as error:
        code, message = error.code, error.message
    except (KeyboardInterrupt, _Stopped):
        code, message = INTERRUPTED, f"Interrupted; {unchanged}." if unchanged else "Interrupted."
    except OSError as error:
        code, message = (
            FAILED,
            " ".join([_explain(error), *([f"{unchanged.capitalize()}."] if unchanged else [])]),
        )
    except Exception as error:  # noqa: BLE001 - a bug
        code = FAILED
        message = f"{type(error).__name__}: {error}. This should not happen; please report it."
    give_up(code, message)
    return code


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
