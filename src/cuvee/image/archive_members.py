"""Reading conda packages: their metadata, and their files.

An archive is untrusted until its paths and hashes have been checked.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cuvee.channel.reading import archive_errors, is_safe_path, member_chunks, members, read_info_files
from cuvee.errors import IntegrityError
from cuvee.image.spool import Spool, SpooledBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PathEntry:
    """One line of a package's ``info/paths.json``."""

    path: str
    path_type: Literal["hardlink", "softlink", "directory"]
    sha256: str | None
    size: int | None
    placeholder: str | None
    file_mode: Literal["text", "binary"] | None
    no_link: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageInfo:
    """A package's metadata.

    Attributes
    ----------
    index
        ``info/index.json`` as it is.
    entry_points
        ``name = module:function`` lines of ``info/link.json``.
    """

    archive: Path
    index: Mapping[str, Any]
    entry_points: tuple[str, ...]
    paths: tuple[PathEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveMember:
    """One file of a package: its bytes and mode, or a link's target."""

    path: str
    mode: int
    data: SpooledBytes
    link_target: str | None = None


def check_path(path: str, archive: Path) -> str:
    """Return ``path`` if it stays below the folder that it is relative to, on every platform.

    Raises
    ------
    IntegrityError
        For absolute paths, ``..``, drive letters, backslashes, and control characters.
    """
    if not is_safe_path(path):
        raise IntegrityError(
            f"{archive.name} holds a path that is not allowed: {path!r}",
            hint="The package is broken or hostile; take it from another source.",
        )
    return path


def read_info(archive: Path) -> PackageInfo:
    """Read the metadata of the package at ``archive`` (``.conda`` or ``.tar.bz2``).

    Raises
    ------
    IntegrityError
        If it cannot be read, or if its metadata does not follow the format.
    """
    files = read_info_files(archive, ("index.json", "paths.json", "link.json"))
    with archive_errors(archive):
        index = json.loads(files["index.json"])
        link = json.loads(files.get("link.json", b"{}"))
        entries = json.loads(files["paths.json"])["paths"]
        paths = tuple(_path_entry(entry, archive) for entry in entries)
        entry_points = tuple(link.get("noarch", {}).get("entry_points", ()))
    if len({entry.path for entry in paths}) != len(paths):
        raise IntegrityError(f"{archive.name} lists a path twice in info/paths.json")
    return PackageInfo(archive=archive, index=index, entry_points=entry_points, paths=paths)


def read_members(info: PackageInfo, spool: Spool) -> Iterator[ArchiveMember]:
    """Read the files that ``info/paths.json`` lists into ``spool``; yield them in the archive's order.

    Hard links inside the archive become files of their own.

    Raises
    ------
    IntegrityError
        If a file is missing, or is longer than its entry says.
    """
    entries = {entry.path: entry for entry in info.paths if entry.path_type != "directory"}
    seen: dict[str, ArchiveMember] = {}
    archive = info.archive
    missing = set(entries)
    with archive_errors(archive):
        for tar, member in members(archive, "pkg"):
            entry = entries.get(member.name)
            if entry is None or member.isdir():
                continue
            if member.islnk():
                if member.linkname not in seen:
                    raise IntegrityError(f"{archive.name} links {member.name} to a file that comes later")
                first = seen[member.linkname]
                found = ArchiveMember(path=member.name, mode=first.mode, data=first.data)
            elif member.issym():
                found = ArchiveMember(
                    path=member.name, mode=0o777, data=spool.add(()), link_target=member.linkname
                )
            elif member.isreg():
                limit = member.size if entry.size is None else entry.size
                data = spool.add(member_chunks(tar, member, limit))
                found = ArchiveMember(path=member.name, mode=member.mode & 0o777, data=data)
                seen[member.name] = found
            else:
                raise IntegrityError(
                    f"{archive.name} holds {member.name}, which is not a file, folder or link"
                )
            missing.discard(member.name)
            yield found
    if missing:
        raise IntegrityError(f"{archive.name} lacks {min(missing)}, which its info/paths.json lists")


def _path_entry(entry: dict[str, Any], archive: Path) -> PathEntry:
    path_type = entry.get("path_type", "hardlink")
    if path_type not in {"hardlink", "softlink", "directory"}:
        raise IntegrityError(f"{archive.name} lists {entry['_path']} with the unknown type {path_type!r}")
    placeholder = entry.get("prefix_placeholder")
    file_mode = entry.get("file_mode", "text") if placeholder else None
    if file_mode not in {"text", "binary", None}:
        raise IntegrityError(f"{archive.name} lists {entry['_path']} with the unknown mode {file_mode!r}")
    return PathEntry(
        path=check_path(entry["_path"], archive),
        path_type=path_type,
        sha256=entry.get("sha256"),
        size=entry.get("size_in_bytes"),
        placeholder=placeholder or None,
        file_mode=file_mode,
        no_link=bool(entry.get("no_link", False)),
    )
