"""The pipeline: one direction, from the manifest to the report; what has not changed is not made again."""

import importlib.metadata
import sys
from collections.abc import Collection
from dataclasses import replace

from cuvee.graph.diff import Change, diff, with_reasons
from cuvee.release.channel_stage import make_channel
from cuvee.release.check_stage import ArchiveAccess, make_checks, run_selected
from cuvee.release.lock_stage import make_lock
from cuvee.release.platform_stages import make_platforms
from cuvee.release.record import Release, judge, portable
from cuvee.release.report_stage import make_report
from cuvee.release.session import Session
from cuvee.release.sums import make_sums
from cuvee.release.test_stage import check_tests

STAGES = ("channel", "lock", "check", "image", "construct", "installer", "test", "report", "sums")
"""The kinds of stage, in the order of the flow. Image, construct, installer and test are per platform."""

_TOOLS = ("cuvee", "py-rattler", "uv", "networkx", "zstandard")


def lock_release(session: Session) -> Release:
    """Run the pipeline up to the lock; what is wrong with files beside the manifest comes first."""
    session.read_files()
    manifest = session.manifest
    channel = make_channel(session)
    release = Release(
        manifest=portable(manifest),
        base=manifest.base.release_name if manifest.base is not None else None,
        additions=session.additions,
        channel=channel,
        locked=make_lock(session, channel),
        made_at=session.options.now,
        tools=tool_versions(),
        folder=session.workspace.folder,
    )
    return _judged(release)


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
        checked = make_checks(session, channel, locked, access=access)
    return _judged(replace(release, checked=checked))


def run_tests(session: Session) -> Release:
    """Run the pipeline up to the tests; what its checks block is built only if the caller keeps going."""
    access = ArchiveAccess.FETCH if session.options.keep_going else ArchiveAccess.REQUIRE
    checked = check_release(session, access=access)
    release = make_platforms(session, checked)
    if checked.verdict.exit_code and not session.options.keep_going:
        return _judged(release)  # nothing was tested because of the findings, which say enough
    graph = session.graph(release.lock, release.absent)
    return _judged(replace(release, tested=check_tests(graph, release)))


def cut(session: Session) -> Release:
    """Run the whole pipeline, and write the report, the release's record and the sums."""
    release = make_report(session, _with_changes(session, run_tests(session)))
    make_sums(session, release)
    return release


def tool_versions() -> dict[str, str]:
    """Return the versions of what makes a release."""
    found = {"python": ".".join(map(str, sys.version_info[:3]))}
    return found | {name: importlib.metadata.version(name) for name in _TOOLS}


def _judged(release: Release) -> Release:
    return replace(release, verdict=judge(release))


def _with_changes(session: Session, release: Release) -> Release:
    """Return the release with what differs from its base, if the base's lock is at hand."""
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
    return replace(release, changes=changes)
