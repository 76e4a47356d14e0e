"""What meets the match specs that a release does not meet: solved with all its packages, and fetched.

A set that was solved here can be linked elsewhere: in another process, or on a worker of a cluster.
"""

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cuvee.channel.connection import Connection
from cuvee.conda.match_spec import read_spec
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.rattler_records import matchable
from cuvee.errors import CuveeError
from cuvee.lock.model import Lock, PlatformLock
from cuvee.lock.solve import Problem, try_solve
from cuvee.manifest.model import PlatformEntry, Position, Requirement

_LONGEST = 200


class ToolsMissingError(CuveeError):
    """What a test needs besides the release cannot be had; the message is the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSet:
    """What meets some match specs: the archive of each package; or why they cannot be met."""

    archives: tuple[tuple[LockedPackage, Path], ...] = ()
    refusal: str = ""


class SetSource(Protocol):
    """Where sets come from."""

    def solved(self, wanted: tuple[str, ...], lock: PlatformLock) -> ToolSet:
        """Return what meets match specs, which the release of ``lock`` does not."""

    def stop(self) -> None:
        """End what is fetched: the run is interrupted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSets:
    """Sets that were solved before: elsewhere, or none at all."""

    sets: Mapping[tuple[str, ...], ToolSet]

    def solved(self, wanted: tuple[str, ...], lock: PlatformLock) -> ToolSet:
        """Return a set that is known."""
        return self.sets.get(wanted) or refused(wanted, "there are no channels to take it from")

    def stop(self) -> None:
        """Do nothing: nothing is fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSources:
    """The channels of the release.

    Attributes
    ----------
    channels, own_channel, exclude_newer
        As for the release itself.
    fetch
        Returns the verified archive of each package by its identifier, or raises `CuveeError`.
    """

    platform: PlatformEntry
    channels: tuple[str, ...]
    own_channel: Path | None
    exclude_newer: dt.datetime | None
    connection: Connection
    fetch: Callable[[Sequence[LockedPackage]], Mapping[str, Path]]

    def solved(self, wanted: tuple[str, ...], lock: PlatformLock) -> ToolSet:
        """Return the archives of all that the specs need, but for the release's own Python packages."""
        try:
            packages = [item for item in self._closure(wanted, lock) if not _rides_in(item, lock)]
            archives = self.fetch(packages)
        except CuveeError as error:
            return refused(wanted, error.message)
        return ToolSet(archives=tuple((item, archives[item.identifier]) for item in packages))

    def stop(self) -> None:
        """End what is fetched."""
        self.connection.transfer.stop()

    def _closure(self, wanted: tuple[str, ...], lock: PlatformLock) -> Sequence[LockedPackage]:
        for text in wanted:
            spec = read_spec(text)
            if spec.problem:
                raise ToolsMissingError(f"{text!r} is not a match spec: {spec.problem}")
            if spec.name in lock.by_name:
                raise ToolsMissingError(f"the release has {lock.by_name[spec.name]}")
        platform, where = lock.platform, Position(file=Path(), line=1, column=1)
        problem = Problem(
            platforms=(self.platform,),
            requirements=tuple(
                Requirement(name=read_spec(text).name, match=text, platforms=(platform,), position=where)
                for text in wanted
            ),
            constraints=tuple(
                Requirement(name=item.name, version=f"=={item.version}", build=item.build, position=where)
                for item in lock.packages
            ),
            channels=self.channels,
            own_channel=self.own_channel,
            exclude_newer=self.exclude_newer,
            keep=Lock(platforms=(lock,)),
        )
        answer = try_solve(problem, self.connection)
        if not isinstance(answer, Lock):
            raise ToolsMissingError(next(iter(answer.values())))
        return answer.by_platform[platform].packages


def lacking(specs: Collection[str], lock: PlatformLock) -> tuple[str, ...]:
    """Return which match specs no package of the release meets."""
    return tuple(spec for spec in dict.fromkeys(specs) if not _met(spec, lock))


def refused(wanted: Sequence[str], why: str) -> ToolSet:
    """Return the set of what cannot be had."""
    said = " ".join(why.split())
    said = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
    return ToolSet(refusal=f"it needs {', '.join(wanted)}, which cannot be had: {said}")


def _met(text: str, lock: PlatformLock) -> bool:
    spec = read_spec(text)
    package = lock.by_name.get(spec.name)
    return package is not None and spec.matcher is not None and spec.matcher.matches(matchable(package))


def _rides_in(package: LockedPackage, lock: PlatformLock) -> bool:
    """Whether the release has a package in the place where Python finds it."""
    needs = {read_spec(text).name for text in package.depends}
    return package.name == "python" or (package.name in lock.by_name and "python" in needs)
