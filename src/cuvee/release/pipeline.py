"""The pipeline: one direction, from the manifest to the report; what has not changed is not made again."""

import sys
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace

from cuvee.errors import BlockedError, CuveeError, DocumentError, UsageError
from cuvee.files import write_bytes
from cuvee.lock.model import Lock
from cuvee.release.build_stage import make_builds
from cuvee.release.channel_stage import make_channel
from cuvee.release.check_stage import ArchiveAccess, make_checks, run_selected
from cuvee.release.cutting import REPORTED
from cuvee.release.lock_stage import make_lock
from cuvee.release.metapackage_stage import make_metapackages
from cuvee.release.record import (
    BuildResult,
    ChannelResult,
    Failure,
    LockResult,
    Release,
    Unsolved,
    judge_content,
    portable,
    with_quorums,
)
from cuvee.release.record_parts import RECORD
from cuvee.release.session import Session

STAGES = (
    "channel",
    "build",
    "lock",
    "metapackages",
    "check",
    "image",
    "construct",
    "installer",
    "delta",
    "test",
    "report",
    "provenance",
    "sums",
)
"""The kinds of stage, in the order of the flow. Image, construct, installer, delta and test are per
platform."""

_NOT_ENDED = Failure(
    message="The run has not ended: it is still working, or was interrupted",
    hint="Wait for it, or run the same command again; it goes on where it was.",
    exit_code=130,
)

_TOOLS = ("cuvee", "py-rattler", "uv", "networkx", "zstandard")


def lock_release(session: Session) -> Release:
    """Run the pipeline up to the lock; what is wrong with files beside the manifest comes first."""
    session.read_files()
    manifest = session.manifest
    channel, built, locked = _solved(session)
    release = Release(
        manifest=portable(manifest),
        base=manifest.base.release_name if manifest.base is not None else None,
        additions=session.additions,
        channel=channel,
        built=built,
        locked=locked,
        unsolved=session.unsolved,
        made_at=session.options.now,
        tools=tool_versions(),
        folder=session.workspace.folder,
    )
    session.reached = _judged(release)
    return session.reached


def _solved(session: Session) -> tuple[ChannelResult, BuildResult | None, LockResult]:
    """Return packages and lock; if the run keeps going, without the platforms that have no solution."""
    while True:
        try:
            channel = make_channel(session)
            built = make_builds(session, channel)
            return channel, built, make_lock(session, channel, built)
        except BlockedError as error:
            found = Unsolved(platforms=error.platforms, message=error.message, hint=error.hint or "")
            left = set(session.platforms).difference(found.platforms)
            if not session.options.keep_going or len(left) in {0, len(session.platforms)}:
                raise
            session.reporter.warn(f"{found.message}\nThis run goes on without {', '.join(found.platforms)}.")
            session.unsolved = (*session.unsolved, found)


def check_release(
    session: Session,
    *,
    left_out: Collection[str] = (),
    access: ArchiveAccess = ArchiveAccess.AT_HAND,
) -> Release:
    """Run the pipeline up to the checks.

    Parameters
    ----------
    left_out
        Checks not to run. The record of a release is of all checks, so nothing is written then.
    access
        How far the checks go into archives.
    """
    release = lock_release(session)
    channel, locked = release.channel, release.locked
    if left_out or access is ArchiveAccess.NONE:
        checked = run_selected(session, channel, locked, access=access, left_out=left_out)
    else:
        metapackages = make_metapackages(session, channel, locked)
        release = replace(release, metapackages=metapackages)
        checked = make_checks(session, channel, locked, metapackages, access=access)
    session.reached = _judged(replace(release, checked=checked))
    return session.reached


def run_tests(session: Session) -> Release:
    """Run the pipeline up to the tests; what its checks block is built only if the caller keeps going."""
    from cuvee.release.platform_stages import make_platforms
    from cuvee.release.reference_runs import compare_with_history, prepare_history
    from cuvee.release.test_stage import check_tests

    prepare_history(session)
    access = ArchiveAccess.FETCH if session.options.keep_going else ArchiveAccess.REQUIRE
    checked = check_release(session, access=access)
    release = compare_with_history(session, make_platforms(session, checked))
    # If findings block what is built, nothing was tested because of them, and they say enough.
    if not checked.verdict.exit_code or session.options.keep_going:
        graph = session.graph(release.lock, release.absent)
        tested = check_tests(graph, release, session.suite_files)
        release = replace(release, tested=tested)
    return _judged(release)


def run_recorded_tests(session: Session) -> Release:
    """Run the pipeline up to the tests, and keep what they found in the history."""
    from cuvee.release.reference_runs import add_to_history

    release = run_tests(session)
    add_to_history(session, release)
    return release


def run_all(session: Session) -> Release:
    """Run the whole pipeline, and write the report, the release's record and the sums.

    A run that fails writes its record and its report, too. What earlier runs have made and this one has not
    is set aside, so that no installer is beside a record of other inputs. While it works, and if it is
    killed, the record says so.
    """
    from cuvee.release.imports_ahead import import_ahead
    from cuvee.release.provenance_stage import make_provenance
    from cuvee.release.reference_runs import add_to_history
    from cuvee.release.report_stage import make_report
    from cuvee.release.sums import make_sums

    session.while_asking = import_ahead
    before = _begin(session)
    try:
        tested = _with_changes(session, run_tests(session))
        tested = with_quorums(tested, session.options.now.date(), files=())
        _forget_beginning(session)
        session.index.save(session.workspace.index_questions)
        session.imported_wheels.save()
        release = make_report(session, tested)
        if any(item.not_made is None for item in release.handed_out):
            make_provenance(session, release)
            make_sums(session, release)
            _sign(session, release)
    except Exception as error:
        # Wrong usage is told before any work starts, as it is for a manifest with problems.
        if session.make.done or not isinstance(error, DocumentError | UsageError):
            _record_failure(session, error)
        else:
            _forget_beginning(session)
            session.make.take_back(*REPORTED)
            if before:
                write_bytes(session.workspace.folder / RECORD, before)
        raise
    session.make.set_aside()
    # Only now: if its files were changed after they were made, it must not become the reference of others.
    add_to_history(session, release)
    return with_quorums(release, session.options.now.date())


def _sign(session: Session, release: Release) -> None:
    from cuvee.release.signing import sign_release
    from cuvee.release.sums import SUMS

    if session.options.signer is None:
        return
    if release.exit_code:
        session.reporter.warn(
            f"{SUMS} is not signed, because {release.name} is not ready; "
            "`cuvee sign --force REASON` signs it all the same"
        )
        return
    sign_release(session.workspace.folder, session.options.signer)


def _begin(session: Session) -> bytes:
    """Put an earlier run's record and report aside, and write a record that says that the run has not ended.

    Return the record that was there and could not be put aside, such as that of a copy without its stages.
    """
    session.read_files()
    session.make.put_aside(*REPORTED)
    record = session.workspace.folder / RECORD
    left = record.read_bytes() if record.is_file() else b""
    _without_results(session, _NOT_ENDED).save()
    return left


def _forget_beginning(session: Session) -> None:
    (session.workspace.folder / RECORD).unlink(missing_ok=True)


def _without_results(session: Session, failure: Failure) -> Release:
    nothing = Release(
        manifest=portable(session.manifest),
        base=session.manifest.base.release_name if session.manifest.base is not None else None,
        additions=session.additions,
        channel=ChannelResult(),
        locked=LockResult(lock=Lock(platforms=())),
        made_at=session.options.now,
        tools=tool_versions(),
        folder=session.workspace.folder,
    )
    return _judged(replace(session.reached or nothing, failure=failure))


def _record_failure(session: Session, error: Exception) -> None:
    from cuvee.release.reference_runs import add_to_history
    from cuvee.release.report_stage import make_report

    _forget_beginning(session)
    session.make.done.discard("report")
    session.make.set_aside()
    failed = _without_results(session, Failure.of(error, stage=session.make.failed_in(error)))
    try:
        make_report(session, failed)
    except Exception:  # noqa: BLE001 - the first error is the one to tell; the record is what later commands read
        with suppress(CuveeError, OSError):
            failed.save()
    with suppress(CuveeError, OSError):
        add_to_history(session, failed)
    session.reporter.say(f"The report of this run is {session.workspace.report / 'index.html'}")


def tool_versions() -> dict[str, str]:
    """Return the versions of what makes a release."""
    import importlib.metadata

    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    return found | {name: importlib.metadata.version(name) for name in _TOOLS}


def _judged(release: Release) -> Release:
    return replace(release, verdict=judge_content(release))


def _with_changes(session: Session, release: Release) -> Release:
    """Return the release with what differs from its base, if the base's lock is at hand."""
    from cuvee.graph.diff import Change, diff, with_patches, with_reasons

    base, before = session.manifest.base, session.base_lock
    if base is None or before is None:
        return release
    packages = session.manifest.packages
    found: tuple[Change, ...] = diff(
        before,
        release.lock,
        requested_before={package.name for package in base.packages},
        requested_after={package.name for package in packages},
    )
    changes = with_reasons(
        found, before, release.lock, requirements_before=base.packages, requirements_after=packages
    )
    stated = {item.name: item.sentence for item in session.manifest.patched}
    return replace(release, changes=with_patches(changes, stated))
