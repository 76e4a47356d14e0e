"""Packages made of wheels, cached by the hash of everything that they are made from."""

import json
import os
import shutil
import tempfile
from pathlib import Path

from cuvee.channel.package_writer import write_package
from cuvee.channel.wheels.convert import convert
from cuvee.channel.wheels.planned_packages import PlannedPackage
from cuvee.channel.wheels.wheel_archive import open_wheel
from cuvee.files import replacing, replacing_folder, sha256_file, write_json


class PackageCache:
    """Makes packages, each of them once.

    Parameters
    ----------
    folder
        Packages are kept as ``<folder>/<key>/<stem>.conda``, with their hash beside them.
    launcher
        The program that starts scripts on Windows.
    """

    def __init__(self, folder: Path, launcher: bytes | None = None) -> None:
        self._folder = folder
        self._launcher = launcher

    def package(self, planned: PlannedPackage) -> tuple[Path, bool]:
        """Return the archive of a package, and whether it was made now."""
        kept = self._folder / planned.conversion.key
        if (archive := _verified(kept)) is not None:
            return archive, False
        with replacing_folder(kept) as beside:
            name = self._make(planned, beside)
        return kept / name, True

    def _make(self, planned: PlannedPackage, folder: Path) -> str:
        wheel = planned.wheel
        with (
            tempfile.TemporaryDirectory(prefix="scratch-", dir=folder) as scratch,
            open_wheel(wheel.path, file_name=wheel.name.file_name) as archive,
        ):
            content = convert(archive, planned.conversion, scratch=Path(scratch), launcher=self._launcher)
            made = write_package(content, folder)
        write_json(folder / "package.json", {"archive": made.name, "sha256": sha256_file(made)})
        return made.name


def _verified(folder: Path) -> Path | None:
    """Return the archive in a folder of the cache, if its hash is still the same."""
    try:
        kept = json.loads((folder / "package.json").read_bytes())
        archive = folder / Path(kept["archive"]).name
        return archive if sha256_file(archive) == kept["sha256"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def put(archive: Path, folder: Path) -> Path:
    """Put a package into a folder of a channel: a hard link where the disk allows it, else a copy."""
    target = folder / archive.name
    if target.exists() and target.samefile(archive):
        return target
    with replacing(target) as beside:
        beside.unlink()
        try:
            os.link(archive, beside)
        except OSError:
            shutil.copyfile(archive, beside)
    return target
