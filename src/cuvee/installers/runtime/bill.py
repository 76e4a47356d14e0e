"""The verb `sbom`: print the bill of materials, from an installer or a prefix."""

# Stage 0 has no pathlib.
# ruff: noqa: PTH123

from __future__ import annotations

import sys

from .digest import sha256 as digest
from .failure import DAMAGED, MISSING, InstallError
from .job import Job
from .manifest import File, Frame, Manifest
from .state import KEPT, Installed

SBOM = f"{KEPT}/sbom.cdx.json"


def of_installer(job: Job, manifest: Manifest) -> int:
    """Print that of an installer."""
    frame, file = _find(manifest)
    reader = job.open_reader()
    raw = reader.read(frame)
    reader.close()
    return _print(raw[file.start : file.start + file.size], file)


def of_prefix(installed: Installed, _: frozenset[str]) -> int:
    """Print that of a prefix, if it is the one that was installed."""
    file = _find(installed.manifest)[1]
    try:
        with open(f"{installed.prefix}/{SBOM}", "rb") as stream:
            data = stream.read()
    except FileNotFoundError:
        data = b""
    return _print(data, file)


def _find(manifest: Manifest) -> tuple[Frame, File]:
    for frame in manifest.extras:
        for file in frame.files:
            if file.path == SBOM:
                return frame, file
    raise InstallError("This release carries no bill of materials.", MISSING)


def _print(data: bytes, file: File) -> int:
    if digest(data) != file.sha256:
        raise InstallError(f"{SBOM} has been changed. Repair the release.", DAMAGED)
    sys.stdout.write(data.decode())
    return 0
