"""A release up to its lock as its folder holds it, for commands that check it again or need its channel."""

from collections.abc import Collection
from dataclasses import replace

from cuvee.codec import decode
from cuvee.errors import CuveeError
from cuvee.release.build_stage import recorded_facts
from cuvee.release.check_stage import ArchiveAccess, run_selected
from cuvee.release.package_request import request_of
from cuvee.release.pipeline import tool_versions
from cuvee.release.record import ChannelResult, LockResult, Release, judge_content, portable
from cuvee.release.record_parts import RECORD
from cuvee.release.recorded_lock import cannot_answer, recorded_lock
from cuvee.release.session import Session


def recorded_release(session: Session) -> Release:
    """Return a release up to its lock, as its folder holds it; raise as `recorded_lock` does."""
    manifest, recorded = session.manifest, recorded_lock(session)
    session.recipe_facts = recorded_facts(session)
    return Release(
        manifest=portable(manifest),
        base=manifest.base.release_name if manifest.base is not None else None,
        additions=session.additions,
        channel=replace(_channel(session), absent=recorded.absent),
        locked=LockResult(lock=recorded.lock),
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
            raise cannot_answer(session, f"{release.name} has no lock for {item.platform}: {item.reason}")


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
    raise cannot_answer(
        session, f"The packages that {session.manifest.release_name} needs besides its channels are not made"
    )


def _channel(session: Session) -> ChannelResult:
    """Return what is known of the packages that were made for a locked release."""
    folder = session.workspace.folder
    if session.make.recorded("lock") is None and (folder / RECORD).is_file():
        return Release.open(folder).channel
    entry = session.make.recorded("channel")
    return _channel_result(entry.kept) if entry is not None else ChannelResult()


def _channel_result(kept: object) -> ChannelResult:
    try:
        return decode(ChannelResult, kept)
    except (CuveeError, ValueError):
        return ChannelResult()
