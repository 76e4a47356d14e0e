"""The exact result of solving, per platform."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

OWN_CHANNEL = "channel"
"""`LockedPackage.channel` of what the release's own channel carries: a folder below the release folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedPackage:
    """One package of the closure on one platform: a conda record.

    Attributes
    ----------
    platform
        The platform that it is locked for.
    subdir
        Where the channel keeps it: the platform, or ``noarch``.
    url
        Where to get it. For a package of the release's own channel it is relative to the release
        folder: ``channel/noarch/six-1.17.0-py_0.conda``.
    channel
        The channel's URL; ``channel`` for the release's own.
    sha256, md5
        Hex digests of the archive; the first is always known.
    size
        Bytes of the archive.
    timestamp
        Milliseconds since 1970 UTC, or `None`.
    track_features
        Names by which old recipes weigh builds down; deprecated.
    """

    name: str
    version: str
    build: str
    build_number: int
    platform: str
    subdir: str
    url: str
    channel: str
    sha256: str
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
    def identifier(self) -> str:
        """The unit of work: ``name-version-build@platform``."""
        return f"{self.stem}@{self.platform}"

    @property
    def file_name(self) -> str:
        """The archive's file name."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def is_local(self) -> bool:
        """Whether the release's own channel carries it."""
        return "://" not in self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualPackage:
    """What a platform's floor offers to the solver, such as ``__glibc 2.28``."""

    name: str
    version: str
    build: str = "0"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True, kw_only=True)
class PlatformLock:
    """The closure on one platform, sorted by name."""

    platform: str
    packages: tuple[LockedPackage, ...]
    virtual_packages: tuple[VirtualPackage, ...]

    @cached_property
    def by_name(self) -> Mapping[str, LockedPackage]:
        """The packages by name."""
        return {package.name: package for package in self.packages}


@dataclass(frozen=True, kw_only=True)
class Lock:
    """The closure on each platform that could be solved, in the manifest's order."""

    platforms: tuple[PlatformLock, ...]

    @cached_property
    def by_platform(self) -> Mapping[str, PlatformLock]:
        """The platform locks by platform name."""
        return {lock.platform: lock for lock in self.platforms}
