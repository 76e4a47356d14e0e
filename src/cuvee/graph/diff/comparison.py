"""A comparison of two snapshots, ready to be shown."""

from collections import Counter
from dataclasses import dataclass

from cuvee.graph.diff.model import ChangeKind
from cuvee.graph.diff.version_order import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRow:
    """One change, ready to be shown.

    Attributes
    ----------
    before, after
        Versions, or what is asked for; empty where the package is not there.
    direct
        Whether people ask for it; `None` where nobody says what is asked for.
    details
        What versions do not tell: builds, archives or fields, one per distinct case.
    reasons
        Sentences on what forced it; `None` where dependencies are not known.
    """

    package: str
    kind: ChangeKind
    before: str
    after: str
    direct: bool | None
    level: Level | None
    platforms: tuple[str, ...]
    details: tuple[str, ...] = ()
    reasons: tuple[str, ...] | None = None

    @property
    def look(self) -> bool:
        """Whether it needs a look before others: downgrades, removals and major versions."""
        return self.kind in {ChangeKind.DOWNGRADED, ChangeKind.REMOVED} or self.level is Level.MAJOR


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
    rows: tuple[ComparisonRow, ...]
    settings: tuple[SettingChange, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def counts(self) -> tuple[tuple[ChangeKind, int], ...]:
        """How many changes of each kind there are."""
        found = Counter(row.kind for row in self.rows)
        return tuple((kind, found[kind]) for kind in ChangeKind if found[kind])
