"""The exact result of solving, per platform."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from cuvee.conda.package_record import LockedPackage
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.data_frames import frame_of

if TYPE_CHECKING:
    import pandas as pd


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

    def published(self, own_channel: str) -> "PlatformLock":
        """Return the closure with a URL for each package, as `LockedPackage.published`."""
        packages = tuple(package.published(own_channel) for package in self.packages)
        return replace(self, packages=packages)


@dataclass(frozen=True, kw_only=True)
class Lock:
    """The closure on each platform that could be solved, in the manifest's order."""

    platforms: tuple[PlatformLock, ...]

    def published(self, own_channel: str) -> "Lock":
        """Return the closures with a URL for each package, as `LockedPackage.published`."""
        return Lock(platforms=tuple(item.published(own_channel) for item in self.platforms))

    def to_frame(self) -> "pd.DataFrame":
        """Return a pandas frame with a row for each package on each platform."""
        return frame_of(package for lock in self.platforms for package in lock.packages)

    def in_order(self, platforms: Sequence[str]) -> "Lock":
        """Return those of ``platforms`` that the lock has, in their order."""
        by_platform = self.by_platform
        return Lock(platforms=tuple(by_platform[name] for name in platforms if name in by_platform))

    @cached_property
    def by_platform(self) -> Mapping[str, PlatformLock]:
        """The platform locks by platform name."""
        return {lock.platform: lock for lock in self.platforms}
