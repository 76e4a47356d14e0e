"""The types of a submission check: what is known of a package that is to come in, and its checklist."""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from cuvee.conda.package_record import LockedPackage
from cuvee.graph.diff import Change
from cuvee.graph.findings import Finding
from cuvee.lock.model import Lock
from cuvee.manifest.model import Manifest


class ItemState(enum.Enum):
    """What is known of an item of the checklist."""

    PASS = "pass"  # noqa: S105 - a state
    FAIL = "fail"
    PERSON = "needs a person"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistItem:
    """One item.

    Attributes
    ----------
    title
        What is true of a package that passes.
    binds
        Whether the package cannot come in while the item fails.
    summary
        One sentence that says why it has its state.
    evidence
        Lines that prove it.
    action
        What to do next; empty if nothing is to be done.
    """

    identifier: str
    title: str
    state: ItemState
    binds: bool = False
    summary: str
    evidence: tuple[str, ...] = ()
    action: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamRelease:
    """A version of a project, and when it was published, or its first build was made; `None` if unknown."""

    version: str
    published: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamReleases:
    """The releases of a project, as a channel or the Python index has them.

    ``problem`` is why they are not known; empty if they are.
    """

    source: str
    releases: tuple[UpstreamRelease, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageClaims:
    """What an archive says of itself.

    Attributes
    ----------
    license_files
        The names of the licence texts in it.
    links
        The addresses of the project.
    maintainers
        The people who maintain its recipe; the format of wheels has no such thing.
    recipe
        The file that it was built from, or "".
    tests, unsupported_tests
        The names of the tests that it carries, and of those that nothing here can run.
    wheel
        The wheel that it was converted from, or "".
    """

    summary: str = ""
    license_files: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    maintainers: tuple[str, ...] = ()
    recipe: str = ""
    tests: tuple[str, ...] = ()
    unsupported_tests: tuple[str, ...] = ()
    wheel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformAddition:
    """What the package adds to the closure of one platform: itself, and what it needs besides the set."""

    platform: str
    packages: tuple[LockedPackage, ...]

    @property
    def size(self) -> int:
        """Bytes of the archives whose size is known."""
        return sum(package.size for package in self.packages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A package that is to come into a set, and all that the checklist is made from.

    Attributes
    ----------
    manifest
        That of the set without the package.
    wanted
        The package as it was requested: name, and a version range.
    from_index
        Whether the Python index has it, and no channel.
    platforms
        The platforms that it is to come in on.
    owner
        Who was named as its owner, or `None`.
    unsolved
        Why there is no solution with it, by platform.
    before, after
        The locks without and with it, on the platforms that have a solution.
    additions
        By platform, what it adds.
    changes
        What else differs.
    shared_files
        Findings about files that an added package and another one install.
    not_opened
        The packages of the set with it whose contents are not known, by platform.
    claims
        What archives of added packages say of themselves, by identifier.
    errata
        Sentences about errata of the versions that come in.
    """

    manifest: Manifest
    name: str
    wanted: str
    from_index: bool = False
    platforms: tuple[str, ...]
    owner: str | None = None
    unsolved: Mapping[str, str] = field(default_factory=dict)
    before: Lock
    after: Lock
    additions: tuple[PlatformAddition, ...] = ()
    changes: tuple[Change, ...] = ()
    shared_files: tuple[Finding, ...] = ()
    not_opened: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    claims: Mapping[str, PackageClaims] = field(default_factory=dict)
    upstream: UpstreamReleases
    errata: tuple[str, ...] = ()
    today: dt.datetime

    @property
    def packages(self) -> tuple[LockedPackage, ...]:
        """The package itself on the platforms that have a solution."""
        found = (lock.by_name.get(self.name) for lock in self.after.platforms)
        return tuple(package for package in found if package is not None)

    @property
    def added(self) -> tuple[LockedPackage, ...]:
        """All packages that come in, platform by platform."""
        return tuple(package for addition in self.additions for package in addition.packages)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checklist:
    """The answer: each item with its state."""

    distribution: str
    release: str
    title: str
    name: str
    wanted: str
    versions: Mapping[str, str]
    source: str
    items: tuple[ChecklistItem, ...]
    additions: tuple[PlatformAddition, ...]
    today: dt.date

    @property
    def refused(self) -> tuple[ChecklistItem, ...]:
        """The items that fail and bind."""
        return tuple(item for item in self.items if item.binds and item.state is ItemState.FAIL)

    @property
    def for_people(self) -> tuple[ChecklistItem, ...]:
        """The items that a person must judge: those of their own, and those that fail and do not bind."""
        return tuple(
            item
            for item in self.items
            if item.state is ItemState.PERSON or (item.state is ItemState.FAIL and not item.binds)
        )

    @property
    def headline(self) -> str:
        """One sentence with the answer."""
        if self.refused:
            names = ", ".join(item.identifier for item in self.refused)
            return f"{self.name} cannot come in: {names}"
        if self.for_people:
            count = len(self.for_people)
            return f"{self.name} can come in once people have judged {count} item{'s' if count > 1 else ''}"
        return f"{self.name} can come in"
