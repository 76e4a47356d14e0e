"""Reading conda packages: their metadata, and their files with every hash checked.

An archive is hostile until its paths and hashes have been checked.
"""

import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cuvee.errors import CuveeError, IntegrityError

_INFO_LIMIT = 64 << 20
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_DRIVE = re.compile(r"^[A-Za-z]:")


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
class Member:
    """One file of a package: its bytes and mode, or where it links to."""

    path: str
    mode: int
    data: bytes
    link_target: str | None = None


def check_path(path: str, archive: Path) -> str:
    """Give ``path`` back if it stays below the folder that it is relative to, on every platform.

    Raises
    ------
    IntegrityError
        For absolute paths, ``..``, drive letters, backslashes, and control characters.
    """
    parts = path.split("/")
    if (
        not path
        or "" in parts
        or "." in parts
        or ".." in parts
        or "\\" in path
        or _DRIVE.match(path)
        or _CONTROL.search(path)
    ):
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
        If it can't be read, or if its metadata breaks the format.
    """
    wanted = {"info/index.json": b"", "info/paths.json": b"", "info/link.json": b""}
    with _archive_errors(archive):
        for tar, member in _members(archive, "info"):
            if member.name in wanted:
                wanted[member.name] = _data(tar, member, _INFO_LIMIT)
        index = json.loads(wanted["info/index.json"])
        link = json.loads(wanted["info/link.json"] or b"{}")
        entries = json.loads(wanted["info/paths.json"])["paths"]
        paths = tuple(_path_entry(entry, archive) for entry in entries)
        entry_points = tuple(link.get("noarch", {}).get("entry_points", ()))
    if len({entry.path for entry in paths}) != len(paths):
        raise IntegrityError(f"{archive.name} lists a path twice in info/paths.json")
    return PackageInfo(archive=archive, index=index, entry_points=entry_points, paths=paths)


def read_members(info: PackageInfo) -> Iterator[Member]:
    """Give the package's files that ``info/paths.json`` lists, in the archive's order.

    Hard links inside the archive become files of their own.

    Raises
    ------
    IntegrityError
        If a file is missing, or is longer than its entry says.
    """
    entries = {entry.path: entry for entry in info.paths if entry.path_type != "directory"}
    seen: dict[str, Member] = {}
    archive = info.archive
    missing = set(entries)
    with _archive_errors(archive):
        for tar, member in _members(archive, "pkg"):
            entry = entries.get(member.name)
            if entry is None or member.isdir():
                continue
            if member.islnk():
                if member.linkname not in seen:
                    raise IntegrityError(f"{archive.name} links {member.name} to a file that comes later")
                first = seen[member.linkname]
                found = Member(path=member.name, mode=first.mode, data=first.data)
            elif member.issym():
                found = Member(path=member.name, mode=0o777, data=b"", link_target=member.linkname)
            elif member.isreg():
                data = _data(tar, member, member.size if entry.size is None else entry.size)
                found = Member(path=member.name, mode=member.mode & 0o777, data=data)
                seen[member.name] = found
            else:
                raise IntegrityError(f"{archive.name} holds {member.name}, which is no file, folder or link")
            missing.discard(member.name)
            yield found
    if missing:
        raise IntegrityError(f"{archive.name} lacks {min(missing)}, which its info/paths.json lists")


@contextmanager
def _archive_errors(archive: Path) -> Iterator[None]:
    """Turn what the archive libraries raise into one `IntegrityError` that names the archive."""
    try:
        yield
    except (CuveeError, MemoryError):
        raise
    except Exception as error:
        raise IntegrityError(
            f"{archive.name} is no conda package that can be read: {error}",
            hint="Delete it and run the same command again, so that it is fetched or made anew.",
        ) from error


def _members(
    archive: Path, component: Literal["info", "pkg"]
) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    from conda_package_streaming.package_streaming import CondaComponent, stream_conda_component

    for tar, member in stream_conda_component(archive, component=CondaComponent(component)):
        member.name = member.name.removeprefix("./")
        if component == "info" or not member.name.startswith("info/"):
            yield tar, member


def _data(tar: tarfile.TarFile, member: tarfile.TarInfo, limit: int) -> bytes:
    if member.size > limit:
        raise IntegrityError(f"{member.name} is larger than its entry in info/paths.json says")
    stream = tar.extractfile(member)
    if stream is None:
        raise IntegrityError(f"{member.name} has no content")
    return stream.read()


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
