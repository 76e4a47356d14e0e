"""From manifests and locks to the records and specs that `cuvee coinstall` compares."""

from collections.abc import Sequence

from cuvee.conda.match_spec import read_spec
from cuvee.conda.package_record import Record
from cuvee.conda.virtual_packages import VirtualPackage, virtual_packages
from cuvee.errors import UsageError
from cuvee.graph.channel_check.coinstallability import Coinstallability, never_together
from cuvee.graph.explain.channel_index import ChannelIndex
from cuvee.graph.explain.lock_explainer import query_channels
from cuvee.graph.solving.pool import Pool
from cuvee.lock.model import Lock, PlatformLock
from cuvee.lock.solve import Problem, problem_of
from cuvee.progress import Reporter
from cuvee.release.lock_stage import own_channel
from cuvee.release.recorded_release import recorded_channel
from cuvee.release.session import Session


def of_manifest(session: Session, *, any_version: bool, limit: int) -> tuple[Coinstallability, ...]:
    """Compare the requested packages of a manifest, platform by platform, in all records of its channels."""
    absent = {item.platform for item in recorded_channel(session).absent}
    platforms = [name for name in session.platforms if name not in absent]
    problem = problem_of(session.manifest, platforms=platforms, own_channel=own_channel(session))
    requested = {package.name for package in session.manifest.packages}
    found = []
    for item in query_channels(problem, (), session.connection):
        floor = next(entry.floor for entry in problem.platforms if entry.name == item.platform)
        pool = Pool(_offered(problem, item.channels), virtual_packages(item.platform, floor))
        specs = [
            package.name if any_version else package.spec
            for package in problem.requirements
            if item.platform in package.platforms and package.name in requested
        ]
        found.append(never_together(pool, specs, item.platform, limit=limit, reporter=session.reporter))
    return tuple(found)


def _offered(problem: Problem, channels: Sequence[ChannelIndex]) -> list[Record]:
    """Return the records that the solver may take: each name from the first channel that has it."""
    newest = None if problem.exclude_newer is None else problem.exclude_newer.timestamp() * 1000
    taken: set[str] = set()
    found: list[Record] = []
    for records in channels:
        found += [
            record
            for record in records
            if record.name not in taken and (newest is None or 0 < (record.timestamp or 0) <= newest)
        ]
        taken.update(records.names)
    return found


def of_locks(
    locks: Sequence[Lock], *, platforms: Sequence[str], any_version: bool, limit: int, reporter: Reporter
) -> tuple[Coinstallability, ...]:
    """Compare the packages of several locks that no other package of the same lock depends on."""
    known = sorted({name for lock in locks for name in lock.by_platform})
    for name in platforms:
        if name not in known:
            raise UsageError(f"No lock is for {name}", hint=f"They are for {', '.join(known)}.")
    found = []
    for platform in platforms or known:
        parts = [lock.by_platform[platform] for lock in locks if platform in lock.by_platform]
        # Packages that are built from one folder have one URL.
        records = {(package.url, package.stem): package for part in parts for package in part.packages}
        specs = dict.fromkeys(spec for part in parts for spec in _roots(part, any_version=any_version))
        pool = Pool(records.values(), _virtual_packages(parts))
        found.append(never_together(pool, tuple(specs), platform, limit=limit, reporter=reporter))
    return tuple(found)


def _roots(part: PlatformLock, *, any_version: bool) -> list[str]:
    needed = {read_spec(text).name for package in part.packages for text in package.depends}
    return [
        package.name if any_version else f"{package.name} =={package.version} {package.build}"
        for package in part.packages
        if package.name not in needed
    ]


def _virtual_packages(parts: Sequence[PlatformLock]) -> list[VirtualPackage]:
    """Return the virtual packages: of locks that assume different versions, the first's."""
    found: dict[str, VirtualPackage] = {}
    for part in parts:
        for item in part.virtual_packages:
            found.setdefault(item.name, item)
    return list(found.values())
