"""Solving: from requirements and channels to the closure on each platform, or why there is none."""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import unquote

from cuvee.channel.connection import Connection, channel_errors, query
from cuvee.channel.present_records import kept_records
from cuvee.conda.event_loop import run
from cuvee.conda.match_spec import read_version
from cuvee.conda.package_record import OWN_CHANNEL, LockedPackage
from cuvee.conda.rattler_records import from_rattler, generic_virtual_package
from cuvee.conda.url_secrets import without_secrets
from cuvee.conda.url_trust import check_archive_url
from cuvee.conda.virtual_packages import virtual_packages
from cuvee.errors import BlockedError, IntegrityError
from cuvee.lock.endless_answers import EndlessAnswerError, answer_of
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.model import Manifest, PlatformEntry, Requirement

if TYPE_CHECKING:
    from rattler import RepoDataRecord

_NEAREST = 5


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
        The lock of the base release: its versions stay unless a requirement excludes them, or the channels
        have corrected or withdrawn their records since.
    own_channel
        The folder with the packages made for this release, or `None`.
    own_first
        Whether that channel comes before the others: with recipes and patched packages, since what they make
        is there instead of what other channels have. Otherwise it comes last.
    made
        Names of packages that are made for this release, as far as that is known: the base's versions of
        them are not kept.
    built
        What recipes have made for each platform, as exact specs: a noarch wheel of the same name, which other
        platforms have, is not taken there.
    """

    platforms: tuple[PlatformEntry, ...]
    requirements: tuple[Requirement, ...]
    constraints: tuple[Requirement, ...] = ()
    channels: tuple[str, ...] = ()
    own_channel: Path | None = None
    exclude_newer: dt.datetime | None = None
    keep: Lock | None = None
    own_first: bool = False
    made: frozenset[str] = frozenset()
    built: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[str, ...]:
        """All channels in the order of their priority."""
        own = () if self.own_channel is None else (str(self.own_channel),)
        return (*own, *self.channels) if self.own_first else (*self.channels, *own)

    def requirements_on(self, platform: str) -> list[Requirement]:
        """Return the requested packages of one platform."""
        return [package for package in self.requirements if platform in package.platforms]


def problem_of(
    manifest: Manifest,
    *,
    platforms: Sequence[str],
    own_channel: Path | None,
    additions: Sequence[Requirement] = (),
    keep: Lock | None = None,
    built: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> Problem:
    """Return the problem that a manifest states, for those of its platforms that can be made.

    ``built`` has what its recipes have made: by subdir, the exact spec of each name.
    """
    return Problem(
        platforms=tuple(entry for entry in manifest.present_platforms if entry.name in platforms),
        requirements=tuple(sorted((*manifest.packages, *additions), key=lambda item: item.name)),
        constraints=manifest.constraints,
        channels=manifest.channels,
        own_channel=own_channel,
        # The resolver of wheels has applied it already; our own packages have the time of their making.
        exclude_newer=manifest.exclude_newer if manifest.channels else None,
        keep=keep,
        own_first=bool(manifest.patched or manifest.recipes),
        made=frozenset([*chain(*built.values()), *(item.name for item in manifest.patched)]),
        built={subdir: tuple(specs.values()) for subdir, specs in built.items()},
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
    answer = try_solve(problem, connection)
    if isinstance(answer, Lock):
        return answer
    error = explain(problem, answer, connection) if explain is not None else None
    raise error or _unexplained(problem, *next(iter(answer.items())), connection)


def try_solve(problem: Problem, connection: Connection) -> Lock | Mapping[str, str]:
    """Return the lock; or, by platform, the solver's explanations if some have no solution."""
    import asyncio

    async def solve_all() -> list[PlatformLock | str]:
        return await asyncio.gather(*(_solve_one(problem, entry, connection) for entry in problem.platforms))

    answers = run(solve_all())
    refused = {
        entry.name: answer
        for entry, answer in zip(problem.platforms, answers, strict=True)
        if isinstance(answer, str)
    }
    return refused or Lock(platforms=tuple(item for item in answers if isinstance(item, PlatformLock)))


async def _solve_one(problem: Problem, entry: PlatformEntry, connection: Connection) -> PlatformLock | str:
    from rattler import ChannelPriority, MatchSpec, Subdir
    from rattler import solve as rattler_solve
    from rattler.exceptions import SolverError

    virtual = virtual_packages(entry.name, entry.floor)
    requirements = problem.requirements_on(entry.name)
    with channel_errors(*problem.sources):
        try:
            solving = rattler_solve(
                sources=await connection.repodata(problem.sources, entry.name),
                specs=[MatchSpec(package.spec) for package in requirements],
                constraints=[
                    MatchSpec(spec)
                    for spec in (
                        *(package.spec for package in problem.constraints),
                        *problem.built.get(entry.name, ()),
                    )
                ],
                platforms=[Subdir(entry.name), Subdir("noarch")],
                gateway=connection.gateway,
                locked_packages=await kept_records(
                    _kept(problem, entry.name), entry.name, problem.channels, connection
                ),
                virtual_packages=[generic_virtual_package(item) for item in virtual],
                channel_priority=ChannelPriority.Strict,
                exclude_newer=problem.exclude_newer,
            )
            records = await answer_of(solving)
        except (SolverError, EndlessAnswerError) as error:
            return str(error)
    packages = sorted(
        (locked_record(record, entry.name, problem.own_channel) for record in records),
        key=lambda package: package.name,
    )
    return PlatformLock(platform=entry.name, packages=tuple(packages), virtual_packages=virtual)


def _kept(problem: Problem, platform: str) -> list[LockedPackage]:
    """Return the base's packages of real channels; the resolver of wheels keeps the imported ones."""
    lock = problem.keep.by_platform.get(platform) if problem.keep is not None else None
    packages = lock.packages if lock is not None else ()
    return [item for item in packages if not item.is_local and item.name not in problem.made]


def locked_record(record: "RepoDataRecord", platform: str, own_channel: Path | None) -> LockedPackage:
    """Return what a lock of `platform` has of one of rattler's records; for errors see `solve`."""
    url, source = str(record.url), str(record.channel or "").rstrip("/")
    if not record.sha256:
        raise IntegrityError(
            f"{without_secrets(url)} has no SHA-256 in its channel's repodata",
            hint="Only what can be verified is released. Tell the channel's owner, or take another build.",
        )
    check_archive_url(url, source)
    own = None if own_channel is None else own_channel.as_uri() + "/"
    if own is not None and url.startswith(own):
        url, source = f"{OWN_CHANNEL}/{unquote(url.removeprefix(own))}", OWN_CHANNEL
    return from_rattler(record, url=url, channel=source).locked_for(platform)


def _unexplained(problem: Problem, platform: str, explanation: str, connection: Connection) -> BlockedError:
    """Return the error for a platform that has no solution.

    It names the requirements that no record meets, with the nearest versions that exist. Without any, it
    names each line of the manifest about a package of the solver's explanation.
    """
    lines = [f"{platform} has no solution"]
    requirements = problem.requirements_on(platform)
    unmet = [_unmet(package, platform, problem.sources, connection) for package in requirements]
    if any(unmet):
        lines += filter(None, unmet)
    else:
        mentioned = set(re.findall(r"[a-z0-9_][a-z0-9._-]*", explanation.lower()))
        named = [package for package in (*requirements, *problem.constraints) if package.name in mentioned]
        lines += ["The manifest asks for:", *(f"  {item.spec}    {item.position}" for item in named)]
    lines += ["The solver says:", *(f"  {line}" for line in explanation.strip().splitlines())]
    return BlockedError(
        "\n".join(lines),
        hint="Relax or change one of the lines above, or add a channel that has what they ask for.",
        platforms=(platform,),
    )


def _unmet(package: Requirement, platform: str, sources: Sequence[str], connection: Connection) -> str:
    """Return that no channel has a record that a requirement takes; empty if one has."""
    from rattler import MatchSpec

    spec = MatchSpec(package.spec)
    records = run(query(sources, platform, [package.name], connection))
    if any(spec.matches(record) for record in records):
        return ""
    versions = [str(version) for version in sorted({record.version for record in records}, reverse=True)]
    near = ", ".join(nearest(package.version, versions))
    has = f"nearest: {near}" if versions else "there is no such package"
    return f"  {package.position}: no channel has {package.spec}; {has}"


def nearest(spec: str, versions: Sequence[str]) -> list[str]:
    """Return a few of ``versions``, newest first, around the number that ``spec`` names."""
    match = re.search(r"\d[\w.]*", spec)
    target = read_version(match.group().rstrip(".")) if match else None
    if target is None or len(versions) <= _NEAREST:
        return list(versions[:_NEAREST])
    known = [(text, value) for text in versions if (value := read_version(text)) is not None]
    above = [text for text, value in known if value >= target][-2:]
    below = [text for text, value in known if value < target]
    return [*above, *below[: _NEAREST - len(above)]]
