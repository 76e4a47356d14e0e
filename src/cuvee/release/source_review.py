"""What the sources of a lock say of its packages today: its channels, and the Python index."""

from collections.abc import Iterable

from cuvee.channel.present_records import compare_with_channels
from cuvee.channel.source_comparison import ChangedPackage, NotCompared, SourceChange, SourceComparison
from cuvee.conda.package_record import LockedPackage
from cuvee.errors import CuveeError
from cuvee.lock.model import Lock
from cuvee.release.record import ChannelResult
from cuvee.release.session import Session


def compare_sources(session: Session, channel: ChannelResult, lock: Lock) -> SourceComparison:
    """Compare all packages of a lock with their sources; a source that cannot be reached is not an error."""
    task = "Compare with sources"
    session.reporter.start(task)
    packages = [package for part in lock.platforms for package in part.packages]
    of_channels = compare_with_channels(packages, session.connection)
    of_index = _compare_imported(session, channel, [package for package in packages if package.is_local])
    found = SourceComparison(
        changed=(*of_channels.changed, *of_index.changed),
        not_compared=(*of_channels.not_compared, *of_index.not_compared),
        base=_withdrawn_from_base(session, lock),
    )
    session.reporter.finish(task, note=f"{len(found.changed)} of {len(packages)} packages changed")
    return found


def _withdrawn_from_base(session: Session, lock: Lock) -> tuple[ChangedPackage, ...]:
    """Return what only the base has and a channel has withdrawn, which is the reason for a change."""
    base = session.base_lock.platforms if session.base_lock is not None else ()
    kept = {(package.platform, package.sha256) for part in lock.platforms for package in part.packages}
    gone = [
        package
        for part in base
        for package in part.packages
        if part.platform in lock.by_platform and (part.platform, package.sha256) not in kept
    ]
    changed = compare_with_channels(gone, session.connection).changed
    return tuple(item for item in changed if item.change is not SourceChange.CORRECTED)


def _compare_imported(
    session: Session, channel: ChannelResult, packages: Iterable[LockedPackage]
) -> SourceComparison:
    """Compare packages of the release's own channel with the index, if they were made of wheels."""
    from cuvee.channel.wheels.index_comparison import ImportedWheel, compare_with_index, question_about
    from cuvee.channel.wheels.model import ResolutionTarget

    wheels: list[ImportedWheel] = []
    unread: dict[str, CuveeError] = {}
    for package in packages:
        try:
            wheel = session.imported_wheel(package)
        except CuveeError as error:
            unread[package.identifier] = error
        else:
            wheels += [wheel] if wheel is not None else []
    floors = {entry.name: entry.floor for entry in session.manifest.present_platforms}
    targets = [
        ResolutionTarget(platform=item.platform, python=item.version, floor=floors.get(item.platform, {}))
        for item in channel.interpreters
    ]
    found = SourceComparison()
    if wheels:
        found = compare_with_index(wheels, targets, session.index.answer, session.resolved)
    for question in (question_about(wheels, target) for target in targets):
        if question is not None:
            session.index.note(question)
    if not unread:
        return found
    reason = next(iter(unread.values())).message
    missing = NotCompared(source="the release's own channel", reason=reason, packages=tuple(unread))
    return SourceComparison(changed=found.changed, not_compared=(*found.not_compared, missing))
