"""What the channel check gives."""

import enum
from dataclasses import dataclass

from cuvee.conda.package_record import Record, RecordProblem


class CauseKind(enum.Enum):
    """What keeps records from being installed."""

    MISSING = "missing"
    SYSTEM = "system"
    CONFLICT = "conflict"
    UNREADABLE = "unreadable"

    @property
    def meaning(self) -> str:
        """One sentence for people."""
        return _MEANING[self]


_MEANING = {
    CauseKind.MISSING: "The channel has no record that meets the spec.",
    CauseKind.SYSTEM: "The system that was asked about does not offer it.",
    CauseKind.CONFLICT: "Each spec can be met, but not all of them at once.",
    CauseKind.UNREADABLE: "The spec can not be read, so no solver installs the record.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One root cause, and how many suffer from it.

    Attributes
    ----------
    specs
        Match specs: the one that nothing meets, or those that can not hold together.
    sentence
        The cause in words.
    direct
        How many of the records looked at state the specs themselves.
    victims
        How many of them can not be installed because of it, the direct ones among them.
    names
        The packages that these are records of, those with the most first; at most ten.
    """

    kind: CauseKind
    specs: tuple[str, ...]
    sentence: str
    direct: int
    victims: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotInstallable:
    """A record that can not be installed, and the least reason.

    Attributes
    ----------
    reason
        Entries of its ``depends`` and ``constrains`` that can not hold together: with any one less, they can.
        One entry, where nothing that meets it can be installed: the chain goes on to why.
    chain
        The way to the root cause: ``a-1-0 needs b >2``, and so on.
    cause
        Index of its root cause among the platform's `PlatformResult.causes`.
    newest
        Whether the channel has no higher version or build number of it on this platform.
    """

    record: Record
    reason: tuple[str, ...]
    chain: tuple[str, ...]
    cause: int
    newest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformResult:
    """The answer for one platform.

    Attributes
    ----------
    checked, newest
        How many records were looked at, and how many of these are the newest of their name.
    not_installable
        Sorted by name, the best first.
    causes
        Those with the most victims first.
    problems
        What could not be read; these records are not among the checked.
    twins
        How many ``.tar.bz2`` were left out for their ``.conda``.
    """

    platform: str
    checked: int
    newest: int
    not_installable: tuple[NotInstallable, ...]
    causes: tuple[Cause, ...]
    problems: tuple[RecordProblem, ...] = ()
    twins: int = 0

    @property
    def installable(self) -> int:
        """How many records can be installed."""
        return self.checked - len(self.not_installable)

    @property
    def newest_not_installable(self) -> int:
        """How many of the newest can not be installed."""
        return sum(item.newest for item in self.not_installable)
