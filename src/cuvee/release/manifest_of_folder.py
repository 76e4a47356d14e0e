"""The manifest that a release folder was made from."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

from cuvee.errors import UsageError
from cuvee.manifest.model import Manifest, Position
from cuvee.release.record_parts import RECORD, read_parts


def manifest_of(folder: Path) -> Path:
    """Return the manifest that a release folder was made from, by its name: ``<distribution>-<version>``.

    Raises
    ------
    UsageError
        If there is none in a folder ``manifests`` above the release folder or the working folder.
    """
    found = _find_manifest(folder)
    if found is not None:
        return found
    name = folder.resolve().name
    raise UsageError(
        f"The manifest of {name} is not in a folder manifests/ above {folder.resolve()}",
        hint="Work in the repository that has it, or name the manifest instead, and --dist FOLDER.",
    )


def has_manifest(folder: Path) -> bool:
    """Whether the manifest of a release folder can be found, see `manifest_of`."""
    return _find_manifest(folder) is not None


def _find_manifest(folder: Path) -> Path | None:
    from cuvee.manifest.folder_lookup import find_upwards

    distribution, _, version = folder.resolve().name.rpartition("-")
    for start in (folder.resolve(), Path.cwd()):
        found = find_upwards(start, f"manifests/{distribution}") if distribution else None
        if found is not None and (found / f"{version}.yaml").is_file():
            return found / f"{version}.yaml"
    return None


def manifest_of_release(folder: Path, *, today: dt.date) -> Manifest:
    """Return the manifest of a release as it records it; before it is cut, the manifest as it is now.

    Raises
    ------
    UsageError
        As `manifest_of`.
    """
    if not (folder / RECORD).is_file():
        from cuvee.manifest.loader import load_manifest

        return load_manifest(manifest_of(folder), today=today)
    manifest = read_parts(folder).manifest
    position = Position(file=manifest.path, line=1, column=1)
    return replace(manifest, sources={"distribution": position})
