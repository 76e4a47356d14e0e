"""What a site's log gets when releases are published, and what it forbids."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from cuvee.approvals.approval_files import read_approvals
from cuvee.approvals.decision_log import (
    LOG,
    LogEntry,
    LogEvent,
    binding_publication,
    head_of,
    log_bytes,
    read_log,
    with_entries,
)
from cuvee.codec import encode
from cuvee.errors import BlockedError, IntegrityError
from cuvee.files import canonical_json, sha256_bytes, sha256_file, write_bytes
from cuvee.release.record import Release
from cuvee.release.sums import SUMS


def site_log(site: Path) -> tuple[LogEntry, ...]:
    """Return the log of a site; empty if it has none yet.

    Raises
    ------
    IntegrityError
        If its chain does not hold.
    """
    path = site / LOG
    return read_log(path.read_bytes(), source=str(path)) if path.is_file() else ()


def add_to_log(site: Path, entries: Sequence[LogEntry]) -> tuple[LogEntry, ...]:
    """Add entries to the log of a site, and return all; the same again adds nothing."""
    before = site_log(site)
    after = with_entries(before, entries)
    if after != before or not (site / LOG).is_file():
        write_bytes(site / LOG, log_bytes(after))
    return after


def continued_log(
    signed: bytes | None, there: bytes | None, *, source: str = LOG
) -> tuple[LogEntry, ...] | None:
    """Return the log of a site: as it was signed, and the keys that were revoked since; `None` without any.

    Raises
    ------
    IntegrityError
        If the log in the site does not continue what was signed, or has more than revocations.
    """
    if signed is None:
        return None if there is None else read_log(there, source=source)
    before = read_log(signed, source=source)
    after = read_log(there if there is not None else signed, source=source, kept=head_of(before))
    if any(item.event is not LogEvent.REVOCATION for item in after[len(before) :]):
        raise IntegrityError(
            f"{source} has entries that were not signed and revoke no key",
            hint="Restore it from a copy of the site.",
        )
    return after


def next_log(entries: tuple[LogEntry, ...], releases: Iterable[Release], now: dt.datetime) -> bytes:
    """Return the log of a site with what the publication of releases adds to it.

    Parameters
    ----------
    entries
        Those that it has now.
    releases
        Releases that are approved, see `require_approvals`.

    Raises
    ------
    BlockedError
        If the list of approvers of a release is not that which was published.
    """
    for release in releases:
        require_known_list(entries, release)
        entries = with_entries(entries, entries_of(release, now))
    return log_bytes(entries)


def entries_of(release: Release, now: dt.datetime) -> Iterator[LogEntry]:
    """Yield what the publication of a release adds to a log; the files that it names are not kept there."""
    now = now.astimezone(dt.UTC).replace(microsecond=0)
    files = {name: sha256_bytes(data) for name, data in read_approvals(release.folder)}
    for quorum in release.quorums:
        for item in quorum.judged:
            if item.approver is not None and not item.problem:
                yield LogEntry(
                    time=item.time or now,
                    event=LogEvent.APPROVAL,
                    release=release.name,
                    digest=files[item.source],
                    who=item.approver.title,
                )
    for waiver in release.manifest.waivers:
        stated = encode(waiver, without=frozenset({"position"}))
        yield LogEntry(
            time=now,
            event=LogEvent.WAIVER,
            release=release.name,
            digest=sha256_bytes(canonical_json(stated)),
            who=waiver.author,
            note=f"{waiver.check}: {waiver.reason}",
        )
    policy = release.manifest.policy.approvals
    yield LogEntry(
        time=now,
        event=LogEvent.PUBLICATION,
        release=release.name,
        digest=sha256_file(release.folder / SUMS),
        policy="" if policy is None else policy.digest,
    )


def require_known_list(entries: Sequence[LogEntry], release: Release) -> None:
    """Raise if a release changes who may approve without the quorum of those who could at its base.

    The list of the base is that which its publication has in the log, and not what a file says now. Without
    a base, or if that was not published, it is the list of the last release of the distribution.

    Raises
    ------
    BlockedError
        If the release was approved neither by that list nor as a change of it.
    """
    last = binding_publication(entries, distribution=release.manifest.distribution, base=release.base)
    if last is None or not last.policy:
        return
    if last.policy not in {policy.digest for policy in release.manifest.policy.approval_policies}:
        raise BlockedError(
            f"{release.name} was not approved by those who may: its list is not that of {last.release},"
            " which was published",
            hint=f"Base the manifest on {last.release} as it was published: its quorum may change it.",
        )
