"""Reading wheels safely: everything that could do harm is refused before it is used.

- https://packaging.python.org/en/latest/specifications/binary-distribution-format/ (PEP 427)
- https://packaging.python.org/en/latest/specifications/recording-installed-packages/ (RECORD)
"""

import base64
import csv
import hashlib
import io
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
from packaging.utils import InvalidWheelFilename, NormalizedName, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from cuvee.errors import IntegrityError

LARGEST_TOTAL = 4 << 30
"""Bytes that a wheel may inflate to."""

LARGEST_RATIO = 200
"""How many times its own size a wheel may inflate to, above `RATIO_FLOOR`."""

MOST_MEMBERS = 200_000
"""Members that a wheel may have; the largest real ones have some ten thousand."""

RATIO_FLOOR = 64 << 20
"""Bytes that any wheel may inflate to: small wheels with tables compress very well."""

_UNSIGNED = ("RECORD", "RECORD.jws", "RECORD.p7s")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?")
_WINDOWS_FORBIDDEN = re.compile(r'[<>:"|?*]|[. ]$')
_BROKEN = (
    EOFError, NotImplementedError, OSError, OverflowError, RuntimeError, ValueError, struct.error,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What `zipfile` raises for damaged archives; `OSError` for a seek before the start."""

_STRONG = {"sha256", "sha384", "sha512"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelName:
    """The parts of a wheel's file name."""

    file_name: str
    name: NormalizedName
    version: Version
    tags: frozenset[Tag]

    @classmethod
    def parse(cls, file_name: str) -> "WheelName":
        """Read a file name; raises `IntegrityError` if it is not a wheel's."""
        try:
            name, version, _, tags = parse_wheel_filename(file_name)
        except (InvalidWheelFilename, InvalidVersion):
            name = None
        if name is None or not re.fullmatch(r"[\w.+!-]+", file_name):
            raise IntegrityError(f"{file_name!r} is not the name of a wheel")
        return cls(file_name=file_name, name=name, version=version, tags=frozenset(tags))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEntry:
    """A line of RECORD: the hash of a member, and its size if it is stated."""

    algorithm: str
    digest: str
    size: int | None


class WheelArchive:
    """An open wheel whose member list has been checked.

    ``members`` are its files by path, sorted; ``dist_info`` is a name like ``six-1.17.0.dist-info``.
    """

    def __init__(self, archive: zipfile.ZipFile, file_name: str, size: int) -> None:
        self.name = WheelName.parse(file_name)
        self._archive = archive
        self.members = _checked_members(archive, file_name)
        _refuse_bombs(self.members.values(), file_name, size)
        self.dist_info = _dist_info(self.members, self.name)
        self.record = self._read_record()

    def read(self, path: str) -> bytes:
        """Return a member's bytes, checked against its declared size, its CRC and its line in RECORD."""
        entry = self.members.get(path)
        if entry is None:
            raise IntegrityError(f"{self.name.file_name}: it has no {path}")
        data = self._inflate(entry)
        if (recorded := self.record.get(path)) is not None and (
            record_digest(data, recorded.algorithm) != recorded.digest
            or recorded.size not in {None, len(data)}
        ):
            raise _refused(self.name.file_name, path, "its hash or size is not the one in RECORD")
        return data

    def info_file(self, name: str) -> bytes | None:
        """Return a file of the dist-info folder, or `None`."""
        path = f"{self.dist_info}/{name}"
        return self.read(path) if path in self.members else None

    def is_executable(self, path: str) -> bool:
        """Whether the member's mode has a bit for execution."""
        return bool(self.members[path].external_attr >> 16 & 0o111)

    def check_for_windows(self) -> None:
        """Raise `IntegrityError` for names that are not valid on Windows.

        https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
        """
        for path in self.members:
            for part in path.split("/"):
                if _RESERVED.fullmatch(part) or _WINDOWS_FORBIDDEN.search(part):
                    raise _refused(self.name.file_name, path, "it is not a valid file name on Windows")

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

    def _read_record(self) -> Mapping[str, RecordEntry]:
        path = f"{self.dist_info}/RECORD"
        if path not in self.members:
            raise IntegrityError(f"{self.name.file_name}: it has no {path}")
        unsigned = {f"{self.dist_info}/{name}" for name in _UNSIGNED}
        record = _parse_record(self._inflate(self.members[path]), unsigned, self.name.file_name)
        for member in self.members:
            if member not in record and member not in unsigned:
                raise _refused(self.name.file_name, member, "its RECORD does not list it")
        for listed in record:
            if listed not in self.members:
                raise _refused(self.name.file_name, listed, "its RECORD lists it, but it does not exist")
        return record


def record_digest(data: bytes, algorithm: str = "sha256") -> str:
    """Return a hash as RECORD has it: in URL-safe base64, without padding."""
    return base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest()).rstrip(b"=").decode()


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


def _checked_members(archive: zipfile.ZipFile, wheel: str) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    folded: dict[str, str] = {}
    for entry in archive.infolist():
        path = entry.filename
        if why := _bad_name(entry.orig_filename) or _bad_kind(entry):
            raise _refused(wheel, entry.orig_filename, why)
        if entry.is_dir():
            continue
        same = unicodedata.normalize("NFC", path).casefold()
        if same in folded:
            raise _refused(wheel, path, f"it collides with {folded[same]!r}")
        folded[same] = path
        members[path] = entry
    for same, path in folded.items():
        parts = same.split("/")
        for depth in range(1, len(parts)):
            if (parent := "/".join(parts[:depth])) in folded:
                raise _refused(wheel, path, f"{folded[parent]!r} is a file")
    return dict(sorted(members.items()))


def _refuse_bombs(entries: Collection[zipfile.ZipInfo], wheel: str, size: int) -> None:
    """Refuse zip bombs: members may overlap, so their declared sizes say nothing about the file's size."""
    total = sum(entry.file_size for entry in entries)
    if total > LARGEST_TOTAL or total > max(RATIO_FLOOR, LARGEST_RATIO * size) or len(entries) > MOST_MEMBERS:
        raise IntegrityError(
            f"{wheel} is refused: its {len(entries):,} members would inflate to {total:,} bytes from {size:,}"
        )


def _bad_name(path: str) -> str | None:
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in path):
        return "its name has control characters"
    if "\\" in path or path.startswith("/") or re.match(r"[A-Za-z]:", path):
        return "its name is not a relative path with /"
    if any(part in {"", ".", ".."} for part in path.removesuffix("/").split("/")):
        return "its name has empty, . or .. parts"
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


def _parse_record(data: bytes, unsigned: set[str], wheel: str) -> dict[str, RecordEntry]:
    record: dict[str, RecordEntry] = {}
    try:
        rows = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
    except (csv.Error, UnicodeDecodeError) as error:
        raise IntegrityError(f"{wheel}: RECORD cannot be read: {error}") from None
    for row in rows:
        if not row or row[0] in unsigned:
            continue
        algorithm, _, digest = row[1].partition("=") if len(row) > 1 else ("", "", "")
        if row[0] in record or algorithm not in _STRONG or not digest:
            raise _refused(wheel, row[0], "its RECORD lists it twice, or without a strong hash")
        size = int(row[2]) if len(row) > 2 and row[2].isascii() and row[2].isdigit() else None  # noqa: PLR2004
        record[row[0]] = RecordEntry(algorithm=algorithm, digest=digest.rstrip("="), size=size)
    return record
