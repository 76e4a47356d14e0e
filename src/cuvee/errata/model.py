"""The types of errata: what a file of ``errata/`` states, and what locks say of it."""

import datetime as dt
import enum
from dataclasses import dataclass

from cuvee.conda.package_record import LockedPackage
from cuvee.lock.model import Lock
from cuvee.manifest.model import ReleaseVersion


class Urgency(enum.Enum):
    """How urgent an update is, in the words of https://www.first.org/cvss/v3.1/specification-document."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class FlawStatus(enum.Enum):
    """What an erratum means for a release on one platform."""

    AFFECTED = "affected"
    FIXED = "fixed"
    NOT_AFFECTED = "not affected"
    ABSENT = "not part of it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Who publishes errata: ``publisher.yaml``.

    Attributes
    ----------
    url
        Where what `cuvee errata --output` writes is published, without a slash at its end.
    contact
        How to reach them; may be empty.
    """

    name: str
    url: str
    contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """A package with a flaw: the versions that have it, and those that have its fix.

    Attributes
    ----------
    affected
        A version range.
    fixed
        A version range; empty while there is no fix. A build that is in both ranges is fixed.
    fixed_build
        A pattern that builds with the fix match, where the version did not change.
    """

    package: str
    affected: str
    fixed: str = ""
    fixed_build: str = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A change of an erratum after it was published."""

    date: dt.date
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Erratum:
    """One advisory.

    Attributes
    ----------
    number
        Its name, and that of its file.
    date
        When it was published.
    affected_releases, fixed_releases
        The releases that have the flaw, and those that have the fix.
    platforms
        The platforms that it is about; empty for all that have the packages.
    """

    number: str
    distribution: str
    title: str
    severity: Urgency
    date: dt.date
    summary: str
    flaws: tuple[Flaw, ...]
    affected_releases: tuple[ReleaseVersion, ...]
    fixed_releases: tuple[ReleaseVersion, ...] = ()
    cves: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    workaround: str = ""
    links: tuple[str, ...] = ()
    revisions: tuple[Revision, ...] = ()

    @property
    def updated(self) -> dt.date:
        """When it was last changed."""
        return self.revisions[-1].date if self.revisions else self.date

    @property
    def stated_releases(self) -> tuple[ReleaseVersion, ...]:
        """The releases that it names, the oldest first."""
        return tuple(sorted({*self.affected_releases, *self.fixed_releases}))

    def release_name(self, version: ReleaseVersion) -> str:
        """Return the name of a release that it is about."""
        return f"{self.distribution}-{version}"

    def fix_for(self, version: ReleaseVersion) -> ReleaseVersion | None:
        """Return the release whose fix ``version`` must have: of its series, or the newest before it.

        Without one of its series, all fixes must be older: a release may be made after the fix of an older
        series, and before that of its own.
        """
        before = [item for item in self.fixed_releases if item <= version]
        same = [item for item in before if (item.year, item.month) == (version.year, version.month)]
        return max(same or (before if len(before) == len(self.fixed_releases) else ()), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRelease:
    """A release that exists.

    Attributes
    ----------
    lock
        `None` if it is not at hand, or cannot be read.
    problem
        Why there is no lock.
    """

    distribution: str
    version: ReleaseVersion
    lock: Lock | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        """``starter-2026.11.0``."""
        return f"{self.distribution}-{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformStatus:
    """What the lock of one platform of a release says of an erratum.

    Attributes
    ----------
    affected, fixed
        The packages of the lock that have the flaw, and those that have the fix.
    """

    version: ReleaseVersion
    platform: str
    status: FlawStatus
    affected: tuple[LockedPackage, ...] = ()
    fixed: tuple[LockedPackage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ErratumFinding:
    """A statement of an erratum that does not hold, or that could not be checked.

    Attributes
    ----------
    keys
        Where it is stated: keys from the top of the file, and the value in a list last.
    unchecked
        Whether nothing is known, rather than something else.
    """

    number: str
    keys: tuple[str, ...]
    message: str
    advice: str = ""
    unchecked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedErratum:
    """An erratum, what all known locks say of it, and what does not hold.

    Attributes
    ----------
    statuses
        One for each platform of each release whose lock is at hand, the oldest release first.
    """

    erratum: Erratum
    statuses: tuple[PlatformStatus, ...]
    findings: tuple[ErratumFinding, ...] = ()

    def stated(self) -> tuple[PlatformStatus, ...]:
        """Return the statuses of releases that the erratum states."""
        return tuple(item for item in self.statuses if item.version in self.erratum.stated_releases)
