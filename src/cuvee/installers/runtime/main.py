"""The runtime's one verb so far, `install`: from an installer's payload to a finished prefix, or nothing.

``install INSTALLER STAGED PREFIX ANCHOR VERIFIED MANIFEST_{AT,SIZE,RAW,SHA256} [OPTION…]``

INSTALLER       the file that is being run
STAGED          the folder beside PREFIX that stage 0 was unpacked into
PREFIX          where the prefix will be, absolute
ANCHOR          the nearest folder above PREFIX that existed before
VERIFIED        the SHA-256 that the shell computed over the whole installer, to be held to what that states;
                ``-`` where the caller has done so itself
MANIFEST_…      place, sizes and hash of the image's manifest; the payload follows it
--replace       an older release at PREFIX may be replaced
--quiet         say nothing but errors
"""

# Stage 0 has no pathlib.
# ruff: noqa: PTH120, PTH123

from __future__ import annotations

import errno
import os
import signal
import sys
from typing import NamedTuple

from . import completing, manifest, placing, writing
from .failure import FAILED, INTERRUPTED, USAGE, InstallError, damaged

_HEAD = 1 << 20
_MOST_WORKERS = 4


class _Stopped(BaseException):
    """A signal asked us to stop."""


class _Request(NamedTuple):
    installer: str
    staged: str
    prefix: str
    anchor: str
    verified: str
    manifest_at: int
    manifest_size: int
    manifest_raw: int
    manifest_sha256: str
    options: frozenset[str]


def main(argv: list[str]) -> int:
    """Run a verb; give the exit code."""
    if argv[:1] != ["install"] or len(argv) < len(_Request._fields):
        sys.stderr.write(f"{__doc__}\n")
        return USAGE
    installer, staged, prefix, anchor, verified, at, size, raw, sha256 = argv[1:10]
    request = _Request(
        installer,
        staged,
        prefix,
        anchor,
        verified,
        int(at),
        int(size),
        int(raw),
        sha256,
        frozenset(argv[10:]),
    )
    _listen()
    try:
        _install(request)
    except InstallError as error:
        return _give_up(error.message, error.code, request)
    except (KeyboardInterrupt, _Stopped):
        return _give_up("Interrupted; nothing was installed.", INTERRUPTED, request)
    except OSError as error:
        return _give_up(_explain(error), FAILED, request)
    return 0


def _install(request: _Request) -> None:
    plan = _read_manifest(request)
    placing.check_target(request.prefix, plan.distribution, replace="--replace" in request.options)
    if plan.prefix_limit is not None and len(os.fsencode(request.prefix)) > plan.prefix_limit:
        raise InstallError(
            f"The path {request.prefix} is too long: this release bears {plan.prefix_limit} bytes."
        )
    prefix = writing.Prefix(request.staged, request.prefix, plan)
    prefix.check_stage0()
    prefix.make_folders()
    progress = _Progress(sum(frame.raw for frame in plan.frames()), quiet="--quiet" in request.options)

    def open_reader() -> writing.Reader:
        return writing.Reader(request.installer, request.manifest_at + request.manifest_size)

    writing.Workers(prefix, open_reader, min(os.cpu_count() or 1, _MOST_WORKERS)).run(progress.show)
    prefix.make_links()
    reader = open_reader()
    for frame in plan.records:
        raw = reader.read(frame)
        prefix.write_frame(frame, raw)
        completing.complete_records(prefix, frame, raw)
    reader.close()
    completing.write_history(prefix)
    placing.remove_tree(f"{request.staged}/.cuvee")
    completing.write_marker(prefix, request.manifest_sha256)
    _ignore_signals()
    # Meanwhile another installer may have been faster, or somebody may have saved a file there.
    placing.check_target(request.prefix, plan.distribution, replace="--replace" in request.options)
    placing.place(request.staged, request.prefix)
    progress.finish(f"{plan.title} {plan.version} is installed in {request.prefix}")


def _read_manifest(request: _Request) -> manifest.Manifest:
    with open(request.installer, "rb") as stream:
        # A header with a flipped bit might have skipped its own check: then it can't name this digest.
        sealed = request.verified == "-" or f"\nDIGEST={request.verified}\n".encode() in stream.read(_HEAD)
        if not sealed:
            raise damaged("The installer")
        stream.seek(request.manifest_at)
        data = stream.read(request.manifest_size)
    return manifest.load(data, request.manifest_raw, request.manifest_sha256)


def _give_up(message: str, code: int, request: _Request) -> int:
    _ignore_signals()
    sys.stderr.write(f"Error: {message}\n")
    placing.remove_tree(request.staged)
    placing.remove_empty(os.path.dirname(request.prefix), request.anchor)
    return code


def _explain(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return f"The disk is full{where}. Nothing was installed."
    return f"{error.strerror}{where}. Nothing was installed."


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


class _Progress:
    """A line that is drawn again and again on a terminal, and nothing in a pipe."""

    def __init__(self, total: int, *, quiet: bool) -> None:
        self._total = max(total, 1)
        self._quiet = quiet
        self._draws = sys.stderr.isatty() and not quiet

    def show(self, done: int) -> None:
        if self._draws:
            sys.stderr.write(f"\rInstalling: {100 * done // self._total:3d}%")
            sys.stderr.flush()

    def finish(self, message: str) -> None:
        if self._draws:
            sys.stderr.write("\r" + " " * 20 + "\r")
        if not self._quiet:
            sys.stdout.write(f"{message}\n")
