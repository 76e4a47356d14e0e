"""Approving a release: what a person sees, what they sign, and whether enough have."""

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path

from cuvee.approvals.approval_files import APPROVALS
from cuvee.approvals.approval_policy import Approver
from cuvee.approvals.approval_statement import ApprovalStatement, signed_envelope, to_be_signed
from cuvee.approvals.person_key import PublicKeyText
from cuvee.approvals.quorum import Quorum
from cuvee.errors import BlockedError, UsageError
from cuvee.files import write_bytes
from cuvee.graph.findings import Finding, Verdict
from cuvee.integration.outcomes import OutcomeState
from cuvee.release.record import Release, approval_request, judge_content
from cuvee.release.signing import verify_files
from cuvee.trust.key_files import KeySigner

_HANDLE = re.compile(r"\w[\w.-]*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseToApprove:
    """What a person must know before they approve.

    Attributes
    ----------
    content
        The verdict of the release without approvals.
    waived
        What was accepted, a line each, with who decided.
    changes
        What differs from the base, a line each; `None` if that is not known.
    subjects
        What is signed: the SHA-256 of each file and value, by name.
    """

    release: Release
    content: Verdict
    waived: tuple[str, ...]
    changes: tuple[str, ...] | None
    subjects: dict[str, str]


def release_to_approve(folder: Path, today: dt.date) -> ReleaseToApprove:
    """Return what is to be approved in a release folder, every file of which is compared with its record.

    Raises
    ------
    UsageError
        If no release has been cut there, or its manifest asks for no approvals.
    BlockedError
        If it is not ready for approval.
    IntegrityError
        If a file is not what was cut.
    """
    release = Release.open(folder, today=today)
    if not release.manifest.policy.approval_policies:
        raise UsageError(
            f"The manifest of {release.name} asks for no approvals",
            hint="`policy.approvals` says who must approve; docs/howto/approve.md shows it.",
        )
    content = judge_content(release)
    if content.exit_code:
        raise BlockedError(
            f"{release.name} is {content.value}, so it cannot be approved: {content.must_act}",
            hint=f"`cuvee report {folder}` says what must be done first.",
        )
    verify_files(release)
    request = approval_request(release, today)
    return ReleaseToApprove(
        release=release,
        content=content,
        waived=_waived(release),
        changes=_changes(release),
        subjects=dict(request.subjects),
    )


def approver_of(release: Release, public: PublicKeyText) -> Approver:
    """Return whose key it is in a list of the release.

    Raises
    ------
    UsageError
        If no person of the lists has it.
    """
    for policy in release.manifest.policy.approval_policies:
        for person in policy.people:
            if person.person.public == public:
                return person
    raise UsageError(
        f"The key {public.fingerprint} is of no person in the lists of {release.name}",
        hint="Add it to `policy.approvals.people`: `cuvee keys show` prints the lines. Or use another key.",
    )


def approve(asked: ReleaseToApprove, signer: KeySigner, now: dt.datetime) -> Path:
    """Sign a release for a person, and write the approval into its folder; return the file.

    Raises
    ------
    UsageError
        If the key is of no person of the lists, or does not count today.
    """
    approver = approver_of(asked.release, signer.public)
    person = approver.person
    if not person.is_valid_on(now.date()):
        raise UsageError(
            f"The key of {person.name} counts from {person.since} to {person.until}; today is {now.date()}",
            hint="If the clock is right, make a new key with `cuvee keys new`, and change the list in the "
            "manifest.",
        )
    statement = ApprovalStatement(
        release=asked.release.name,
        subjects=asked.subjects,
        handle=approver.handle,
        time=now,
        verdict=asked.content.value,
    ).to_bytes()
    signature = signer.sign(to_be_signed(statement))
    name = approver.handle if _HANDLE.fullmatch(approver.handle) else signer.public.fingerprint
    path = asked.release.folder / APPROVALS / f"{name}.json"
    write_bytes(path, signed_envelope(statement, signer.public, signature).to_bytes())
    return path


def require_approvals(
    folder: Path, today: dt.date | None = None, *, revoked: frozenset[str] = frozenset()
) -> Release:
    """Return the release in a folder if enough people have approved exactly its files.

    A release whose manifest asks for no approvals needs none; one with another verdict is for the caller.

    Raises
    ------
    BlockedError
        If the quorum is not reached; it says what is missing, and why approvals do not count.
    IntegrityError
        If a file is not what was cut and approved.
    """
    release = Release.open(folder, today=today, revoked=revoked)
    if not release.manifest.policy.approval_policies or judge_content(release).exit_code:
        return release
    verify_files(release)
    if not all(quorum.is_reached for quorum in release.quorums):
        raise BlockedError(
            "\n".join([f"{release.name} is not approved:", *(f"  {line}" for line in quorum_lines(release))]),
            hint=f"Run `cuvee approve {folder} --key KEY`, or copy approvals into {folder / APPROVALS}.",
        )
    return release


def quorum_lines(release: Release) -> list[str]:
    """Return who has approved a release, who is missing, and which approvals do not count, a line each."""
    lines = []
    for quorum in release.quorums:
        lines += _lines(quorum, of_base=quorum.policy is release.manifest.policy.approvals_of_base)
    return list(dict.fromkeys(lines))


def _lines(quorum: Quorum, *, of_base: bool) -> list[str]:
    whose = " of the list of the base, which was changed" if of_base else ""
    have = ", ".join(item.title for item in quorum.approved)
    lines = [f"approved by {have}{whose}"] if have else []
    if quorum.missing:
        lines.append(f"missing{whose}: {', '.join(quorum.missing)}")
        if quorum.open:
            lines.append(f"can approve{whose}: {', '.join(item.title for item in quorum.open)}")
    if quorum.impossible:
        lines.append(f"cannot be reached{whose}: {quorum.impossible}")
    lines += [
        f"{item.source} does not count{whose}: {item.problem}" for item in quorum.judged if item.problem
    ]
    return lines


def _waived(release: Release) -> tuple[str, ...]:
    findings = [item for item in release.findings if item.verdict is Verdict.WAIVED]
    tests = [item for item in release.outcomes if item.state is OutcomeState.WAIVED]
    return (
        *(_finding(item) for item in findings),
        *(f"test {item.suite}/{item.test} on {item.platform}" for item in tests),
    )


def _finding(item: Finding) -> str:
    return f"[{item.check}] {item.cause} ({item.waived_because or 'waived'})"


def _changes(release: Release) -> tuple[str, ...] | None:
    if release.changes is None:
        return None
    return tuple(
        f"{item.kind.value}: {item.package} {' to '.join(filter(None, (item.before, item.after)))}"
        for item in release.changes
    )
