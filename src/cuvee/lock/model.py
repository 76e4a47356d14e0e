"""The exact result of solving, per platform."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from cuvee.conda.package_record import LockedPackage
from cuvee.conda.virtual_packages import VirtualPackage


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
