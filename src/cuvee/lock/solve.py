"""Solving: from requirements and channels to the closure on each platform."""

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.channel.connection import Connection, channel_errors, rattler_channel
from cuvee.conda.event_loop import run
from cuvee.conda.package_record import OWN_CHANNEL, LockedPackage
from cuvee.conda.rattler_records import from_rattler, generic_virtual_package, repodata_record
from cuvee.conda.url_secrets import without_secrets
from cuvee.conda.virtual_packages import virtual_packages
from cuvee.errors import BlockedError, IntegrityError
from cuvee.lock.model import Lock, PlatformLock
from cuvee.lock.no_solution import unsolvable
from cuvee.manifest.model import Manifest, PlatformEntry, Requirement

if TYPE_CHECKING:
    from rattler import RepoDataRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """All that a solve depends on, except the channels' repodata.

    Attributes
    ----------
    platforms
        Those to solve, with their floors.
    requirements
        The requested packages; each names its platforms.
    constraints
        Specs of packages that need not be installed, but must meet them if they are.
    channels
        As in the manifest. The first has priority, and each name is taken from one channel only.
    keep
        The lock of the base release: its versions stay unless a requirement excludes them.
    own_channel
        The folder with the packages made for this release, or `None`; it comes last.
    """

    platforms: tuple[PlatformEntry, ...]
    requirements: tuple[Requirement, ...]
    constraints: tuple[Requirement, ...] = ()
    channels: tuple[str, ...] = ()
    own_channel: Path | None = None
    exclude_newer: dt.datetime | None = None
    keep: Lock | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """All channels in the order of their priority."""
        own = () if self.own_channel is None else (str(self.own_channel),)
        return (*self.channels, *own)


def problem_of(
    manifest: Manifest,
    *,
    platforms: Sequence[str],
    own_channel: Path | None,
    additions: Sequence[Requirement] = (),
    keep: Lock | None = None,
) -> Problem:
    """Return the problem that a manifest states, for those of its platforms that can be made."""
    return Problem(
        platforms=tuple(entry for entry in manifest.present_platforms if entry.name in platforms),
        requirements=tuple(sorted((*manifest.packages, *additions), key=lambda item: item.name)),
        constraints=manifest.constraints,
        channels=manifest.channels,
        own_channel=own_channel,
        # The resolver of wheels has applied it already; our own packages have the time of their making.
        exclude_newer=manifest.exclude_newer if manifest.channels else None,
        keep=keep,
    )


Explainer = Callable[[Problem, Mapping[str, str], Connection], BlockedError | None]
"""Returns the error for a problem without a solution, from the solver's explanations by platform."""


def solve(problem: Problem, connection: Connection, *, explain: Explainer | None = None) -> Lock:
    """Solve every platform.

    Parameters
    ----------
    explain
        Makes the error if a platform has no solution. Without it, or if it returns `None`, the error has the
        solver's own explanation.

    Raises
    ------
    BlockedError
        If a platform has no solution; the message has the solver's explanation and the manifest's lines.
    SourceUnreachableError
        If a channel cannot be read.
    """
    answers = run(_solve_all(problem, connection))
    refused = {platform: answer for platform, answer in answers.items() if isinstance(answer, str)}
    if refused:
        error = explain(problem, refused, connection) if explain is not None else None
        raise error or run(_unexplained(problem, refused, connection))
    return Lock(platforms=tuple(answer for answer in answers.values() if isinstance(answer, PlatformLock)))


async def _solve_all(problem: Problem, connection: Connection) -> dict[str, PlatformLock | str]:
    """Return each platform's lock, or the solver's explanation if it has none."""
    answers = await asyncio.gather(*(_solve_one(problem, entry, connection) for entry in problem.platforms))
    return {entry.name: answer for entry, answer in zip(problem.platforms, answers, strict=True)}


async def _unexplained(problem: Problem, refused: Mapping[str, str], connection: Connection) -> BlockedError:
    platform, explanation = next(iter(refused.items()))
    return await unsolvable(
        explanation,
        platform=platform,
        requirements=[package for package in problem.requirements if platform in package.platforms],
        constraints=problem.constraints,
        sources=problem.sources,
        connection=connection,
    )


async def _solve_one(problem: Problem, entry: PlatformEntry, connection: Connection) -> PlatformLock | str:
    from rattler import ChannelPriority, MatchSpec, Subdir
    from rattler import solve as rattler_solve
    from rattler.exceptions import SolverError

    virtual = virtual_packages(entry.name, entry.floor)
    requirements = [package for package in problem.requirements if entry.name in package.platforms]
    with channel_errors(*problem.sources):
        try:
            records = await rattler_solve(
                sources=[rattler_channel(source) for source in problem.sources],
                specs=[MatchSpec(package.spec) for package in requirements],
                constraints=[MatchSpec(package.spec) for package in problem.constraints],
                platforms=[Subdir(entry.name), Subdir("noarch")],
                gateway=connection.gateway,
                locked_packages=_kept(problem, entry.name),
                virtual_packages=[generic_virtual_package(item) for item in virtual],
                channel_priority=ChannelPriority.Strict,
                exclude_newer=problem.exclude_newer,
            )
        except SolverError as error:
            return str(error)
    packages = sorted(
        (_locked(record, entry.name, problem.own_channel) for record in records),
        key=lambda package: package.name,
    )
    return PlatformLock(platform=entry.name, packages=tuple(packages), virtual_packages=virtual)


def _kept(problem: Problem, platform: str) -> "list[RepoDataRecord]":
    """Return the base's records of real channels; the resolver of wheels keeps those of imported packages."""
    lock = problem.keep.by_platform.get(platform) if problem.keep is not None else None
    packages = lock.packages if lock is not None else ()
    return [
        repodata_record(package, url=package.url, channel=package.channel)
        for package in packages
        if not package.is_local
    ]


def _locked(record: "RepoDataRecord", platform: str, own_channel: Path | None) -> LockedPackage:
    url, source = str(record.url), str(record.channel or "").rstrip("/")
    if not record.sha256:
        raise IntegrityError(
            f"{without_secrets(url)} has no SHA-256 in its channel's repodata",
            hint="Only what can be verified is released. Tell the channel's owner, or take another build.",
        )
    own = None if own_channel is None else own_channel.as_uri() + "/"
    if own is not None and url.startswith(own):
        url, source = f"{OWN_CHANNEL}/{url.removeprefix(own)}", OWN_CHANNEL
    return from_rattler(record, url=url, channel=source).locked_for(platform)
