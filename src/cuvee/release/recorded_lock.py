"""What commands that only ask use: the lock and the channel of a release as its folder holds them.

Nothing here solves, writes or waits for another process, so that a question about a release cannot change it,
and can be answered for a folder that is read-only or that a run is working on.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from cuvee.channel.model import Absent
from cuvee.codec import decode
from cuvee.errors import CuveeError, NotLockedError
from cuvee.lock.pixi_lock import read_lock
from cuvee.release.build_stage import recorded_facts
from cuvee.release.check_stage import ArchiveAccess, run_selected
from cuvee.release.lock_stage import in_order
from cuvee.release.package_request import request_of
from cuvee.release.pipeline import tool_versions
from cuvee.release.record import (
    RECORD,
    ArtefactKind,
    ChannelResult,
    LockResult,
    Release,
    judge_content,
    portable,
)
from cuvee.release.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recorded:
    """What is known of how a lock was made: its request, the hashes of its files, and its channel."""

    request: str
    outputs: Mapping[str, str]
    channel: ChannelResult


def recorded_release(session: Session) -> Release:
    """Return a release up to its lock, as its folder holds it.

    Raises
    ------
    NotLockedError
        If the release is not locked, on one of the platforms that the caller named either; or if the lock was
        made from another state of the manifest, or has been changed.
    """
    manifest, lock_file = session.manifest, session.workspace.lock_file
    if not lock_file.is_file():
        raise _cannot_answer(session, f"{manifest.release_name} is not locked: there is no {lock_file}")
    known = _from_stages(session) or _from_record(session)
    if known is None:
        raise _cannot_answer(session, f"It is not known from which manifest {lock_file} was made")
    if not session.make.is_unchanged(known.outputs):
        raise _cannot_answer(session, f"{lock_file} was changed after cuvee wrote it")
    if known.request != request_of(manifest):
        raise _cannot_answer(session, f"{manifest.path} was changed after {manifest.release_name} was locked")
    session.recipe_facts = recorded_facts(session)
    lock = in_order(read_lock(lock_file), session.platforms)
    absent = _absent(session, known.channel, frozenset(lock.by_platform))
    return Release(
        manifest=portable(manifest),
        base=manifest.base.release_name if manifest.base is not None else None,
        additions=session.additions,
        channel=replace(known.channel, absent=absent),
        locked=LockResult(lock=lock),
        made_at=session.options.now,
        tools=tool_versions(),
        folder=session.workspace.folder,
    )


def checked_again(
    session: Session,
    release: Release,
    *,
    left_out: Collection[str] = (),
    access: ArchiveAccess = ArchiveAccess.AT_HAND,
) -> Release:
    """Return a release up to its checks, which run again on its lock; for parameters see `check_release`."""
    checked = run_selected(session, release.channel, release.locked, access=access, left_out=left_out)
    release = replace(release, checked=checked)
    return replace(release, verdict=judge_content(release))


def demand_all_locked(session: Session, release: Release) -> None:
    """Raise `NotLockedError` if a platform has no lock because it was not requested."""
    for item in release.absent:
        if item.by_choice and item.platform in session.platforms:
            raise _cannot_answer(session, f"{release.name} has no lock for {item.platform}: {item.reason}")


def recorded_channel(session: Session) -> ChannelResult:
    """Return what is known of the packages that were made for a release.

    Raises
    ------
    NotLockedError
        If the manifest needs such packages, and they are not made, or are those of another manifest.
    """
    entry = session.make.recorded("channel")
    if entry is not None and entry.request == request_of(session.manifest):
        indexes = {path: sha for path, sha in entry.outputs.items() if path.endswith("/repodata.json")}
        if session.make.is_unchanged(indexes):
            return _channel_result(entry.kept)
    if session.manifest.interpreter is None and not session.manifest.wheels:
        return ChannelResult()
    raise _cannot_answer(
        session, f"The packages that {session.manifest.release_name} needs besides its channels are not made"
    )


def _from_stages(session: Session) -> _Recorded | None:
    entry, channel = session.make.recorded("lock"), session.make.recorded("channel")
    if entry is None:
        return None
    path = session.workspace.lock_file.relative_to(session.workspace.folder).as_posix()
    outputs = {path: entry.outputs.get(path, "")}
    kept = _channel_result(channel.kept) if channel is not None else ChannelResult()
    return _Recorded(request=entry.request, outputs=outputs, channel=kept)


def _from_record(session: Session) -> _Recorded | None:
    """Return what ``release.json`` knows: copies often lack ``.stages``, whose name begins with a dot."""
    folder = session.workspace.folder
    if not (folder / RECORD).is_file():
        return None
    release = Release.open(folder)
    outputs = {item.path: item.sha256 for item in release.artefacts if item.kind is ArtefactKind.LOCK}
    return _Recorded(request=request_of(release.manifest), outputs=outputs, channel=release.channel)


def _channel_result(kept: object) -> ChannelResult:
    try:
        return decode(ChannelResult, kept)
    except (CuveeError, ValueError):
        return ChannelResult()


def _absent(session: Session, channel: ChannelResult, locked: frozenset[str]) -> tuple[Absent, ...]:
    """Return why platforms of the manifest have no answer; raise for those that the caller named."""
    known = {item.platform: item for item in channel.absent}
    found = []
    for entry in session.manifest.present_platforms:
        name = entry.name
        if name in locked:
            continue
        if name not in session.platforms:
            found.append(Absent(platform=name, reason="this run did not ask for it", by_choice=True))
            continue
        item = known.get(name) or Absent(
            platform=name, reason="the release was not locked for it", by_choice=True
        )
        if name in session.options.platforms:
            raise _cannot_answer(
                session, f"{session.manifest.release_name} has no lock for {name}: {item.reason}"
            )
        session.reporter.warn(f"{name} is left out: {item.reason}")
        found.append(item)
    return tuple(found)


def _cannot_answer(session: Session, message: str) -> NotLockedError:
    dist = session.options.dist
    where = "" if str(dist) == "dist" else f" --dist {dist}"
    return NotLockedError(
        message, hint=f"Run `cuvee lock {session.manifest.path}{where}`; this command writes nothing."
    )
