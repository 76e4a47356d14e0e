"""The types of a comparison: changes of a package between two locks, and rows that are ready to be shown."""

import enum
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cuvee.conda.package_record import LockedPackage
from cuvee.data_frames import frame_of
from cuvee.graph.diff.version_order import Level

if TYPE_CHECKING:
    import pandas as pd

METADATA = (
    "depends", "constrains", "license", "noarch", "track_features", "build_number", "channel", "subdir",
)  # fmt: skip
"""Fields that may change while the archive stays the same, as a channel's repodata patches do:
https://github.com/conda-forge/conda-forge-repodata-patches-feedstock."""


class ChangeKind(enum.Enum):
    """How a package differs from the release before."""

    DOWNGRADED = "downgraded"
    REMOVED = "removed"
    UPGRADED = "upgraded"
    ADDED = "added"
    MODIFIED = "files-changed"
    REBUILT = "rebuilt"
    METADATA = "metadata-changed"


def needs_attention(kind: ChangeKind, level: Level | None) -> bool:
    """Return whether a change is to be reviewed before others.

    These are downgrades, removals, major versions, and files that somebody changed.
    """
    kinds = {ChangeKind.DOWNGRADED, ChangeKind.REMOVED, ChangeKind.MODIFIED}
    return kind in kinds or level is Level.MAJOR


class Force(enum.Enum):
    """How something forces a change."""

    MANIFEST = "manifest"
    DEPENDS = "depends"
    CONSTRAINS = "constrains"
    OWN = "own"
    DROPPED = "dropped"
    GONE = "gone"
    STILL = "still"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReason:
    """One thing that forced a change.

    Attributes
    ----------
    spec
        The match spec, as stated.
    package
        The package that states it; empty for the manifest. For `Force.OWN` the package that the old version
        no longer fits, for `Force.DROPPED` the one that no longer states it, for `Force.GONE` the one that
        was removed. `Force.STILL` forces nothing: the package states it, and is in the set without it.
    through
        Names from ``package`` up to a change that a manifest requests, that one last; only ``package`` if
        no chain leads to one.
    """

    force: Force
    spec: str
    package: str = ""
    through: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The reason for people; what forced nothing begins with "although"."""
        chain = f", through {' → '.join(self.through[1:])}" if len(self.through) > 1 else ""
        return {
            Force.MANIFEST: f"the manifest requests {self.spec}",
            Force.DEPENDS: f"{self.package} depends on {self.spec}",
            Force.CONSTRAINS: f"{self.package} constrains {self.spec}",
            Force.OWN: f"the version before depends on {self.spec}, and {self.package} has changed",
            Force.DROPPED: f"{self.package or 'the manifest'} no longer requires {self.spec}",
            Force.GONE: f"{self.package}, which depends on {self.spec}, was removed",
            Force.STILL: f"although {self.package} still depends on {self.spec}",
        }[self.force] + chain


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

    def detail(self, kind: ChangeKind) -> str:
        """Return what versions do not show: builds, archives or fields; empty if they show everything."""
        before, after = self.before, self.after
        if before is None or after is None:
            return ""
        if kind is ChangeKind.METADATA:
            return f"changed: {', '.join(self.fields)}"
        if kind is not ChangeKind.REBUILT:
            return ""
        if before.build != after.build:
            return f"build {before.build or '?'} → {after.build or '?'}"
        old, new = before.sha256 or before.md5 or "", after.sha256 or after.md5 or ""
        return f"archive {old[:12]} → {new[:12]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one package, the same on all of its platforms.

    Attributes
    ----------
    before, after
        Versions; `None` where the package does not exist.
    requested
        Whether a manifest names the package, that of the release or that of its base.
    level
        Which part of the version changed; `None` unless there are two versions that differ.
    per_platform
        The records, one pair per platform, sorted by platform.
    forced_by
        What forced it, the nearest to a manifest first; empty if nothing did, or reasons were not looked for.
    patched
        That it is patched, and what that fixes if it is known, or that it no longer is; empty for others.
    """

    package: str
    kind: ChangeKind
    before: str | None
    after: str | None
    requested: bool
    level: Level | None
    per_platform: tuple[PlatformChange, ...]
    forced_by: tuple[ChangeReason, ...] = ()
    patched: str = ""

    @property
    def platforms(self) -> tuple[str, ...]:
        """Where it changed like this."""
        return tuple(item.platform for item in self.per_platform)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRow:
    """One change, ready to be shown.

    Attributes
    ----------
    before, after
        Versions, or ranges of what is requested; `None` where the package does not exist.
    requested
        Whether either side requests it; `None` where neither states what it requests.
    details
        What versions do not show: builds, archives or fields, one per distinct case.
    forced_by
        Sentences on what forced it; `None` where dependencies are not known.
    """

    package: str
    kind: ChangeKind
    before: str | None
    after: str | None
    requested: bool | None
    level: Level | None
    platforms: tuple[str, ...]
    details: tuple[str, ...] = ()
    forced_by: tuple[str, ...] | None = None

    @property
    def attention(self) -> bool:
        """Whether it is to be reviewed before others."""
        return needs_attention(self.kind, self.level)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """A value of a manifest other than its packages, before and after; empty where it is not stated."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All that differs between two snapshots.

    Attributes
    ----------
    platforms
        Those that were compared.
    notes
        Sentences on what could not be compared, and on platforms that only one side has.
    """

    before: str
    after: str
    platforms: tuple[str, ...]
    changes: tuple[ComparisonRow, ...]
    settings: tuple[SettingChange, ...] = ()
    notes: tuple[str, ...] = ()

    def to_frame(self) -> "pd.DataFrame":
        """Return a pandas frame with a row for each change."""
        return frame_of(self.changes)

    @property
    def counts(self) -> tuple[tuple[ChangeKind, int], ...]:
        """How many changes of each kind there are."""
        found = Counter(row.kind for row in self.changes)
        return tuple((kind, found[kind]) for kind in ChangeKind if found[kind])
