"""The check stage: what the checks find in the graph of the release, and its certificate."""

import enum
from collections.abc import Collection
from dataclasses import replace

from cuvee.channel.archive_download import archive_path
from cuvee.channel.inspection import inspect_archives
from cuvee.channel.inspection.inspect_release import Inspection
from cuvee.channel.inspection.inspection_cache import path_of
from cuvee.channel.source_comparison import SourceComparison
from cuvee.codec import Json, encode
from cuvee.errors import SourceUnreachableError
from cuvee.files import write_json
from cuvee.graph.checks import ALL_CHECKS, ARCHIVE_CHECKS, SOURCE_CHECKS, missing_names, run_checks
from cuvee.graph.release_graph import ReleaseGraph, with_contents
from cuvee.lock.available_records import AvailableRecords, available_records
from cuvee.lock.model import Lock
from cuvee.manifest.model import Manifest
from cuvee.release.archive_facts import archive_facts
from cuvee.release.artefacts import ArtefactKind
from cuvee.release.certificate_inputs import certificate_inputs
from cuvee.release.certificates import write_certificate
from cuvee.release.record import ChannelResult, CheckResult, LockResult, MetapackageResult
from cuvee.release.session import Session
from cuvee.release.source_review import compare_sources
from cuvee.release.stage import Made, Stage, finished


class ArchiveAccess(enum.Enum):
    """How far checks go into archives.

    With `AT_HAND` nothing is fetched: archives are read if none is missing, and not at all otherwise, since a
    closure that is known in part says little. With `FETCH` an archive that is not available is a finding;
    with `REQUIRE` it is an error, since a release needs it.
    """

    NONE = "none"
    AT_HAND = "at hand"
    FETCH = "fetch"
    REQUIRE = "require"


def make_checks(
    session: Session,
    channel: ChannelResult,
    locked: LockResult,
    metapackages: MetapackageResult,
    *,
    access: ArchiveAccess,
) -> CheckResult:
    """Run the stage; findings and certificate are in ``checks/`` of the release folder.

    Parameters
    ----------
    access
        How far the checks go into archives.
    """
    access = _possible(session, locked.lock, access)
    sources = compare_sources(session, channel, locked.lock)
    stage = Stage.of(
        "check",
        [
            manifest_inputs(session.manifest),
            locked.inputs,
            encode(metapackages.records),
            encode(channel.absent),
            encode(session.recipe_facts),
            encode(session.base_lock),
            access is not ArchiveAccess.NONE,
            encode(sources),
            encode(certificate_inputs(session.workspace, session.manifest, locked.lock)),
            # Waivers expire and packages age from day to day.
            session.options.now.date().isoformat(),
        ],
        lambda: _make(session, _graph(session, channel, locked.lock, access, sources), metapackages),
        CheckResult,
    )
    # An archive that could not be fetched before may be there now.
    done = session.make(stage, again=session.options.refresh or access is ArchiveAccess.FETCH)
    return finished(done)


def run_selected(
    session: Session,
    channel: ChannelResult,
    locked: LockResult,
    *,
    access: ArchiveAccess,
    left_out: Collection[str],
) -> CheckResult:
    """Run the checks that are not ``left_out``; nothing is written, since a record is of all of them."""
    if all(item.identifier in left_out for item in ARCHIVE_CHECKS):
        access = ArchiveAccess.NONE
    elif access is ArchiveAccess.NONE:
        left_out = {*left_out, *(item.identifier for item in ARCHIVE_CHECKS)}
    is_compared = not set(left_out) >= SOURCE_CHECKS
    sources = compare_sources(session, channel, locked.lock) if is_compared else None
    graph = _graph(session, channel, locked.lock, access, sources)
    return CheckResult(outcomes=run_checks(graph, ALL_CHECKS, left_out=left_out))


def manifest_inputs(manifest: Manifest) -> Json:
    """Return everything that a manifest says, without where it says so."""
    return encode(manifest, without=frozenset({"sources", "position", "path", "base"}))


def _make(session: Session, graph: ReleaseGraph, metapackages: MetapackageResult) -> Made[CheckResult]:
    workspace = session.workspace
    outcomes = run_checks(graph, ALL_CHECKS)
    write_json(workspace.findings_file, encode(outcomes))
    write_certificate(workspace, graph, outcomes, metapackages.records)
    certificate = workspace.artefact(workspace.certificate_file, ArtefactKind.CERTIFICATE)
    result = CheckResult(outcomes=outcomes, archives=archive_facts(graph), artefacts=(certificate,))
    return Made(result=result, outputs=(workspace.findings_file, workspace.certificate_file))


def _graph(
    session: Session,
    channel: ChannelResult,
    lock: Lock,
    access: ArchiveAccess,
    sources: SourceComparison | None,
) -> ReleaseGraph:
    graph = session.graph(lock, channel.absent)
    facts = read_archives(session, lock, access)
    if facts is not None:
        graph = with_contents(graph, facts)
    wanted = missing_names(graph) | {item.name for item in session.manifest.patched}
    return replace(graph, available=_carried(session, wanted), sources=sources)


def read_archives(session: Session, lock: Lock, access: ArchiveAccess) -> Inspection | None:
    """Return what is known of each archive by identifier; `None` if they are not read."""
    access = _possible(session, lock, access)
    if access is ArchiveAccess.NONE:
        return None
    find = session.archives if access is ArchiveAccess.REQUIRE else session.try_archives
    return inspect_archives(
        (package for part in lock.platforms for package in part.packages),
        lambda platform: find(lock.by_platform[platform]),
        cache=session.workspace.cache,
        reporter=session.reporter,
    )


def _possible(session: Session, lock: Lock, access: ArchiveAccess) -> ArchiveAccess:
    if access is not ArchiveAccess.AT_HAND:
        return access
    folder, cache = session.workspace.folder, session.workspace.cache
    are_at_hand = all(
        path_of(cache, package.sha256).is_file() or archive_path(package, folder, cache).is_file()
        for platform in lock.platforms
        for package in platform.packages
    )
    return access if are_at_hand else ArchiveAccess.NONE


def _carried(session: Session, names: frozenset[str]) -> AvailableRecords:
    """Return what the channels have of names that the lock lacks; nothing if they cannot be reached."""
    own = [str(session.workspace.channel)] if session.workspace.channel.is_dir() else []
    sources = [*session.manifest.channels, *own]
    if not names or not sources:
        return {}
    try:
        return available_records(sources, session.platforms, names, session.connection)
    except SourceUnreachableError as error:
        session.reporter.say(f"check: what channels carry is not known: {error.message}")
        return {}
