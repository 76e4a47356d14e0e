"""Inspecting one archive in one pass over it."""

import collections
import hashlib
import itertools
import tarfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cuvee.channel.inspection.binary_reader import MAGIC_BYTES, format_of, read_binary, unreadable
from cuvee.channel.inspection.model import (
    ArchiveContents,
    ArchivedFile,
    Binary,
    Format,
    PythonDistribution,
)
from cuvee.channel.inspection.python_distributions import distribution_of
from cuvee.conda.package_archive import (
    INFO_LIMIT,
    archive_errors,
    archive_hashes,
    is_safe_path,
    member_data,
    members,
)
from cuvee.conda.package_info import (
    parse_entry_points,
    parse_index,
    parse_irregularities,
)
from cuvee.conda.package_paths import PATH_LISTS, PathEntry, listed_paths, path_list
from cuvee.conda.printable_text import printable, text_or_none
from cuvee.conda.project_links import links_of_about
from cuvee.errors import IntegrityError
from cuvee.files import storage_errors
from cuvee.temporary_folders import temporary_folder

BINARY_LIMIT = 1 << 30
"""Bytes of the largest binary that is parsed."""

LARGE_BINARY = 32 << 20
"""Bytes from which a binary is written to disk to be parsed, one at a time."""

UNPACKED_LIMIT, FILES_LIMIT = 64 << 30, 1_000_000
"""Bytes and files that a package may unpack to: far more than any real one has, far less than a zip bomb."""

_PROBLEMS_LIMIT = 50
_CHUNK = 1 << 20
_ONE_LARGE = threading.Lock()
_INFO = ("about.json", "index.json", "link.json", *PATH_LISTS)


def inspect_archive(archive: Path) -> ArchiveContents:
    """Read a ``.conda`` or ``.tar.bz2`` package.

    Files are hashed and compared with the package's own list, and programs and libraries are parsed. What is
    wrong with them is part of the result.

    Raises
    ------
    IntegrityError
        If it cannot be read, or has no metadata.
    """
    sha256, md5, size = archive_hashes(archive)
    reading = _Reading()
    with archive_errors(archive):
        for tar, member, is_info in _members(archive):
            reading.add(tar, member, is_info=is_info)
        index = parse_index(reading.info["index.json"])
        entry_points = parse_entry_points(reading.info.get("link.json"))
        files, problems = _compared(reading)
    return ArchiveContents(
        sha256=sha256,
        md5=md5,
        size=size,
        index=index,
        entry_points=entry_points,
        files=files,
        binaries=tuple(reading.binaries),
        problems=_shortened(problems),
        distributions=tuple(sorted(reading.distributions, key=lambda item: item.path)),
        irregularities=parse_irregularities(reading.info.get("about.json")),
        links=links_of_about(reading.info.get("about.json")),
    )


def _members(archive: Path) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo, bool]]:
    """Yield all members with whether they are metadata; ``.tar.bz2`` has both in one stream."""
    components: tuple[Literal["info", "pkg"], ...] = ("info", "pkg")
    one_stream = archive.name.endswith(".tar.bz2")
    for component in components[:1] if one_stream else components:
        for tar, member in members(archive, component):
            is_info = member.name.startswith("info/") if one_stream else component == "info"
            yield tar, member, is_info


@dataclass(slots=True)
class _Reading:
    """What has been read of an archive so far."""

    info: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, ArchivedFile] = field(default_factory=dict)
    binaries: list[Binary] = field(default_factory=list)
    distributions: list[PythonDistribution] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unpacked: int = 0
    members: int = 0

    def add(self, tar: tarfile.TarFile, member: tarfile.TarInfo, *, is_info: bool) -> None:
        """Read one member."""
        self.unpacked += member.size
        self.members += 1
        if self.unpacked > UNPACKED_LIMIT or self.members > FILES_LIMIT:
            raise IntegrityError("it unpacks to more than any package may")
        name = member.name.removeprefix("info/")
        if is_info:
            if name in _INFO and member.isreg():
                self.info[name] = member_data(tar, member, INFO_LIMIT)
        elif not member.isdir():
            path = printable(member.name)
            if path in self.files:
                self.problems.append(f"it holds {path} twice")
            self.files[path] = self._file(path, tar, member)

    def _file(self, path: str, tar: tarfile.TarFile, member: tarfile.TarInfo) -> ArchivedFile:
        if not is_safe_path(member.name):
            self.problems.append(f"it holds the path {path!r}, which no package may")
        if member.issym():
            return ArchivedFile(path=path, file_type="softlink", link_target=printable(member.linkname))
        if member.islnk():
            first = self.files.get(printable(member.linkname.removeprefix("./")))
            if first is None:
                self.problems.append(f"it links {path} to a file that comes later or not at all")
                return ArchivedFile(path=path)
            return ArchivedFile(path=path, sha256=first.sha256, size=first.size)
        if not member.isreg():
            self.problems.append(f"it holds {path}, which is not a file, folder or link")
            return ArchivedFile(path=path)
        return self._regular(path, tar, member)

    def _regular(self, path: str, tar: tarfile.TarFile, member: tarfile.TarInfo) -> ArchivedFile:
        stream = tar.extractfile(member)
        if stream is None:
            raise IntegrityError(f"{path} has no content")
        first = stream.read(_CHUNK)
        if (distribution := distribution_of(path, first)) is not None:
            self.distributions.append(distribution)
        kind = format_of(first[:MAGIC_BYTES])
        digest = hashlib.sha256()
        chunks = _hashed(itertools.chain((first,), iter(lambda: stream.read(_CHUNK), b"")), digest)
        if kind is None:
            collections.deque(chunks, maxlen=0)
        elif member.size > BINARY_LIMIT:
            collections.deque(chunks, maxlen=0)
            why = f"it is larger than the {BINARY_LIMIT:,} bytes that are parsed"
            self.binaries.append(unreadable(path, kind, why))
        elif member.size > LARGE_BINARY:
            self.binaries += _read_large(path, kind, chunks)
        else:
            self.binaries += read_binary(path, kind, b"".join(chunks))
        return ArchivedFile(path=path, sha256=digest.hexdigest(), size=member.size)


def _hashed(chunks: Iterable[bytes], digest: "hashlib._Hash") -> Iterator[bytes]:
    for chunk in chunks:
        digest.update(chunk)
        yield chunk


def _read_large(path: str, kind: Format, chunks: Iterable[bytes]) -> tuple[Binary, ...]:
    with temporary_folder("inspection") as folder:
        binary = folder / "binary"
        with storage_errors(binary), binary.open("wb") as stream:
            for chunk in chunks:
                stream.write(chunk)
        with _ONE_LARGE:
            return read_binary(path, kind, binary)


def _compared(reading: _Reading) -> tuple[tuple[ArchivedFile, ...], list[str]]:
    """Compare the files with the package's list; return them with what it adds, and where the two differ."""
    name = f"info/{path_list(reading.info)}"
    if name == "info/":
        problem = "it has neither info/paths.json nor info/files, which list its files"
        return _in_order(reading.files), [*reading.problems, problem]
    files, problems = dict(reading.files), reading.problems
    listed: set[str] = set()
    found_types = {path: file.file_type for path, file in files.items()}
    for entry in listed_paths(reading.info, found_types):
        path = printable(entry.path)
        if path in listed:
            problems.append(f"{name} lists {path} twice")
        listed.add(path)
        if entry.path_type == "directory":
            files.setdefault(path, ArchivedFile(path=path, file_type="directory"))
            continue
        found = reading.files.get(path)
        if found is None:
            problems.append(f"it lacks {path}, which its {name} lists")
            continue
        problems += _differences(found, entry)
        files[path] = ArchivedFile(
            path=path,
            file_type=found.file_type,
            sha256=found.sha256,
            size=found.size,
            placeholder=text_or_none(entry.placeholder),
            link_target=found.link_target,
        )
    problems += [f"it holds {path}, which its {name} does not list" for path in files.keys() - listed]
    return _in_order(files), problems


def _in_order(files: Mapping[str, ArchivedFile]) -> tuple[ArchivedFile, ...]:
    return tuple(files[path] for path in sorted(files))


def _differences(found: ArchivedFile, entry: PathEntry) -> Iterator[str]:
    is_link = entry.path_type == "softlink"
    if is_link != (found.file_type == "softlink"):
        yield f"{found.path} is a {found.file_type}, not what its info/paths.json says"
    if found.file_type != "hardlink" or is_link:
        return
    for what, actual, listed in (
        ("SHA-256", found.sha256, entry.sha256),
        ("size", found.size, entry.size),
    ):
        if listed is not None and listed != actual:
            yield f"{found.path} has another {what} than its info/paths.json says"


def _shortened(problems: list[str]) -> tuple[str, ...]:
    listed = sorted(problems)
    more = len(listed) - _PROBLEMS_LIMIT
    return (*listed[:_PROBLEMS_LIMIT], f"and {more} more") if more > 0 else tuple(listed)
