"""The verb `upgrade` of an installed release: it judges a new installer before anything of that runs.

A hostile installer would not check itself. So its shell text is only read, for where its parts are; the
signature, by the key that the prefix remembers, has to fit its list of files, and that the Python in it. The
numbers' names in that text and the order of the runtime's arguments, see `main`, bind later releases.
"""

# Stage 0 has no pathlib.
# ruff: noqa: PTH102, PTH120, PTH123

from __future__ import annotations

import importlib
import io
import os
import re
import sys
from typing import Any

from . import placing, signature
from .digest import sha256 as digest
from .failure import MISSING, InstallError, damaged
from .job import Job
from .state import beside, load

_HEAD = 1 << 20
_NUMBERS = ("HEADER_BYTES", "STAGE0_BYTES", "MANIFEST_BYTES", "MANIFEST_RAW")
_LARGEST = 1 << 40
_START = ("-I", "-S", "-B", "-X", "utf8")


def upgrade(prefix: str, installer: str, options: frozenset[str]) -> int:
    """Upgrade the release at ``prefix`` with a `.sh` installer that bears its signature.

    Options: ``--new-key`` another key may have signed it, ``--no-keep`` and ``--json`` as for the installer.
    """
    installed = load(prefix)
    if installed.manifest.key is None:
        raise InstallError(
            f"{installed.manifest.title} {installed.manifest.version} is not signed, so there is nothing to "
            f"hold a new installer to. If you trust it, run it: sh {installer} -u -p {prefix}"
        )
    with open(installer, "rb") as stream:
        numbers, sha256 = _read_head(stream.read(_HEAD))
        stream.seek(numbers["HEADER_BYTES"])
        stage0 = stream.read(numbers["STAGE0_BYTES"])
    staged = beside(prefix, f"{os.getpid()}.partial")
    at = numbers["HEADER_BYTES"] + numbers["STAGE0_BYTES"]
    sizes = (at, numbers["MANIFEST_BYTES"], numbers["MANIFEST_RAW"], sha256)
    job = Job("install", installer, staged, prefix, os.path.dirname(prefix), "-", *sizes, options)
    manifest = job.read_manifest(job.manifest_bytes())
    signature.demand_same(installed.manifest, manifest, options)
    if digest(stage0) != manifest.stage0_sha256:
        raise damaged("The Python in the installer")
    placing.recover(prefix)
    os.mkdir(staged)
    try:
        _unpack(stage0, staged)
        python = _started(f"{staged}/{manifest.interpreter}")
    except BaseException:
        placing.remove_tree(staged)
        raise
    arguments = [*(str(field) for field in job[:-1]), "--replace", *sorted(options)]
    program = f"{staged}/.cuvee/runtime/__main__.py"
    sys.stdout.flush()
    os.execv(python, [python, *_START, program, *arguments])  # noqa: S606 - no shell


def _read_head(head: bytes) -> tuple[dict[str, int], str]:
    """Read from the shell text where the parts are; they are held to hashes later."""
    found = dict(re.findall(rb"^([A-Z0-9_]+)=([0-9a-f]+)$", head, re.MULTILINE))
    try:
        numbers = {name: int(found[name.encode()]) for name in _NUMBERS}
        sha256 = found[b"MANIFEST_SHA256"].decode()
    except (KeyError, ValueError):
        raise InstallError("That file is no .sh installer.") from None
    if max(numbers.values()) > _LARGEST:
        raise damaged("The installer")
    return numbers, sha256


def _started(python: str) -> str:
    if os.spawnv(os.P_WAIT, python, [python, *_START, "-c", ""]):  # noqa: S606 - no shell
        raise InstallError(f"{python} does not start. May programs run from there (noexec)?", MISSING)
    return python


def _unpack(stage0: bytes, folder: str) -> None:
    # Not in stage 0; this runs in a whole prefix, after the signature has been checked.
    tarfile: Any = importlib.import_module("tarfile")
    with tarfile.open(fileobj=io.BytesIO(stage0), mode="r:gz") as tar:
        filters = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}
        tar.extractall(folder, **filters)
