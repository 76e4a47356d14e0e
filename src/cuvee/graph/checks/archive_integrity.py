"""Checks that archives are complete, and that their records and timestamps are right."""

import datetime as dt
from collections.abc import Iterable, Iterator

from cuvee.channel.inspection.model import ArchiveContents
from cuvee.conda.package_info import IndexJson
from cuvee.conda.package_record import LockedPackage
from cuvee.graph.checks.check_interface import ADVICE, Check, opened
from cuvee.graph.checks.finding_collector import FindingCollector
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph

_FIRST_CONDA = dt.datetime(2012, 1, 1, tzinfo=dt.UTC)
_LAST_SECOND = 253_402_300_799
"""9999-12-31 in seconds. Conda's tools take greater timestamps as milliseconds:
https://conda.org/learn/ceps/cep-0036."""

_GRACE = dt.timedelta(days=1)
"""The tolerance for differing clocks and time zones."""


class ArchivesCheck(Check):
    """Every archive can be read, and contains what it lists."""

    identifier = "archives"
    family = "metadata"

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        causes = FindingCollector(self, release)
        for graph, contents in opened(release):
            for package in graph.lock.packages:
                if package.name in contents.unreadable:
                    cause = f"The archive of {package.stem} cannot be read"
                    reason = contents.unreadable[package.name].reason
                    causes.add(cause, victim=package, evidence=reason, kind="unreadable")
                    continue
                cause = f"The archive of {package.stem} does not contain what it lists"
                for problem in contents.archives[package.name].problems:
                    causes.add(cause, victim=package, evidence=problem, kind="not-as-listed")
        yield from causes.findings("Delete the archive and fetch it again, or take another build.")


class RecordCheck(Check):
    """The channel's record of each package equals the package's own `info/index.json`."""

    identifier = "record"
    family = "metadata"

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        wrong, patched = FindingCollector(self, release), FindingCollector(self, release)
        for graph, contents in opened(release):
            for package in graph.lock.packages:
                archive = contents.archives.get(package.name)
                if archive is not None:
                    cause = f"The record of {package.stem} describes another package"
                    for line in _contradictions(package, archive):
                        wrong.add(cause, victim=package, evidence=line, kind="another-package")
                    cause = f"The channel has patched the metadata of {package.stem}"
                    # The release's own channel has no patches, so there it is a mistake.
                    verdict = Verdict.WARNING if package.is_local else Verdict.INFO
                    for line in _patches(package, archive.index):
                        patched.add(cause, victim=package, evidence=line, verdict=verdict, kind="patched")
        yield from wrong.findings("Ask for the channel to be indexed again, or take another build.")
        yield from patched.findings("No action is needed if the channel's maintainers intended it.")


def _contradictions(package: LockedPackage, archive: ArchiveContents) -> Iterator[str]:
    """Yield differences in what must be equal, since linking uses one and solving the other."""
    index = archive.index
    for what, locked, found in (
        ("name", package.name, index.name.lower()),
        ("version", package.version, index.version),
        ("build", package.build, index.build),
        ("build number", package.build_number, index.build_number),
        ("subdir", package.subdir, index.subdir or package.subdir),
        ("noarch", package.noarch, index.noarch),
        ("MD5", package.md5 or archive.md5, archive.md5),
        ("size", package.size or archive.size, archive.size),
    ):
        if locked != found:
            yield f"{what}: the record has {locked or 'none'}, the package {found or 'none'}"


def _patches(package: LockedPackage, index: IndexJson) -> Iterator[str]:
    """Yield differences in what channels may change after a package is built: repodata patches."""
    for what, locked, found in (
        ("depends", package.depends, index.depends),
        ("constrains", package.constrains, index.constrains),
    ):
        yield from (f"{what}: {text} was added" for text in locked if text not in found)
        yield from (f"{what}: {text} was removed" for text in found if text not in locked)
    if package.license != index.license:
        yield f"license: the record has {package.license}, the package {index.license}"
    if index.timestamp is not None and package.timestamp is not None:
        locked_time, found_time = _time(package.timestamp), _time(index.timestamp)
        if locked_time != found_time:
            yield f"timestamp: the record has {_day(locked_time)}, the package {_day(found_time)}"


class TimestampsCheck(Check):
    """No package was built in the future, or after `exclude-newer`."""

    identifier = "timestamps"
    family = "metadata"
    severity = ADVICE

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        causes = FindingCollector(self, release)
        for package in release.packages():
            if package.timestamp is not None:
                evidence = f"{package.stem}: {package.timestamp}"
                for cause, verdict in _impossible(package.timestamp, release):
                    causes.add(cause, victim=package, evidence=evidence, verdict=verdict)
        yield from causes.findings(
            "Ask for the channel's metadata to be fixed; `exclude-newer` depends on it."
        )


def _impossible(timestamp: int, release: ReleaseGraph) -> Iterator[tuple[str, Verdict]]:
    limit, made = release.manifest.exclude_newer, _time(timestamp)
    if timestamp < 0 or (made is not None and made < _FIRST_CONDA):
        # Many wheels have 1980, the earliest time of zip files, instead of the time of the build.
        yield "Packages have timestamps from before the first release of conda", Verdict.INFO
    elif made is None or (release.today is not None and made > release.today + _GRACE):
        yield "Packages have timestamps in the future", Verdict.WARNING
    elif limit is not None and made > limit:
        cause = f"Packages have timestamps after `exclude-newer`, {limit:%Y-%m-%d %H:%M} UTC"
        yield cause, Verdict.WARNING


def _time(timestamp: int) -> dt.datetime | None:
    """Return the time of a conda timestamp, in seconds or milliseconds; `None` if it is out of range."""
    seconds = timestamp if timestamp <= _LAST_SECOND else timestamp // 1000
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _day(time: dt.datetime | None) -> str:
    return "no time" if time is None else f"{time:%Y-%m-%d %H:%M:%S}"
