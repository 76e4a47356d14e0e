"""The result of a channel check."""

import enum
from dataclasses import dataclass

from cuvee.conda.package_record import Record, RecordProblem


class CauseKind(enum.Enum):
    """Why records cannot be installed."""

    MISSING = "missing"
    SYSTEM = "system"
    CONFLICT = "conflict"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One root cause, and how many records it affects.

    Attributes
    ----------
    specs
        Match specs: the one that nothing meets, or those that cannot hold together.
    direct
        How many of the checked records state the specs themselves.
    victims
        How many of them cannot be installed because of it, including the direct ones.
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
    """A record that cannot be installed, with a minimal reason.

    Attributes
    ----------
    reason
        Entries of its ``depends`` and ``constrains`` that cannot hold together: without any one of them, the
        others can. A single entry if nothing that meets it can be installed: the chain says why.
    chain
        The steps to the root cause: ``a-1-0 needs b >2``, and so on.
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
    """The result for one platform.

    Attributes
    ----------
    checked, newest
        How many records were checked, and how many of these are the newest of their name.
    not_installable
        Sorted by name, the best first.
    causes
        Those with the most victims first.
    problems
        What could not be read; these records are not checked.
    twins
        How many ``.tar.bz2`` were ignored because there is a ``.conda`` of the same record.
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
        """How many of the newest cannot be installed."""
        return sum(item.newest for item in self.not_installable)
