"""The installer that a prefix keeps, so that `repair` needs no other one: a copy, never a link.

On Windows its own part makes the copy, since that knows how the hash of an ``.exe`` is checked.
"""

from __future__ import annotations

import contextlib
import os
import re

from .expected_file import is_whole
from .failure import DAMAGED, USAGE, InstallError, damaged
from .file_operations import CREATE
from .hashing import algorithm
from .imposed_modes import FOLDER
from .installer_run import HEAD, InstallerRun
from .payload_manifest import PayloadManifest
from .prefix_metadata import described
from .prefix_state import INSTALLER, InstalledRelease, load, read_state, write_state
from .prefix_tree import PrefixTree
from .verify import expected_files

_DIGEST = re.compile(rb"^DIGEST=([0-9a-f]{64})\n", re.MULTILINE)


def is_requested(run: InstallerRun, manifest: PayloadManifest) -> bool:
    """Return whether the prefix must keep the installer: by an option, by its settings, or as before.

    A delta is never kept, since it could not repair the release.
    """
    return run.read_index() is None and is_wanted(run, manifest)


def is_wanted(run: InstallerRun, manifest: PayloadManifest) -> bool:
    """Return whether the prefix is to keep an installer that can repair the release."""
    return "--keep-installer" in run.options or manifest.settings.keep_installer or keeps(run.prefix)


def keeps(prefix: str) -> bool:
    """Return whether the release at a prefix keeps its installer, even if that is lost now."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        return INSTALLER in read_state(prefix).own
    return os.path.lexists(f"{prefix}/{INSTALLER}")


def keep(run: InstallerRun, manifest: PayloadManifest) -> None:
    """Copy the installer into the staged prefix, if it is requested; check the hash that it states."""
    target = f"{run.staged}/{INSTALLER}"
    if os.name == "nt" or not is_requested(run, manifest):
        return
    os.makedirs(os.path.dirname(target), FOLDER, exist_ok=True)
    with open(run.installer, "rb") as source, open(os.open(target, CREATE, 0o644), "wb") as copy:
        data = source.read(HEAD)
        stated = _DIGEST.search(data)
        if stated is None or run.verified not in {"-", stated[1].decode()}:
            raise damaged("The installer")
        # Its digest is that of all but the line that states it.
        hashed = algorithm("sha256")(data[: stated.start()] + data[stated.end() :])
        while data:
            copy.write(data)
            data = source.read(HEAD)
            hashed.update(data)
    if hashed.hexdigest().encode() != stated[1]:
        raise damaged("The installer")


def add(run: InstallerRun, installed: InstalledRelease) -> InstalledRelease:
    """Keep the installer of a release that is there already; return the release as it is now."""
    tree, made = PrefixTree(run.prefix), f"{run.staged}/{INSTALLER}"
    if tree.find(INSTALLER) is not None:
        return installed
    keep(run, installed.manifest)
    if not os.path.lexists(made):
        return installed
    state = installed.state
    state = state._replace(own={**state.own, INSTALLER: described(made)})
    tree.put(made, INSTALLER)
    write_state(run.prefix, state)
    return installed._replace(state=state)


def choose(prefix: str, given: str) -> str:
    """Return the installer to repair a prefix with: the one that is ``given``, else the one that is kept."""
    path = os.path.abspath(given or f"{prefix}/{INSTALLER}")
    if os.path.isfile(path):
        expected = None
        with contextlib.suppress(
            InstallError
        ):  # the list of files is lost; the installer's own hashes are left
            expected = None if given else expected_files(load(prefix))[0].get(INSTALLER)
        if expected is not None and not is_whole(path, expected):
            raise InstallError(
                f"{path}, the installer that is kept, is damaged. Get another one: repair --from INSTALLER",
                DAMAGED,
            )
        return path
    if given:
        raise InstallError(f"There is no file {path}.", USAGE)
    option = "/KeepInstaller=1" if os.name == "nt" else "-u -k"
    raise InstallError(
        "Repairing needs the installer of this release, and none is kept here: repair --from INSTALLER. "
        f"To keep one, run it with {option} on this prefix.",
        USAGE,
    )
