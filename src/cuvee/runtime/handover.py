"""The verbs `upgrade` and `repair` of an installed release: an installer is judged before any of it runs.

A hostile installer would not check itself. So its shell text is only read, for where its parts are. Its list
of files has to be signed by the key that the prefix remembers, or to be the very one that was installed; that
list has the hash of the Python in it. The numbers' names in that text and the order of the runtime's
arguments, see `main`, bind later releases.
"""

from __future__ import annotations

import os
import re
import sys
from typing import NoReturn

from . import placing, signature
from .digest import sha256 as digest
from .failure import MISSING, USAGE, InstallError, damaged
from .job import Job
from .keeping import choose
from .manifest import Manifest
from .repair import check_same
from .state import beside, load

_HEAD = 1 << 20
_NUMBERS = ("HEADER_BYTES", "STAGE0_BYTES", "MANIFEST_BYTES", "MANIFEST_RAW")
_LARGEST = 1 << 40
_START = ("-I", "-S", "-B", "-X", "utf8")


def upgrade(prefix: str, installer: str, options: frozenset[str]) -> NoReturn:
    """Upgrade the release at ``prefix`` with a `.sh` installer that bears its signature.

    Options: ``--new-key`` another key may have signed it, ``--no-keep`` as for the installer.
    """
    installed = load(prefix)
    if installed.manifest.key is None:
        raise InstallError(
            f"{installed.manifest.title} {installed.manifest.version} is not signed, so there is nothing to "
            f"hold a new installer to. If you trust it, run it: sh {installer} -u -p {prefix}"
        )
    installer = os.path.abspath(installer)
    job, stage0_bytes = _read_head("install", prefix, installer, options | {"--replace"})
    manifest = job.read_manifest(job.manifest_bytes())
    signature.demand_same(installed.manifest, manifest, options)
    _start(job, manifest, stage0_bytes)


def repair(prefix: str, installer: str, options: frozenset[str]) -> int:
    """Repair the release at ``prefix`` with an installer of the very same one, or the one that is kept."""
    installer = choose(prefix, installer)
    if os.name == "nt":
        if not installer.lower().endswith(".exe"):
            raise InstallError(f"{installer} is no .exe installer.", USAGE)
        argv = [f'"{installer}"', "/S", "/repair=1", *(["/json"] if "--json" in options else [])]
        # Windows hands a program one line, which this function makes without any quotation marks.
        return os.spawnv(os.P_WAIT, installer, [*argv, f"/D={prefix}"])  # noqa: S606 - no shell
    job, stage0_bytes = _read_head("repair", prefix, installer, options)
    manifest = job.read_manifest(job.manifest_bytes())
    check_same(job, manifest)
    return _start(job, manifest, stage0_bytes)


def _read_head(verb: str, prefix: str, installer: str, options: frozenset[str]) -> tuple[Job, int]:
    """Read from the shell text where the parts are, and how long stage 0 is; hashes are held to later."""
    with open(installer, "rb") as stream:
        head = stream.read(_HEAD)
    found = dict(re.findall(rb"^([A-Z0-9_]+)=([0-9a-f]+)$", head, re.MULTILINE))
    try:
        header, stage0, size, raw = (int(found[name.encode()]) for name in _NUMBERS)
        sha256 = found[b"MANIFEST_SHA256"].decode()
    except (KeyError, ValueError):
        raise InstallError(f"{installer} is no .sh installer.") from None
    if max(header, stage0, size, raw) > _LARGEST:
        raise damaged("The installer")
    staged, anchor = beside(prefix, f"{os.getpid()}.partial"), os.path.dirname(prefix)
    numbers = (header + stage0, size, raw, sha256)
    return Job(verb, installer, staged, prefix, anchor, "-", *numbers, options), stage0


def _start(job: Job, manifest: Manifest, stage0_bytes: int) -> NoReturn:
    """Unpack stage 0, which the manifest vouches for, and become the runtime that is in it."""
    with open(job.installer, "rb") as stream:
        stream.seek(job.manifest_at - stage0_bytes)
        stage0 = stream.read(stage0_bytes)
    if digest(stage0) != manifest.stage0_sha256:
        raise damaged("The Python in the installer")
    placing.recover(job.prefix)
    os.mkdir(job.staged)
    try:
        _unpack(stage0, job.staged)
        python = _started(f"{job.staged}/{manifest.interpreter}")
    except BaseException:
        placing.remove_tree(job.staged)
        raise
    arguments = [*(str(field) for field in job[:-1]), *sorted(job.options)]
    program = f"{job.staged}/.cuvee/runtime/__main__.py"
    sys.stdout.flush()
    os.execv(python, [python, *_START, program, *arguments])  # noqa: S606 - no shell


def _started(python: str) -> str:
    if os.spawnv(os.P_WAIT, python, [python, *_START, "-c", ""]):  # noqa: S606 - no shell
        raise InstallError(f"{python} does not start. May programs run from there (noexec)?", MISSING)
    return python


def _unpack(stage0: bytes, folder: str) -> None:
    # With the system's program, as the installer's shell text does it: a prefix that is to be repaired may
    # have lost Python's own module.
    archive = f"{folder}/stage0.tar.gz"
    with open(archive, "xb") as stream:
        stream.write(stage0)
    environment = {name: text for name, text in os.environ.items() if name not in {"TAR_OPTIONS", "GZIP"}}
    argv = ["tar", "-xzf", archive, "-C", folder]
    code = os.spawnvpe(os.P_WAIT, "tar", argv, environment)  # noqa: S606 - no shell
    if code:
        raise InstallError(
            f"The Python in the installer could not be unpacked to {folder}: tar ended with {code}."
        )
    os.unlink(archive)
