"""Solving the environments of builds: a few specs, at the versions that the release has."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cuvee.channel.connection import Connection, channel_errors
from cuvee.conda.event_loop import run
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.rattler_records import generic_virtual_package
from cuvee.conda.virtual_packages import virtual_packages
from cuvee.lock.solve import locked_record
from cuvee.manifest.model import PlatformEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentProblem:
    """What an environment of a build depends on, except the channels' repodata.

    Attributes
    ----------
    specs
        Match specs of what is wanted.
    constraints
        Match specs that what comes with it must meet: the release's own versions.
    channels
        All channels in the order of their priority: names, URLs or absolute folders.
    own_channel
        Which of them is the release's own.
    """

    platform: PlatformEntry
    specs: tuple[str, ...]
    constraints: tuple[str, ...]
    channels: tuple[str, ...]
    own_channel: Path
    exclude_newer: dt.datetime | None = None


def solve_environment(problem: EnvironmentProblem, connection: Connection) -> tuple[LockedPackage, ...] | str:
    """Return the packages of an environment, sorted by name; or the solver's explanation if there is none."""
    return run(_solve(problem, connection))


async def _solve(problem: EnvironmentProblem, connection: Connection) -> tuple[LockedPackage, ...] | str:
    from rattler import ChannelPriority, MatchSpec, Subdir
    from rattler import solve as rattler_solve
    from rattler.exceptions import InvalidMatchSpecError, SolverError

    name = problem.platform.name
    with channel_errors(*problem.channels):
        try:
            records = await rattler_solve(
                sources=await connection.repodata(problem.channels, name),
                specs=[MatchSpec(spec) for spec in problem.specs],
                constraints=[MatchSpec(spec) for spec in problem.constraints],
                platforms=[Subdir(name), Subdir("noarch")],
                gateway=connection.gateway,
                virtual_packages=[
                    generic_virtual_package(item) for item in virtual_packages(name, problem.platform.floor)
                ],
                channel_priority=ChannelPriority.Strict,
                exclude_newer=problem.exclude_newer,
            )
        except (SolverError, InvalidMatchSpecError) as error:
            return str(error)
    found = [locked_record(record, name, problem.own_channel) for record in records]
    return tuple(sorted(found, key=lambda package: package.name))


def exact(packages: Sequence[LockedPackage]) -> tuple[str, ...]:
    """Return a match spec of each package that only it meets."""
    return tuple(f"{package.name} =={package.version} {package.build}" for package in packages)
