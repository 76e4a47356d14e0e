"""Writing a site, so that a reader sees the old state or the new one, and an interrupted run changes nothing.

Each signed file is there twice: where people and conda look for it, and below ``targets/`` with its hash in
its name, for readers that verify. The two are links to one file where the file system has them. First come
files that nothing names yet, then metadata, then the files that change, and ``timestamp.json`` at last.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cuvee.errors import IntegrityError
from cuvee.files import replacing, sha256_bytes, sha256_file, write_bytes
from cuvee.progress import SILENT, Reporter
from cuvee.trust.site_metadata import Files, SignedFile

METADATA_FOLDER, TARGETS_FOLDER = "metadata", "targets"
_TIMESTAMP = "timestamp.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFile:
    """A file that is to be copied into a site, and what it must be."""

    path: Path
    sha256: str


def hashed_path(path: str, sha256: str) -> str:
    """Return where a signed file is below ``targets/``."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{sha256}.{name}"


def copy_fixed(
    site: Path, fixed: Mapping[str, SiteFile], *, hashed: bool, reporter: Reporter = SILENT
) -> dict[str, SignedFile]:
    """Copy files that never change into a site; return what they are.

    Raises
    ------
    IntegrityError
        If a file is missing, or not what it must be.
    """
    task = "Publishing files"
    reporter.start(task, total=len(fixed))
    signed = {}
    for path, source in sorted(fixed.items()):
        target = site / path
        if not (target.is_file() and not target.is_symlink() and sha256_file(target) == source.sha256):
            _copy(source, target)
        if hashed:
            link_signed(target, site / TARGETS_FOLDER / hashed_path(path, source.sha256), source.sha256)
        signed[path] = SignedFile(length=target.stat().st_size, sha256=source.sha256)
        reporter.advance(task, note=path)
    reporter.finish(task, note=f"{len(fixed)} files")
    return signed


def _copy(source: SiteFile, target: Path) -> None:
    if not source.path.is_file():
        raise changed_file(source.path)
    with replacing(target) as beside:
        shutil.copyfile(source.path, beside)
        if sha256_file(beside) != source.sha256:
            raise changed_file(source.path)


def changed_file(path: Path) -> IntegrityError:
    """Return the error for a file of a release that is missing or was changed."""
    return IntegrityError(
        f"{path} is missing, or not what SHA256SUMS says", hint="Cut the release again, or copy it again."
    )


def link_signed(path: Path, target: Path, sha256: str) -> None:
    """Let a file have another name; where there is one already, it must be this one."""
    there = target.is_file() and not target.is_symlink()
    if there and (target.samefile(path) or sha256_file(target) == sha256):
        return
    with replacing(target) as beside:
        beside.unlink()
        try:
            os.link(path, beside)
        except OSError:  # a file system without links, or with a limit of them
            shutil.copyfile(path, beside)


def write_made(site: Path, made: Mapping[str, bytes], metadata: Mapping[str, bytes]) -> None:
    """Write the files that change, and what is signed of them; ``timestamp.json`` is written last.

    Without ``metadata`` only the plain files are written.
    """
    if metadata:
        for path, data in sorted(made.items()):
            _write(site / TARGETS_FOLDER / hashed_path(path, sha256_bytes(data)), data)
        write_metadata(site, {name: data for name, data in metadata.items() if name != _TIMESTAMP})
    for path, data in made.items():
        _write(site / path, data)
    write_metadata(site, {name: data for name, data in metadata.items() if name == _TIMESTAMP})


def write_metadata(site: Path, metadata: Mapping[str, bytes]) -> None:
    """Write metadata in its order: ``timestamp.json`` must be the last one."""
    for name, data in metadata.items():
        _write(site / METADATA_FOLDER / name, data)


def _write(path: Path, data: bytes) -> None:
    """Write a file that is not there with these bytes."""
    if path.is_symlink() or not path.is_file() or path.read_bytes() != data:
        write_bytes(path, data)


def read_signed(site: Path, files: Files, path: str) -> bytes | None:
    """Return the bytes of a file as they were signed; `None` if it was not signed.

    Raises
    ------
    IntegrityError
        If they are missing or damaged.
    """
    signed = files.get(path)
    if signed is None:
        return None
    kept = site / TARGETS_FOLDER / hashed_path(path, signed.sha256)
    data = kept.read_bytes() if kept.is_file() else b""
    if sha256_bytes(data) != signed.sha256:
        raise IntegrityError(
            f"{kept} is missing, or not what was signed", hint="Restore it from a copy of the site."
        )
    return data


def check_files(site: Path, files: Files, paths: Iterable[str]) -> None:
    """Raise if files of a site, where people look for them, are not what was signed.

    Raises
    ------
    IntegrityError
        With the first such file.
    """
    for path in paths:
        if not (site / path).is_file() or sha256_file(site / path) != files[path].sha256:
            raise IntegrityError(
                f"{site / path} is missing, or not what was signed",
                hint="Restore it from a copy of the site, or publish its release again.",
            )


def remove_parts(site: Path) -> None:
    """Remove what a run that was killed has left."""
    for left in site.rglob(".*.part"):
        left.unlink(missing_ok=True)
