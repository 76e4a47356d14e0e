"""Is each archive whole, and does the channel's record say of it what it says of itself?"""

import datetime as dt
from collections.abc import Iterable, Iterator

from cuvee.channel.inspection.model import ArchiveContents
from cuvee.conda.package_info import IndexJson
from cuvee.conda.package_record import LockedPackage
from cuvee.graph.checks.check_protocol import ADVICE, STRICT
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.checks.opened import opened
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph

_FIRST_CONDA = dt.datetime(2012, 1, 1, tzinfo=dt.UTC)
_LAST_SECOND = 253_402_300_799
"""9999-12-31 in seconds: what is greater counts milliseconds, by the rule of conda's tools."""

_GRACE = dt.timedelta(days=1)
"""How far clocks and time zones may differ."""


class ArchivesCheck:
    """Archives that can not be read, or are not what they list."""

    identifier = "archives"
    family = "metadata"
    title = "Every archive can be read, and holds what it lists."
    prerequisites: tuple[str, ...] = ()
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find archives that can not be read, and files that are missing, changed or not listed."""
        causes = FindingCollector(self, release)
        for graph, contents in opened(release):
            for package in graph.lock.packages:
                if package.name in contents.unreadable:
                    reason = contents.unreadable[package.name].reason
                    causes.add(
                        f"The archive of {package.stem} can not be read",
                        victim=package,
                        evidence=reason,
                        kind="unreadable",
                    )
                    continue
                for problem in contents.facts[package.name].problems:
                    causes.add(
                        f"The archive of {package.stem} does not hold what it lists",
                        victim=package,
                        evidence=problem,
                        kind="not-as-listed",
                    )
        yield from causes.findings("Delete it and fetch it again, or take another build.")


class RecordCheck:
    """Records that differ from what the package says of itself."""

    identifier = "record"
    family = "metadata"
    title = "The channel says of each package what its own index.json says."
    prerequisites: tuple[str, ...] = ()
    severity = STRICT

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find differences between the locked record and the archive with its ``info/index.json``."""
        wrong, patched = FindingCollector(self, release), FindingCollector(self, release)
        for graph, contents in opened(release):
            for package in graph.lock.packages:
                facts = contents.facts.get(package.name)
                if facts is not None:
                    for line in _contradictions(package, facts):
                        wrong.add(
                            f"{package.stem} is not the package that its record describes",
                            victim=package,
                            evidence=line,
                            kind="another-package",
                        )
                    for line in _patches(package, facts.index):
                        patched.add(
                            f"The channel has patched what {package.stem} says of itself",
                            victim=package,
                            evidence=line,
                            # Our own channel patches nothing, so there it is a mistake.
                            verdict=Verdict.WARNING if package.is_local else Verdict.INFO,
                            kind="patched",
                        )
        yield from wrong.findings("Have the channel indexed again, or take another build.")
        yield from patched.findings("Nothing, if the channel's maintainers meant it.")


def _contradictions(package: LockedPackage, facts: ArchiveContents) -> Iterator[str]:
    """Compare what must be equal, since linkers go by one and solvers by the other."""
    index = facts.index
    for what, locked, found in (
        ("name", package.name, index.name.lower()),
        ("version", package.version, index.version),
        ("build", package.build, index.build),
        ("build number", package.build_number, index.build_number),
        ("subdir", package.subdir, index.subdir or package.subdir),
        ("noarch", package.noarch, index.noarch),
        ("MD5", package.md5 or facts.md5, facts.md5),
        ("size", package.size or facts.size, facts.size),
    ):
        if locked != found:
            yield f"{what}: the record says {locked or 'none'}, the package {found or 'none'}"


def _patches(package: LockedPackage, index: IndexJson) -> Iterator[str]:
    """Compare what channels may change after the fact, and do."""
    for what, locked, found in (
        ("depends", package.depends, index.depends),
        ("constrains", package.constrains, index.constrains),
    ):
        yield from (f"{what}: {text} was added" for text in locked if text not in found)
        yield from (f"{what}: {text} was removed" for text in found if text not in locked)
    if package.license != index.license:
        yield f"license: the record says {package.license}, the package {index.license}"
    if index.timestamp is not None and package.timestamp is not None:
        locked_time, found_time = _time(package.timestamp), _time(index.timestamp)
        if locked_time != found_time:
            yield f"timestamp: the record says {_day(locked_time)}, the package {_day(found_time)}"


class TimestampsCheck:
    """Packages whose time can not be right."""

    identifier = "timestamps"
    family = "metadata"
    title = "No package was made in the future, or after the instant that the release was solved for."
    prerequisites: tuple[str, ...] = ()
    severity = ADVICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Find timestamps that are later than they may be, or from before there was conda."""
        causes = FindingCollector(self, release)
        for graph in release.platforms:
            for package in graph.lock.packages:
                if package.timestamp is None:
                    continue
                evidence = f"{package.stem}: {package.timestamp}"
                for cause, verdict in _impossible(package.timestamp, release):
                    causes.add(cause, victim=package, evidence=evidence, verdict=verdict)
        yield from causes.findings("Have the channel's metadata mended; solving by date goes by it.")


def _impossible(timestamp: int, release: ReleaseGraph) -> Iterator[tuple[str, Verdict]]:
    limit, made = release.manifest.exclude_newer, _time(timestamp)
    if timestamp < 0 or (made is not None and made < _FIRST_CONDA):
        # Such as 1980, where the time of zip files begins: whoever made it did not say when.
        yield "Packages were made before there was conda, by their timestamps", Verdict.INFO
    elif made is None or (release.today is not None and made > release.today + _GRACE):
        yield "Packages were made in the future, by their timestamps", Verdict.WARNING
    elif limit is not None and made > limit:
        cause = f"Packages were made after {limit:%Y-%m-%d %H:%M} UTC, at which `exclude-newer` stops"
        yield cause, Verdict.WARNING


def _time(timestamp: int) -> dt.datetime | None:
    """Give the time of a conda timestamp, in seconds or milliseconds; `None` if it is none."""
    seconds = timestamp if timestamp <= _LAST_SECOND else timestamp // 1000
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _day(time: dt.datetime | None) -> str:
    return "no time" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"
