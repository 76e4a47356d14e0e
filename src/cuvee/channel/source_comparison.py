"""What the sources of locked packages say of them today: the same, or that they were changed or withdrawn."""

import enum
from dataclasses import dataclass

from cuvee.conda.package_record import LockedPackage, Record


class SourceChange(enum.Enum):
    """How a source describes a package otherwise than the lock does.

    Attributes
    ----------
    CORRECTED
        The archive is the same, and its record has other dependencies, constraints or another licence.
    REPLACED
        The source has another archive under the same file name.
    REVOKED
        The channel has made it impossible to install.
    WITHDRAWN
        The source no longer has it.
    YANKED
        The index says that it is not to be chosen: https://peps.python.org/pep-0592/
    """

    CORRECTED = "corrected"
    REPLACED = "replaced"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    YANKED = "yanked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedPackage:
    """A locked package that its source describes otherwise today.

    Attributes
    ----------
    present
        The channel's present record; `None` if it has none.
    evidence
        What the source says, where the present record does not show it.
    """

    package: LockedPackage
    change: SourceChange
    present: Record | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotCompared:
    """Packages that could not be compared with their source, and why.

    Attributes
    ----------
    source
        A channel without secrets, or "the Python index".
    packages
        Identifiers.
    """

    source: str
    reason: str
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceComparison:
    """The locked packages that differ from what their sources say today, and those that were not compared.

    ``base`` are packages that only the lock of the base has, and that their channels have withdrawn since.
    """

    changed: tuple[ChangedPackage, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()
    base: tuple[ChangedPackage, ...] = ()
