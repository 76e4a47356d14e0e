"""The release on this machine that a new one shares files with, see `equal_files`."""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import sys

from .failure import USAGE, InstallError
from .installer_run import InstallerRun
from .payload_manifest import PayloadManifest
from .prefix_state import KEPT, MARKER, belongs, read_marker
from .prefix_tree import PrefixTree

_MOUNTS, _OCTAL = "/proc/self/mounts", re.compile(rb"\\([0-3][0-7]{2})")


def find_other(run: InstallerRun, manifest: PayloadManifest) -> str:
    """Return the prefix to share files with; empty if there is none.

    ``--share=PREFIX`` names it. Otherwise it is that folder beside the prefix whose release has the most
    packages in common with ours. Raise if the one that is named cannot be used.
    """
    named = [option.partition("=")[2] for option in run.options if option.startswith("--share=")]
    if named:
        return _checked(os.path.realpath(named[0]), run.prefix)
    if sys.platform != "linux" and "--share" not in run.options:
        return ""  # nothing could be cloned
    ours = {package.stem for package in manifest.packages}
    found = [(-len(ours & _packages(prefix)), prefix) for prefix in _neighbours(run.prefix)]
    common, prefix = min(found, default=(0, ""))
    return prefix if common else ""


def _checked(other: str, prefix: str) -> str:
    if read_marker(other) is None:
        raise InstallError(f"There is no release in {other} to share files with.", USAGE)
    if other == os.path.realpath(prefix):
        raise InstallError("--share must name another prefix than the one to install to.", USAGE)
    if not _is_trusted(other):
        raise InstallError(f"{other} is another user's, or all may write there: nothing is taken from it.")
    return other


def _neighbours(prefix: str) -> list[str]:
    """Return the folders beside the prefix that may be releases of the caller's or root's.

    What is mounted there is not looked at: it may be a server that does not answer.
    """
    parent, own = os.path.split(prefix)
    mounts = set()
    with contextlib.suppress(OSError), open(_MOUNTS, "rb") as stream:
        # https://man7.org/linux/man-pages/man5/fstab.5.html: a space in a path is \040.
        mounts = {_OCTAL.sub(lambda sign: bytes([int(sign[1], 8)]), line.split(b" ")[1]) for line in stream}
    try:
        with os.scandir(parent) as entries:
            names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    paths = [os.path.join(parent, name) for name in names if name != own and not name.startswith(".")]
    return [path for path in paths if os.fsencode(path) not in mounts and _is_trusted(path)]


def _is_trusted(prefix: str) -> bool:
    try:
        found = [os.stat(f"{prefix}/{path}") for path in ("", KEPT)]
    except OSError:
        return False
    return belongs(prefix) and not any(one.st_mode & stat.S_IWOTH for one in found)


def _packages(prefix: str) -> set[str]:
    try:
        return set(json.loads(PrefixTree(prefix).read(MARKER))["packages"])
    except (OSError, ValueError, KeyError, TypeError):
        return set()
