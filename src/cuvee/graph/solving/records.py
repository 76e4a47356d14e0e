"""Records as the solver sees them: what decides whether a package can be installed, and where it is from."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cuvee.lock.model import LockedPackage, VirtualPackage

if TYPE_CHECKING:
    from rattler import PackageRecord, RepoDataRecord

VIRTUAL = "virtual"
"""`Record.subdir` of what the system offers, such as ``__glibc``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One build of one version of a package.

    Attributes
    ----------
    subdir
        Where the channel keeps it; ``virtual`` for what the system offers.
    file_name
        The archive's; of ``.conda`` and ``.tar.bz2`` twins, the ``.conda``. Empty for virtual packages.
    track_features
        How many features it tracks: rattler prefers a record that tracks fewer, and that is all.
    timestamp
        Milliseconds since 1970 UTC; 0 where the channel does not say.
    channel
        The channel's URL; empty where there is but one, and its URL does not matter.
    license, md5, sha256
        Empty where unknown; match specs in brackets may ask for them.
    """

    name: str
    version: str
    build: str
    build_number: int = 0
    subdir: str = "noarch"
    file_name: str = ""
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    track_features: int = 0
    timestamp: int = 0
    channel: str = ""
    license: str = ""
    md5: str = ""
    sha256: str = ""

    @property
    def stem(self) -> str:
        """``name-version-build``."""
        return f"{self.name}-{self.version}-{self.build}"

    @property
    def is_virtual(self) -> bool:
        """Whether the system offers it, rather than a channel."""
        return self.subdir == VIRTUAL

    def __str__(self) -> str:
        return f"{self.name} {self.version}" if self.is_virtual else self.stem


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordProblem:
    """Something that could not be read: which record or file, and what is wrong with it."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def virtual_record(package: VirtualPackage) -> Record:
    """Give the record of what a system offers."""
    return Record(name=package.name, version=package.version, build=package.build, subdir=VIRTUAL)


def locked_record(package: LockedPackage) -> Record:
    """Give the record of a package of a lock."""
    return Record(
        name=package.name,
        version=package.version,
        build=package.build,
        build_number=package.build_number,
        subdir=package.subdir,
        file_name=package.file_name,
        depends=package.depends,
        constrains=package.constrains,
        timestamp=package.timestamp or 0,
        license=package.license or "",
        md5=package.md5 or "",
        sha256=package.sha256,
    )


def gateway_records(records: "Iterable[RepoDataRecord]") -> list[Record]:
    """Give the records that a query of rattler's gateway found; of twins, the ``.conda`` alone.

    They come in the order of their channels' priority: the first channel that has a name has it alone.
    """
    found: dict[tuple[str, str], Record] = {}
    first: dict[str, str] = {}
    for record in records:
        item = Record(
            name=record.name.normalized,
            version=str(record.version),
            build=str(record.build),
            build_number=record.build_number,
            subdir=str(record.subdir),
            file_name=record.file_name,
            depends=tuple(record.depends),
            constrains=tuple(record.constrains),
            track_features=len(record.track_features or ()),
            timestamp=int(record.timestamp.timestamp() * 1000) if record.timestamp else 0,
            channel=str(record.channel or "").rstrip("/"),
            license=record.license or "",
            md5=record.md5.hex() if record.md5 else "",
            sha256=record.sha256.hex() if record.sha256 else "",
        )
        if first.setdefault(item.name, item.channel) != item.channel:
            continue
        key = (item.subdir, item.stem)
        if key not in found or item.file_name.endswith(".conda"):
            found[key] = item
    return list(found.values())


def rattler_record(record: Record) -> "PackageRecord":
    """Give rattler's record, with all that a match spec may ask for."""
    from rattler import BuildString, PackageRecord

    return PackageRecord(
        record.name,
        record.version,
        BuildString(record.build),
        record.build_number,
        "noarch" if record.is_virtual else record.subdir,
        license=record.license or None,
        md5=_digest(record.md5, 16),
        sha256=_digest(record.sha256, 32),
    )


def _digest(text: str, size: int) -> bytes | None:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        return None
    return digest if len(digest) == size else None
