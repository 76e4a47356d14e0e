"""The installer that a prefix keeps, so that `repair` needs no other one: a copy, never a link.

On Windows its own part makes the copy, since that knows how an ``.exe`` is held to its hash; here it is kept.
"""

from __future__ import annotations

import contextlib
import os
import re

from . import digest, state
from .failure import DAMAGED, USAGE, InstallError, damaged
from .finishing import described
from .job import Job
from .manifest import Manifest
from .verify import expected_files, holds

OPTION = "--keep-installer"
_DIGEST = re.compile(rb"^DIGEST=([0-9a-f]{64})\n", re.MULTILINE)
_CHUNK = 1 << 20


def is_wanted(job: Job, manifest: Manifest) -> bool:
    """Whether the prefix shall keep the installer: on request, by its settings, or since it kept one."""
    return OPTION in job.options or manifest.settings.keep_installer or keeps(job.prefix)


def keeps(prefix: str) -> bool:
    """Whether the release at a prefix keeps its installer, even if that is lost now."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        return state.INSTALLER in state.read(prefix).own
    return os.path.lexists(f"{prefix}/{state.INSTALLER}")


def keep(job: Job, manifest: Manifest) -> None:
    """Copy the installer into the staged prefix, if that is wanted; the copy has the hash that it states."""
    place = f"{job.staged}/{state.INSTALLER}"
    if os.name == "nt" or not is_wanted(job, manifest):
        return
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(job.installer, "rb") as source, open(place, "xb") as copy:
        data = source.read(_CHUNK)
        stated = _DIGEST.search(data)
        if stated is None or job.verified not in {"-", stated[1].decode()}:
            raise damaged("The installer")
        # Its digest is that of all but the line that states it.
        hashed = digest.find("sha256")(data[: stated.start()] + data[stated.end() :])
        while data:
            copy.write(data)
            data = source.read(_CHUNK)
            hashed.update(data)
    if hashed.hexdigest().encode() != stated[1]:
        raise damaged("The installer")


def add(job: Job, installed: state.Installed) -> state.Installed:
    """Keep the installer of a release that is there already; give what is known of the release now."""
    place, made = f"{job.prefix}/{state.INSTALLER}", f"{job.staged}/{state.INSTALLER}"
    if os.path.lexists(place):
        return installed
    keep(job, installed.manifest)
    if not os.path.lexists(made):
        return installed
    known = installed.state
    known = known._replace(own={**known.own, state.INSTALLER: described(made)})
    os.replace(made, place)
    state.write(job.prefix, known)
    return installed._replace(state=known)


def choose(prefix: str, given: str) -> str:
    """Give the installer to repair a prefix with: the one that is ``given``, or else the one that is kept."""
    place = os.path.abspath(given or f"{prefix}/{state.INSTALLER}")
    if os.path.isfile(place):
        if not given:
            _check(prefix, place)
        return place
    if given:
        raise InstallError(f"There is no file {place}.", USAGE)
    option = "/KeepInstaller=1" if os.name == "nt" else "-u -k"
    raise InstallError(
        "Repairing needs the installer of this release, and none is kept here: repair --from INSTALLER. "
        f"To keep one, run it with {option} on this prefix.",
        USAGE,
    )


def _check(prefix: str, place: str) -> None:
    try:
        wanted = expected_files(state.load(prefix))[0].get(state.INSTALLER)
    except InstallError:
        return  # the list of files is lost; the installer's own hashes are left
    if wanted is not None and not holds(place, wanted):
        raise InstallError(
            f"{place}, the installer that is kept, is damaged. Get another one: repair --from INSTALLER",
            DAMAGED,
        )
