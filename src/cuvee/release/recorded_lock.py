"""What commands that only ask use: the lock of a release as its folder holds it.

Nothing here solves, writes or waits for another process, so that a question about a release cannot change it,
and can be answered for a folder that is read-only or that a run is working on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cuvee.channel.model import Absent
from cuvee.codec import decode
from cuvee.errors import NotLockedError
from cuvee.graph.release_graph import ReleaseGraph, build_graph
from cuvee.lock.model import Lock
from cuvee.lock.pixi_lock import read_lock
from cuvee.release.package_request import request_of
from cuvee.release.record_parts import RECORD, read_parts
from cuvee.release.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedLock:
    """The lock of a release, and why platforms of its manifest are not in it."""

    lock: Lock
    absent: tuple[Absent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recorded:
    """What is known of how a lock was made: its request, the hashes of its files, and what was left out."""

    request: str
    outputs: Mapping[str, str]
    absent: tuple[Absent, ...]


def recorded_lock(session: Session) -> RecordedLock:
    """Return the lock of a release, as its folder holds it.

    Raises
    ------
    NotLockedError
        If the release is not locked, on one of the platforms that the caller named either; or if the lock was
        made from another state of the manifest, or has been changed.
    """
    manifest, lock_file = session.manifest, session.workspace.lock_file
    if not lock_file.is_file():
        raise cannot_answer(session, f"{manifest.release_name} is not locked: there is no {lock_file}")
    known = _from_stages(session) or _from_record(session)
    if known is None:
        raise cannot_answer(session, f"It is not known from which manifest {lock_file} was made")
    if not session.make.is_unchanged(known.outputs):
        raise cannot_answer(session, f"{lock_file} was changed after cuvee wrote it")
    if known.request != request_of(manifest):
        raise cannot_answer(session, f"{manifest.path} was changed after {manifest.release_name} was locked")
    lock = read_lock(lock_file).in_order(session.platforms)
    return RecordedLock(lock=lock, absent=_absent(session, known.absent, frozenset(lock.by_platform)))


def recorded_graph(session: Session) -> ReleaseGraph:
    """Return the graph of a recorded lock, without what only checks need; raise as `recorded_lock` does."""
    recorded = recorded_lock(session)
    return build_graph(session.manifest, recorded.lock, recorded.absent, additions=session.additions)


def _from_stages(session: Session) -> _Recorded | None:
    entry, channel = session.make.recorded("lock"), session.make.recorded("channel")
    if entry is None:
        return None
    path = session.workspace.lock_file.relative_to(session.workspace.folder).as_posix()
    outputs = {path: entry.outputs.get(path, "")}
    absent = _absent_of(channel.kept) if channel is not None else ()
    return _Recorded(request=entry.request, outputs=outputs, absent=absent)


def _absent_of(kept: object) -> tuple[Absent, ...]:
    """Return the platforms that the channel stage could not make, from what it kept."""
    try:
        return decode(tuple[Absent, ...], kept.get("absent", []) if isinstance(kept, dict) else [])
    except ValueError:
        return ()


def _from_record(session: Session) -> _Recorded | None:
    """Return what ``release.json`` knows: copies often lack ``.stages``, whose name begins with a dot."""
    folder = session.workspace.folder
    if not (folder / RECORD).is_file():
        return None
    parts = read_parts(folder)
    return _Recorded(request=request_of(parts.manifest), outputs=parts.locks, absent=parts.absent)


def _absent(session: Session, absent: tuple[Absent, ...], locked: frozenset[str]) -> tuple[Absent, ...]:
    """Return why platforms of the manifest have no answer; raise for those that the caller named."""
    known = {item.platform: item for item in absent}
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
            raise cannot_answer(
                session, f"{session.manifest.release_name} has no lock for {name}: {item.reason}"
            )
        session.reporter.warn(f"{name} is left out: {item.reason}")
        found.append(item)
    return tuple(found)


def cannot_answer(session: Session, message: str) -> NotLockedError:
    """Return the error for a question that the folder of a release cannot answer."""
    dist = session.options.dist
    where = "" if str(dist) == "dist" else f" --dist {dist}"
    return NotLockedError(
        message, hint=f"Run `cuvee lock {session.manifest.path}{where}`; this command writes nothing."
    )
