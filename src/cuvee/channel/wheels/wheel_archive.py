"""Reading wheels safely: everything that could do harm is refused before it is used.

What only breaks the format, and every installer accepts, is noted. Names that Windows forbids, or that differ
only by case, are findings of the checks, on the platforms where they matter.

https://packaging.python.org/en/latest/specifications/binary-distribution-format/ (PEP 427)
"""

import posixpath
import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from packaging.tags import Tag
from packaging.utils import (
    BuildTag,
    InvalidWheelFilename,
    NormalizedName,
    canonicalize_name,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from cuvee.channel.wheels.wheel_record import WheelRecord, parse_record
from cuvee.conda.package_archive import unpacked_limit
from cuvee.errors import IntegrityError

LARGEST_TOTAL = 4 << 30
"""Bytes that a wheel may inflate to."""

MOST_MEMBERS = 200_000
"""Members that a wheel may have; the largest real ones have some ten thousand."""

_UNSIGNED = ("RECORD", "RECORD.jws", "RECORD.p7s")
_BROKEN = (
    EOFError, NotImplementedError, OSError, OverflowError, RuntimeError, ValueError, struct.error,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What `zipfile` raises for damaged archives; `OSError` for a seek before the start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelName:
    """The parts of a wheel's file name.

    ``build`` is the number and the rest of the build tag, as they sort; empty without one.
    """

    file_name: str
    name: NormalizedName
    version: Version
    build: BuildTag = ()
    tags: frozenset[Tag]

    @classmethod
    def parse(cls, file_name: str) -> "WheelName":
        """Read a file name; raises `IntegrityError` if it is not a wheel's."""
        try:
            name, version, build, tags = parse_wheel_filename(file_name)
        except (InvalidWheelFilename, InvalidVersion):
            name = None
        if name is None or not re.fullmatch(r"[\w.+!-]+", file_name):
            raise IntegrityError(f"{file_name!r} is not the name of a wheel")
        return cls(file_name=file_name, name=name, version=version, build=build, tags=frozenset(tags))


class WheelArchive:
    """An open wheel whose member list has been checked.

    ``members`` are its files by path, sorted; ``dist_info`` is a name like ``six-1.17.0.dist-info``.
    ``irregularities`` say where it breaks the format of wheels in ways that every installer accepts.
    """

    def __init__(self, archive: zipfile.ZipFile, file_name: str, size: int) -> None:
        self.name = WheelName.parse(file_name)
        self._archive = archive
        self.irregularities: list[str] = []
        _refuse_bombs(archive.infolist(), file_name, size)
        self.members = self._checked_members()
        self.dist_info = _dist_info(self.members, self.name)
        self.record = self._read_record()
        self.irregularities += self.record.irregularities

    def read(self, path: str) -> bytes:
        """Return a member's bytes, checked against its declared size, its CRC and its line in RECORD."""
        entry = self.members.get(path)
        if entry is None:
            raise IntegrityError(f"{self.name.file_name}: it has no {path}")
        data = self._inflate(entry)
        if not all(recorded.agrees(data) for recorded in self.record.entries.get(path, ())):
            raise _refused(self.name.file_name, path, "its hash is not the one in RECORD")
        return data

    def info_file(self, name: str) -> bytes | None:
        """Return a file of the dist-info folder, or `None`."""
        path = f"{self.dist_info}/{name}"
        return self.read(path) if path in self.members else None

    def is_executable(self, path: str) -> bool:
        """Whether the member's mode has a bit for execution."""
        return bool(self.members[path].external_attr >> 16 & 0o111)

    @property
    def newest(self) -> tuple[int, int, int, int, int, int]:
        """The latest date of a member: year to second, without a time zone."""
        return max(entry.date_time for entry in self.members.values())

    def _inflate(self, entry: zipfile.ZipInfo) -> bytes:
        try:
            with self._archive.open(entry) as stream:
                data = stream.read(entry.file_size + 1)
        except _BROKEN as error:
            raise _refused(self.name.file_name, entry.filename, f"it cannot be read ({error})") from None
        if len(data) != entry.file_size:
            raise _refused(self.name.file_name, entry.filename, "its size is not the declared one")
        return data

    def _checked_members(self) -> dict[str, zipfile.ZipInfo]:
        members: dict[str, zipfile.ZipInfo] = {}
        for entry in self._archive.infolist():
            path = posixpath.normpath(entry.filename)
            if why := _bad_name(entry.orig_filename) or _bad_kind(entry):
                raise _refused(self.name.file_name, entry.orig_filename, why)
            if entry.is_dir():
                continue
            if path != entry.filename:
                self.irregularities.append(f"It has {entry.filename!r} for {path}")
            if path not in members:
                members[path] = entry
            elif self._inflate(entry) == self._inflate(members[path]):
                self.irregularities.append(f"It has {path} twice, with the same content")
            else:
                raise _refused(self.name.file_name, path, "it is there twice, with different content")
        for path in members:
            parts = path.split("/")
            for depth in range(1, len(parts)):
                if (parent := "/".join(parts[:depth])) in members:
                    raise _refused(self.name.file_name, path, f"{parent!r} is a file")
        return dict(sorted(members.items()))

    def _read_record(self) -> WheelRecord:
        path = f"{self.dist_info}/RECORD"
        if path not in self.members:
            raise IntegrityError(f"{self.name.file_name}: it has no {path}")
        sizes = {name: entry.file_size for name, entry in self.members.items()}
        unsigned = {f"{self.dist_info}/{name}" for name in _UNSIGNED}
        return parse_record(self._inflate(self.members[path]), sizes, unsigned, where=self.name.file_name)


@contextmanager
def open_wheel(path: Path, *, file_name: str | None = None) -> Iterator[WheelArchive]:
    """Open a wheel, called ``file_name`` if its file is not, and check its member list.

    Raises
    ------
    IntegrityError
        Naming the wheel and the member, if it is broken or could do harm.
    """
    name = file_name or path.name
    size = path.stat().st_size
    try:
        archive = zipfile.ZipFile(path)
    except _BROKEN as error:
        raise IntegrityError(f"{name}: it is not a zip archive ({error})") from None
    with archive:
        yield WheelArchive(archive, name, size)


def _refused(wheel: str, member: str, why: str) -> IntegrityError:
    return IntegrityError(
        f"{wheel}: {member!r} is refused: {why}",
        hint="Do not install this wheel. Choose another version of the project, and tell its maintainers.",
    )


def _refuse_bombs(entries: Collection[zipfile.ZipInfo], wheel: str, size: int) -> None:
    """Refuse zip bombs: members may overlap, so their declared sizes say nothing about the file's size."""
    total = sum(entry.file_size for entry in entries)
    if total > min(LARGEST_TOTAL, unpacked_limit(size)) or len(entries) > MOST_MEMBERS:
        raise IntegrityError(
            f"{wheel} is refused: its {len(entries):,} members would inflate to {total:,} bytes from {size:,}"
        )


def _bad_name(path: str) -> str | None:
    # What is printable has no such characters, and is told from the others without looking at each.
    if not path.isprintable() and any(unicodedata.category(char) in {"Cc", "Cs"} for char in path):
        return "its name has control characters"
    if "\\" in path or path.startswith("/") or re.match(r"[A-Za-z]:", path):
        return "its name is not a relative path with /"
    if ".." in path.split("/") or posixpath.normpath(path) == ".":
        return "its name has .. parts, or no others"
    return None


def _bad_kind(entry: zipfile.ZipInfo) -> str | None:
    kind = entry.external_attr >> 28
    if kind not in {0, 0o4, 0o10}:
        return "it is a link or a device"
    if entry.flag_bits & 0x1:
        return "it is encrypted"
    if entry.is_dir() and entry.file_size:
        return "it is a folder with content"
    if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        return "it is compressed in an unusual way"
    return None


def _dist_info(members: Mapping[str, object], name: WheelName) -> str:
    found = {path.split("/")[0] for path in members if path.split("/")[0].endswith(".dist-info")}
    if len(found) != 1:
        listed = ", ".join(sorted(found)) or "none"
        raise IntegrityError(f"{name.file_name}: it must have one .dist-info folder, and has {listed}")
    folder = found.pop()
    project, _, version = folder.removesuffix(".dist-info").partition("-")
    try:
        same = canonicalize_name(project) == name.name and Version(version) == name.version
    except InvalidVersion:
        same = False
    if not same:
        raise IntegrityError(f"{name.file_name}: its folder {folder} belongs to another project or version")
    return folder
