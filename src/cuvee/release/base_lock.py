"""The lock of the release that another one is based on, and where it is looked for."""

from pathlib import Path

from cuvee.errors import UsageError
from cuvee.lock.model import Lock
from cuvee.lock.pixi_lock import read_lock
from cuvee.manifest.folder_lookup import find_upwards
from cuvee.manifest.model import Manifest
from cuvee.release.record import Release
from cuvee.release.record_parts import RECORD

REPORTS = "reports"
"""The folder of a repository that has what is kept of published releases, a folder for each."""


def find_base_lock(manifest: Manifest, *, dist: Path, stated: Path | None = None) -> Lock | None:
    """Return the lock of a manifest's base; `None` if there is no base, or its lock is nowhere.

    It is looked for in ``dist``, then in a folder ``reports`` above the manifest: in a release folder of the
    base's name, as ``lock/pixi.lock`` or in ``release.json``.

    Parameters
    ----------
    stated
        The release folder or the lock of the base, where the caller knows it.

    Raises
    ------
    UsageError
        If ``stated`` is not there, or of another release, or if there is no base.
    """
    base = manifest.base
    if stated is not None:
        return _stated_lock(stated, base)
    if base is None:
        return None
    published = find_upwards(manifest.path.parent, f"{REPORTS}/{base.release_name}")
    for folder in (dist / base.release_name, published):
        lock = lock_in(folder) if folder is not None else None
        if lock is not None:
            return lock
    return None


def _stated_lock(path: Path, base: Manifest | None) -> Lock:
    if base is None:
        raise UsageError("The manifest has no `based-on`", hint="Leave out `--base`.")
    lock = lock_in(path) if path.is_dir() else read_lock(path) if path.is_file() else None
    if lock is None:
        raise UsageError(
            f"--base: there is no lock at {path}",
            hint=f"Name the release folder of {base.release_name}, or its pixi.lock.",
        )
    if path.is_dir() and (path / RECORD).is_file() and Release.open(path).name != base.release_name:
        raise UsageError(
            f"--base: {path} is {Release.open(path).name}",
            hint=f"The manifest is based on {base.release_name}.",
        )
    return lock


def lock_in(folder: Path) -> Lock | None:
    """Return the lock of a release folder, or of what is kept of one."""
    lock = folder / "lock" / "pixi.lock"
    if lock.is_file():
        return read_lock(lock)
    locked = Release.open(folder).lock if (folder / RECORD).is_file() else None
    return locked if locked is not None and locked.platforms else None
