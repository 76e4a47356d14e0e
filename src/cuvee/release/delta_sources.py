"""The installers that deltas are made between: files, or those of release folders."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.errors import IntegrityError, UsageError
from cuvee.files import sha256_file
from cuvee.release.artefacts import Artefact, ArtefactKind
from cuvee.release.record import Release
from cuvee.release.record_parts import RECORD

if TYPE_CHECKING:
    from cuvee.installers.whole_installer import WholeInstaller

_FORMATS = frozenset(("sh", "exe"))


def recorded_installer(folder: Path, item: Artefact) -> Path:
    """Return an installer of a release folder; raise if it is not what was recorded."""
    path = folder / item.path
    if not path.is_file():
        raise UsageError(f"{path} is not here", hint="Copy it from where the release was made.")
    if sha256_file(path) != item.sha256:
        raise IntegrityError(
            f"{path} is not the installer that {RECORD} records",
            hint="Copy it again from where the release was made, and find out what changed it.",
        )
    return path


def delta_installers(artefacts: Iterable[Artefact]) -> list[Artefact]:
    """Return the installers between which deltas are made."""
    return [
        item
        for item in artefacts
        if item.kind is ArtefactKind.INSTALLER and item.format in _FORMATS and item.not_made is None
    ]


def read_sources(path: Path, platforms: Iterable[str]) -> "dict[str, WholeInstaller]":
    """Return the `.sh` and `.exe` of a release folder, or the one that is named, by platform.

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
    from cuvee.installers.whole_installer import read_installer

    wanted = tuple(platforms)
    files = _of_folder(path) if path.is_dir() else [path]
    found = {installer.platform: installer for installer in map(read_installer, files)}
    missing = [name for name in wanted if name not in found]
    if missing or not found:
        raise UsageError(
            f"{path} has no .sh or .exe installer" + (f" for {', '.join(missing)}" if missing else ""),
            hint="Name one, or the folder of a release that was cut to the end.",
        )
    return {name: installer for name, installer in found.items() if not wanted or name in wanted}


def _of_folder(folder: Path) -> list[Path]:
    artefacts = delta_installers(Release.open(folder).artefacts)
    return [recorded_installer(folder, item) for item in artefacts]
