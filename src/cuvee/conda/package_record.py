"""Conda's record of a package: what a channel says of one build, and what a lock keeps of it."""

from dataclasses import dataclass, fields, replace
from typing import Literal
from urllib.parse import unquote

OWN_CHANNEL = "channel"
"""`Record.channel` of what the release's own channel carries: a folder below the release folder."""

VIRTUAL = "virtual"
"""`Record.subdir` of a virtual package, such as ``__glibc``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One build of one version of a package.

    Keys of repodata: https://github.com/conda/ceps/blob/main/cep-0036.md

    Attributes
    ----------
    subdir
        The channel's subdir that has it: a platform, or ``noarch``; ``virtual`` for virtual packages.
    url
        Where to get the archive. Relative to the release folder for a package of the release's own channel:
        ``channel/noarch/six-1.17.0-py_0.conda``. Only a file name where the channel's URL does not matter;
        empty for virtual packages.
    channel
        The channel's URL; ``channel`` for the release's own, and empty where only one channel matters.
    sha256, md5
        Hex digests of the archive; empty or `None` where the channel does not state them.
    size
        Bytes of the archive; 0 where the channel does not state it.
    timestamp
        Milliseconds since 1970 UTC, or `None`.
    track_features
        The fewer a record tracks, the sooner a solver takes it; deprecated.
    """

    name: str
    version: str
    build: str
    build_number: int = 0
    subdir: str = "noarch"
    url: str = ""
    channel: str = ""
    sha256: str = ""
    md5: str | None = None
    size: int = 0
    timestamp: int | None = None
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    license: str | None = None
    noarch: Literal["python", "generic"] | None = None
    track_features: tuple[str, ...] = ()

    @property
    def stem(self) -> str:
        """``name-version-build``."""
        return f"{self.name}-{self.version}-{self.build}"

    @property
    def file_name(self) -> str:
        """The archive's file name, in which a URL may write ``+`` and ``!`` as ``%2B`` and ``%21``."""
        return unquote(self.url.rpartition("/")[2]).rpartition("/")[2]

    @property
    def is_virtual(self) -> bool:
        """Whether the system offers it, rather than a channel."""
        return self.subdir == VIRTUAL

    def __str__(self) -> str:
        return f"{self.name} {self.version}" if self.is_virtual else self.stem

    def locked_for(self, platform: str) -> "LockedPackage":
        """Return the package that a lock of ``platform`` has of it."""
        values = {field.name: getattr(self, field.name) for field in fields(Record)}
        return LockedPackage(**values, platform=platform)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPackage(Record):
    """A record with the platform that it is locked for: one package of a closure."""

    build_number: int
    platform: str
    subdir: str
    url: str
    channel: str
    sha256: str

    @property
    def identifier(self) -> str:
        """The unit of work: ``name-version-build@platform``."""
        return f"{self.stem}@{self.platform}"

    @property
    def is_local(self) -> bool:
        """Whether the release's own channel carries it."""
        return "://" not in self.url

    def published(self, own_channel: str) -> "LockedPackage":
        """Return the package with a URL, that of the release's own channel being ``own_channel``."""
        if not self.is_local:
            return self
        return replace(self, url=own_channel + self.url.removeprefix(OWN_CHANNEL), channel=own_channel)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordProblem:
    """Something that could not be read: which record or file, and what is wrong with it."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"
