"""What a comparison comes to."""

import enum
from dataclasses import dataclass

from cuvee.conda.record import LockedPackage
from cuvee.graph.diff.version_order import Level

METADATA = (
    "depends", "constrains", "license", "noarch", "track_features", "build_number", "channel", "subdir",
)  # fmt: skip
"""Fields that may change while the archive stays the same, as a channel's repodata patch does."""


class ChangeKind(enum.Enum):
    """How a package differs from the release before."""

    DOWNGRADED = "downgraded"
    REMOVED = "removed"
    UPGRADED = "upgraded"
    ADDED = "added"
    REBUILT = "rebuilt"
    METADATA = "metadata-changed"


class Force(enum.Enum):
    """How something forces a change."""

    MANIFEST = "manifest"
    DEPENDS = "depends"
    CONSTRAINS = "constrains"
    OWN = "own"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReason:
    """One thing that forced a change.

    Attributes
    ----------
    spec
        What it asks for, as stated.
    package
        Who asks; empty for the manifest. For `Force.OWN` the package that the old version does not fit any
        more, for `Force.DROPPED` the one that no longer asks.
    through
        Names from ``package`` up to a change that a manifest asks for, that one last; just ``package`` if
        there is no such way.
    """

    force: Force
    spec: str
    package: str = ""
    through: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The reason for people."""
        way = f", through {' → '.join(self.through[1:])}" if len(self.through) > 1 else ""
        return {
            Force.MANIFEST: f"the manifest asks for {self.spec}",
            Force.DEPENDS: f"{self.package} needs {self.spec}",
            Force.CONSTRAINS: f"{self.package} constrains {self.spec}",
            Force.OWN: f"the one before needs {self.spec}, and {self.package} is another now",
            Force.DROPPED: f"{self.package or 'the manifest'} no longer asks for {self.spec}",
        }[self.force] + way


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformChange:
    """A package on one platform, before and after; one of the two may be missing.

    ``compared`` names the metadata that both sides know.
    """

    platform: str
    before: LockedPackage | None
    after: LockedPackage | None
    compared: tuple[str, ...] = METADATA

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the metadata that differ between the two."""
        if self.before is None or self.after is None:
            return ()
        return tuple(
            name for name in self.compared if getattr(self.before, name) != getattr(self.after, name)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one package, the same on all of its platforms.

    Attributes
    ----------
    before, after
        Versions; `None` where the package is not there.
    direct
        Whether a manifest names the package, that of the release or that of its base.
    level
        Which part of the version changed; `None` when there are no two versions that differ.
    steps
        The records, one pair per platform, sorted by platform.
    forced_by
        What required it, the nearest to a manifest first; empty if nothing did, or nobody has looked.
    """

    package: str
    kind: ChangeKind
    before: str | None
    after: str | None
    direct: bool
    level: Level | None
    steps: tuple[PlatformChange, ...]
    forced_by: tuple[ChangeReason, ...] = ()

    @property
    def platforms(self) -> tuple[str, ...]:
        """Where it changed like this."""
        return tuple(step.platform for step in self.steps)
