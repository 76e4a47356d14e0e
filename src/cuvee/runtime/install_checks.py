"""What is refused before anything is written."""

from __future__ import annotations

import os
import sys

from .failure import InstallError
from .installer_run import InstallerRun
from .payload_manifest import PayloadManifest
from .prefix_state import InstalledRelease, is_ours, read_marker

if sys.platform == "win32":
    import nt

_SPARE = 50 << 20


def check_length(prefix: str, manifest: PayloadManifest) -> None:
    """Raise if a prefix does not fit into the placeholders of the release's binaries."""
    if manifest.prefix_limit is not None and len(os.fsencode(prefix)) > manifest.prefix_limit:
        raise InstallError(
            f"The path {prefix} is too long: in this release it may have {manifest.prefix_limit} bytes."
        )


def holds_older_release(prefix: str, distribution: str, *, replace: bool) -> bool:
    """Return whether ``prefix`` holds a release to upgrade; raise if it holds anything else."""
    if not os.path.lexists(prefix):
        return False
    if not replace:
        raise InstallError(
            f"{prefix} exists already. Choose another folder, or give -u to upgrade an older release there."
        )
    if os.path.islink(prefix):
        raise InstallError(f"{prefix} is a link. Name the folder itself: {os.path.realpath(prefix)}")
    if not os.path.isdir(prefix):
        raise InstallError(f"{prefix} is not a folder. Choose another one.")
    if not os.listdir(prefix):
        return False
    refuse_others(prefix)
    marker = read_marker(prefix)
    if marker is None:
        raise InstallError(
            f"{prefix} holds files that this installer did not make, so it is not replaced, even with -f. "
            "Move it away, or choose another folder."
        )
    if marker.distribution != distribution:
        raise InstallError(f"{prefix} holds {marker.title}, not {distribution}. Choose another folder.")
    return True


def is_same(run: InstallerRun, old: InstalledRelease) -> bool:
    """Return whether the very release of an installer is there already, and was installed there."""
    same = old.sha256 == run.manifest_sha256 and old.state.prefix == run.prefix
    return same and "--force" not in run.options


def refuse_others(prefix: str) -> None:
    """Raise if another user may have put a release there."""
    if os.path.lexists(prefix) and not is_ours(prefix):
        raise InstallError(
            f"{prefix} is somebody else's, in a folder where everybody may write. Choose another one."
        )


def refuse_downgrade(old: str, new: str, options: frozenset[str] = frozenset()) -> None:
    """Raise if ``new`` is older than ``old``, unless ``--force`` is given."""
    if "--force" not in options and _key(new) < _key(old):
        option = "/Force=1" if os.name == "nt" else "-f"
        raise InstallError(
            f"{old} is installed, which is newer than {new}. Give {option} to go back to {new}."
        )


def check_space(folder: str, anchor: str, label: str, needed: int) -> None:
    """Raise if the disk of ``folder`` has not ``needed`` bytes free, and some more.

    The message says that ``label`` needs them in ``anchor``.
    """
    if sys.platform == "win32":
        free = nt._getdiskusage(folder)[1]  # noqa: SLF001 - what shutil.disk_usage calls
    else:
        disk = os.statvfs(folder)
        free = disk.f_bavail * disk.f_frsize
    if free < needed + _SPARE:
        raise InstallError(
            f"{label} needs {(needed + _SPARE) >> 20} MB in {anchor}, but only {free >> 20} MB are free."
        )


def _key(version: str) -> tuple[list[int], str]:
    parts = version.split(".")
    return ([int(part) for part in parts], "") if all(map(str.isdigit, parts)) else ([], version)
