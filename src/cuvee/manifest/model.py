"""The evaluated manifest: immutable, complete, and able to say where each value came from."""

import datetime as dt
import enum
import fnmatch
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cuvee.approvals.approval_policy import ApprovalPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A position in a manifest: the file, and line and column counted from 1."""

    file: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Track(enum.Enum):
    """How much a release promises not to change."""

    EDGE = "edge"
    STABLE = "stable"
    LTS = "lts"


@dataclass(frozen=True, slots=True, order=True)
class ReleaseVersion:
    """``YEAR.MONTH.PATCH``; ordered."""

    year: int
    month: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the version ``2026.11.0``; raises `ValueError` for anything else."""
        match = re.fullmatch(r"(\d{4})\.(1[0-2]|[1-9])\.(0|[1-9]\d{0,3})", text, flags=re.ASCII)
        if match is None:
            raise ValueError(f"{text!r} is not YEAR.MONTH.PATCH, such as 2026.11.0")
        return cls(*map(int, match.groups()))

    def __str__(self) -> str:
        return f"{self.year}.{self.month}.{self.patch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """How long, and on which track, a release is supported."""

    track: Track
    until: dt.date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformEntry:
    """A platform of the release, by its conda subdir.

    ``floor`` is the oldest system that the release supports, such as ``{"glibc": "2.28"}``, defaults filled
    in; ``absent`` why the release leaves the platform out on purpose, or `None`.
    """

    name: str
    floor: Mapping[str, str]
    absent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deprecation:
    """That a package will leave the set.

    ``instead`` is what users should use then, ``removed_in`` the first release that will not have it.
    """

    reason: str
    instead: str | None = None
    removed_in: ReleaseVersion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A package of the blessed set, or a constraint on one.

    Attributes
    ----------
    version, build
        Conda specs.
    owner
        A key of `Manifest.owners`, or `None`.
    groups
        Free labels that select parts of the set.
    platforms
        The platforms that it belongs to: those that the manifest names for it, else all present ones.
    deprecated
        Why and when it will leave the set; `None` if it will not.
    reason
        Why cuvee adds it; empty for what a manifest requests.
    match
        The whole match spec, where it says more than these three; a manifest has none.
    position
        Where the version was last stated.
    """

    name: str
    version: str = "*"
    build: str | None = None
    owner: str | None = None
    groups: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    deprecated: Deprecation | None = None
    reason: str = ""
    match: str = ""
    position: Position

    @property
    def spec(self) -> str:
        """The match spec: ``numpy >=2.4,<2.5``."""
        return self.match or " ".join(part for part in (self.name, self.version, self.build) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelRequirement:
    """A project that is imported from the Python index when no channel carries it."""

    name: str
    extras: tuple[str, ...] = ()
    position: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchedPackage:
    """A package that the release carries with patches of its own.

    Attributes
    ----------
    recipe, wheel
        What is patched: a recipe, or the wheel with this file name. One of them is empty.
    sha256
        The wheel's; empty for a recipe.
    patches, tests
        Paths in the manifest's folder.
    fixes
        CVE numbers, and web addresses of issues.
    upstream_fixed_in
        The first version of upstream with the fix; empty while it is not known.
    until
        The last day on which the patches are accepted.
    revision
        From 1: how often the patches of this version have changed.
    position
        Where it is stated.
    """

    name: str
    recipe: str = ""
    wheel: str = ""
    sha256: str = ""
    patches: tuple[str, ...]
    fixes: tuple[str, ...]
    why: str
    author: str
    upstream_fixed_in: str = ""
    until: dt.date
    revision: int = 1
    tests: tuple[str, ...] = ()
    position: Position

    @property
    def sentence(self) -> str:
        """That it is patched, and what that fixes."""
        return f"patched: fixes {', '.join(self.fixes)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LicensePolicy:
    """SPDX identifiers that packages may, or must not, be under. An empty ``allow`` allows all."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AgePolicy:
    """How old, in days, packages from channels must be and may be; `None` sets no bound."""

    at_least: int | None = None
    at_most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InclusionPolicy:
    """What a package must meet to come into the set.

    ``binding`` are the items of `cuvee inclusion` that must not fail; ``most_packages`` and
    ``most_megabytes`` what it may add to the closure of a platform, where `None` sets no bound.
    """

    binding: tuple[str, ...] = ("solves", "clobbers", "licenses", "name", "errata")
    most_packages: int | None = None
    most_megabytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What packages and changes the release accepts.

    ``patch`` lists the kinds of change that a patch release may make; ``platforms`` the suites that must be
    run, by platform, where `None` leaves that to the support track; ``checks`` the worst verdict that
    findings of a check get, by the check's identifier, where it is not the check's own. ``approvals`` says
    who must approve the release, and ``approvals_of_base`` the same of its base where that differs: who may
    change the list.
    """

    licenses: LicensePolicy = field(default_factory=LicensePolicy)
    patch: tuple[str, ...] = ("upgrade", "rebuild")
    age: AgePolicy = field(default_factory=AgePolicy)
    inclusion: InclusionPolicy = field(default_factory=InclusionPolicy)
    platforms: Mapping[str, tuple[str, ...]] | None = None
    checks: Mapping[str, str] = field(default_factory=dict)
    approvals: ApprovalPolicy | None = None
    approvals_of_base: ApprovalPolicy | None = None

    @property
    def approval_policies(self) -> tuple[ApprovalPolicy, ...]:
        """The policies whose quorum the release needs: its own, and its base's if the list was changed."""
        return tuple(filter(None, (self.approvals, self.approvals_of_base)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Installers:
    """Which installer formats to make per system, the folder with their branding, and what makes them.

    ``engine`` is ``cuvee``, or ``constructor`` for the program of that name. ``deltas`` is ``base`` if there
    are to be upgrades of the base release, or ``none``.
    """

    formats: Mapping[str, tuple[str, ...]]
    branding: Path | None = None
    engine: str = "cuvee"
    deltas: str = "none"

    def __bool__(self) -> bool:
        """Whether any installer is to be made."""
        return any(self.formats.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who acts on findings about the packages they own.

    ``accepts`` has the packages whose owner they have agreed to be, each with the day on which they did.
    """

    name: str
    contact: str
    organisation: str | None = None
    people: tuple[str, ...] = ()
    accepts: Mapping[str, dt.date] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A recorded, scoped, expiring decision to accept a finding.

    ``check`` is a check's identifier, or ``suite/test``, which may be a pattern; ``package`` and ``platform``
    narrow it; `None` means any.
    """

    check: str
    package: str | None = None
    platform: str | None = None
    reason: str
    author: str
    expires: dt.date
    link: str | None = None
    position: Position

    def covers(self, name: str, *, packages: Collection[str], platforms: Collection[str]) -> bool:
        """Return whether this accepts what a check found, or that the test ``name``, ``suite/test``, failed.

        ``packages`` and ``platforms`` are all that are concerned: a waiver for one platform does not cover
        what is also on another, or on none in particular.
        """
        is_named = self.check == name or ("/" in name and fnmatch.fnmatchcase(name, self.check))
        is_of_package = self.package is None or self.package in packages
        is_on_platform = self.platform is None or set(platforms) == {self.platform}
        return is_named and is_of_package and is_on_platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A release's intent, inheritance resolved, every value checked.

    Attributes
    ----------
    channels
        As stated, the first wins: names, URLs, or absolute folders.
    channel_url
        Where the release's own channel will be published, or "".
    packages, constraints
        Sorted by name.
    interpreter
        ``"host"`` when `python` is to be made from what this machine has; `None` when a channel has it.
    exclude_newer
        Solve as of this instant, UTC.
    recipes
        Folders below ``recipes/``.
    patched
        Sorted by name.
    sources
        For each value's dotted path (``packages.numpy.version``), where it was stated.
    """

    path: Path
    distribution: str
    version: ReleaseVersion
    title: str
    base: "Manifest | None" = None
    support: Support | None = None
    platforms: tuple[PlatformEntry, ...]
    channels: tuple[str, ...] = ()
    channel_url: str = ""
    packages: tuple[Requirement, ...]
    constraints: tuple[Requirement, ...] = ()
    wheels: tuple[WheelRequirement, ...] = ()
    interpreter: str | None = None
    recipes: tuple[str, ...] = ()
    patched: tuple[PatchedPackage, ...] = ()
    exclude_newer: dt.datetime | None = None
    policy: Policy = field(default_factory=Policy)
    suites: tuple[str, ...] = ()
    installers: Installers
    owners: tuple[Owner, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    sources: Mapping[str, Position] = field(default_factory=dict, repr=False)

    @property
    def release_name(self) -> str:
        """``starter-2026.11.0``."""
        return f"{self.distribution}-{self.version}"

    @property
    def present_platforms(self) -> tuple[PlatformEntry, ...]:
        """The platforms that the release is for."""
        return tuple(platform for platform in self.platforms if platform.absent is None)

    def requirements(self, platform: str, additions: Iterable[Requirement] = ()) -> tuple[Requirement, ...]:
        """Return what is requested on one platform, and ``additions`` of cuvee's own, sorted by name."""
        found = (item for item in (*self.packages, *additions) if platform in item.platforms)
        return tuple(sorted(found, key=lambda item: item.name))
