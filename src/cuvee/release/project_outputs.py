"""What was made of a constructor project, which is not made again while nothing has changed."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cuvee import checked_cache
from cuvee.codec import decode, encode
from cuvee.files import fingerprint, parse_json, sha256_file
from cuvee.folder_hashes import code_fingerprint, file_hashes
from cuvee.image.settings import ByteCode
from cuvee.installers.constructor.model import Project
from cuvee.installers.windows.osslsigncode import certificate_fingerprint
from cuvee.lock.model import PlatformLock
from cuvee.progress import Reporter
from cuvee.release.artefacts import Artefact


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectOutputs:
    """The files that a project has given.

    Attributes
    ----------
    artefacts
        The installers; all of them were made.
    files
        Every file in the output folder, by its name there, with its hash.
    with_link_scripts
        The packages of whose link scripts the user is told.
    """

    artefacts: tuple[Artefact, ...]
    files: Mapping[str, str]
    with_link_scripts: tuple[str, ...]

    @classmethod
    def find(cls, place: Path, output: Path, reporter: Reporter) -> Self | None:
        """Return what an earlier run has made, if all of it is in ``output`` as it was made."""
        content = checked_cache.load(place, reporter)
        if content is None:
            return None
        found = decode(cls, parse_json(bytes(content)))
        try:
            hashes = file_hashes(output / name for name in found.files)
        except OSError:
            return None
        return found if [sha256 for _, sha256 in hashes] == list(found.files.values()) else None

    def save(self, place: Path) -> None:
        """Keep it in the cache."""
        checked_cache.save(place, json.dumps(encode(self)).encode())


def place_of(project: Project, lock: PlatformLock, output: Path, cache: Path) -> Path:
    """Return the cached file about what a project gives in a folder; its name has all that decides it."""
    branding = project.branding
    pictures = [branding.welcome_picture, branding.header_picture, branding.icon]
    not_content = frozenset({"source", "icon", "welcome_picture", "header_picture"})
    inputs = [
        code_fingerprint(),
        sys.version,
        encode(project, without=not_content),
        [[remap.source, remap.destination] for remap in project.packages.remaps],
        [None if path is None else sha256_file(path) for path in pictures],
        encode(lock),
        *_pythons(project, lock, cache),
        str(output),
        certificate_fingerprint(os.environ) if project.platform == "win-64" else None,
    ]
    return cache / "converted" / fingerprint(inputs)


def _pythons(project: Project, lock: PlatformLock, cache: Path) -> list[str]:
    """Return the Python here that compiles as desktops will; empty if there is none, or none is needed."""
    if project.settings.bytecode is not ByteCode.DESKTOP:
        return []
    from cuvee.release.image_stage import pythons_for_desktops

    return pythons_for_desktops(lock, project.settings, cache)
