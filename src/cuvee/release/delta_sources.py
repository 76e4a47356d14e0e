"""The installers that deltas are made between: files, or those of release folders."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from cuvee.errors import IntegrityError, UsageError
from cuvee.files import sha256_file
from cuvee.image.model import STAGE0, Image
from cuvee.installers.branding import Branding, read_branding
from cuvee.installers.whole_installer import WholeInstaller, files_of, read_installer
from cuvee.manifest import load_manifest
from cuvee.release.certificates import manifest_of
from cuvee.release.record import RECORD, ArtefactKind, Release

_FORMS = ("sh", "exe")


def read_sources(path: Path, platforms: Iterable[str]) -> dict[str, WholeInstaller]:
    """Return the installers of a release folder, or the one that is named, by platform.

    Parameters
    ----------
    platforms
        Only these; without any, all.

    Raises
    ------
    UsageError
        If there is none, or not one for each of the platforms.
    IntegrityError
        If one is damaged, or not the one that was recorded.
    """
    wanted = tuple(platforms)
    found = _of_folder(path, wanted) if path.is_dir() else _of_file(path, wanted)
    missing = [name for name in wanted if name not in found]
    if missing or not found:
        raise UsageError(
            f"{path} has no .sh or .exe installer" + (f" for {', '.join(missing)}" if missing else ""),
            hint="Name an installer, or the folder of a release that was cut to the end.",
        )
    return found


def branding_of(path: Path, installer: WholeInstaller, *, today: dt.date) -> Branding:
    """Return what a delta shows: the licence of a `.sh`; for an `.exe`, all that its manifest names.

    Raises
    ------
    UsageError
        If an `.exe` is not that of a release folder, or the manifest of that is not here.
    """
    if installer.form == "sh":
        return Branding(license_text=installer.license_text)
    if not path.is_dir():
        raise UsageError(
            f"The texts and pictures of {path} cannot be read from it",
            hint="Name the release folder instead, for win-64.",
        )
    return read_branding(load_manifest(manifest_of(path), today=today).installers.branding)


def _of_file(path: Path, wanted: tuple[str, ...]) -> dict[str, WholeInstaller]:
    found = read_installer(path)
    return {found.platform: found} if not wanted or found.platform in wanted else {}


def _of_folder(folder: Path, wanted: tuple[str, ...]) -> dict[str, WholeInstaller]:
    found: dict[str, WholeInstaller] = {}
    for item in Release.open(folder).artefacts:
        if item.kind is not ArtefactKind.INSTALLER or item.format not in _FORMS or item.not_made is not None:
            continue
        if item.platform is None or (wanted and item.platform not in wanted):
            continue
        path = folder / item.path
        if not path.is_file():
            raise UsageError(f"{path} is not here", hint="Copy it from where the release was made.")
        if sha256_file(path) != item.sha256:
            raise IntegrityError(
                f"{path} is not the installer that {RECORD} records",
                hint="Copy it again from where the release was made, and find out what changed it.",
            )
        found[item.platform] = _whole(read_installer(path), folder / "images" / item.platform)
    return found


def _whole(installer: WholeInstaller, image: Path) -> WholeInstaller:
    """Return an installer with the stage 0 and the floor of its image, which an `.exe` does not give."""
    if installer.form == "sh" or not (image / STAGE0).is_file():
        return installer
    known = Image.load(image)
    if (
        known.manifest_sha256 != installer.image.manifest_sha256
        or sha256_file(known.stage0) != known.stage0_sha256
    ):
        raise IntegrityError(
            f"{image} is not the image of {installer.image.installer}", hint="Cut the release again."
        )
    stage0 = files_of(known.stage0.read_bytes())
    return replace(installer, floor=known.floor, image=replace(installer.image, stage0=stage0))
