"""Whether the people of a policy have approved exactly this release. Pure: envelopes in, an answer out."""

import datetime as dt
import fnmatch
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cuvee.approvals.approval_policy import ApprovalPolicy, Approver
from cuvee.approvals.approval_statement import PAYLOAD_TYPE, ApprovalStatement
from cuvee.approvals.dsse import Envelope, EnvelopeError
from cuvee.approvals.person_key import PublicKeyText

_CLOCKS_DIFFER = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """What is to be approved, and on which day that is asked.

    Attributes
    ----------
    subjects
        The SHA-256 of each file and value of the release, by name.
    level
        The level of the release, see `LEVELS`.
    accepted
        The checks and tests that are waived, or have findings that need approval.
    day
        A key counts only if this day is in its period.
    revoked
        Fingerprints of keys that no longer count.
    """

    release: str
    subjects: Mapping[str, str]
    level: str
    accepted: tuple[str, ...] = ()
    day: dt.date
    revoked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedApproval:
    """An approval of one policy's list, and why it does not count.

    Attributes
    ----------
    source
        The name of its file.
    approver
        Who signed it; `None` if no person of the list did.
    problem
        Empty if it counts.
    """

    source: str
    approver: Approver | None = None
    time: dt.datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """How far the quorum of one policy is reached.

    Attributes
    ----------
    approved
        Who has approved, one entry per key, sorted by handle.
    missing
        What is lacking, a phrase each: ``1 more person``. Empty if it is reached.
    open
        Whose approval would count and is not there.
    impossible
        Why it cannot be reached, with who must act; empty if it can.
    """

    policy: ApprovalPolicy
    judged: tuple[JudgedApproval, ...] = ()
    approved: tuple[Approver, ...] = ()
    missing: tuple[str, ...] = ()
    open: tuple[Approver, ...] = ()
    impossible: str = ""

    @property
    def is_reached(self) -> bool:
        """Whether enough people have approved."""
        return not self.missing


def judge_quorum(
    policy: ApprovalPolicy, request: ApprovalRequest, files: Sequence[tuple[str, bytes]]
) -> Quorum:
    """Return how far a policy's quorum is reached by the approvals in files, each with its name."""
    judged = tuple(item for source, data in files for item in _judge(policy, request, source, data))
    approved = distinct([item.approver for item in judged if item.approver and not item.problem])
    able = distinct([item for item in policy.people if not _unusable(item, request)])
    taken = {item.person.public for item in approved}
    waiting = tuple(item for item in able if item.person.public not in taken)
    return Quorum(
        policy=policy,
        judged=judged,
        approved=approved,
        missing=lacking(policy, request, approved),
        open=waiting,
        impossible=_impossible(policy, request, able),
    )


def distinct(people: Sequence[Approver]) -> tuple[Approver, ...]:
    """Return each person once: who has two entries with one public key is one person.

    Such a person stands for one organisation, that of the first entry, and has only its roles.
    """
    found: dict[PublicKeyText, Approver] = {}
    for item in sorted(people, key=lambda item: item.handle):
        found.setdefault(item.person.public, item)
    return tuple(found.values())


def lacking(
    policy: ApprovalPolicy, request: ApprovalRequest, approved: Collection[Approver]
) -> tuple[str, ...]:
    """Return what a policy needs besides these people, a phrase each."""
    found = []
    count = policy.count - len(approved)
    if count > 0:
        found.append(f"{count} more {'person' if count == 1 else 'people'}")
    organisations = policy.organisations - len({item.person.organisation.casefold() for item in approved})
    if organisations > 0:
        found.append(f"{organisations} more organisation{'' if organisations == 1 else 's'}")
    had = {role for item in approved for role in item.roles}
    found += [f"a person with the role {role}" for role in required_roles(policy, request) if role not in had]
    return tuple(found)


def required_roles(policy: ApprovalPolicy, request: ApprovalRequest) -> tuple[str, ...]:
    """Return the roles that somebody who approves must have."""
    found = [*policy.roles.get(request.level, ())]
    for pattern, roles in sorted(policy.waivers.items()):
        if any(name == pattern or fnmatch.fnmatchcase(name, pattern) for name in request.accepted):
            found += roles
    return tuple(dict.fromkeys(found))


def _judge(
    policy: ApprovalPolicy, request: ApprovalRequest, source: str, data: bytes
) -> Sequence[JudgedApproval]:
    """Return an entry for each person of the list who signed a file, or one that says what is wrong."""
    try:
        signers, statement = _read(policy, data)
    except EnvelopeError as error:
        return (JudgedApproval(source=source, problem=str(error)),)
    problem = _problem(statement, request)
    return [
        JudgedApproval(
            source=source,
            approver=signer,
            time=statement.time,
            problem=problem or _unusable(signer, request) or _unusable_then(signer, statement.time),
        )
        for signer in signers
    ]


def _read(policy: ApprovalPolicy, data: bytes) -> tuple[tuple[Approver, ...], ApprovalStatement]:
    """Return who signed a file, and what; nothing of the payload is read before a signature holds."""
    envelope = Envelope.parse(data)
    if envelope.payload_type != PAYLOAD_TYPE:
        raise EnvelopeError(f"its payload is {envelope.payload_type}, not {PAYLOAD_TYPE}")
    signers = _signers(policy, envelope)
    if not signers:
        known = ", ".join(sorted(item.keyid[:16] for item in envelope.signatures if item.keyid))
        raise EnvelopeError(f"no person of the list has signed it (key {known or 'not named'})")
    return signers, ApprovalStatement.parse(envelope.payload)


def _signers(policy: ApprovalPolicy, envelope: Envelope) -> tuple[Approver, ...]:
    signed = envelope.signed
    return distinct(
        [
            person
            for person in policy.people
            if any(person.person.public.has_signed(signed, item.sig) for item in envelope.signatures)
        ]
    )


def _problem(statement: ApprovalStatement, request: ApprovalRequest) -> str:
    if statement.release != request.release:
        return f"it approves {statement.release}, not {request.release}"
    if statement.time.date() > request.day + _CLOCKS_DIFFER:
        return f"it is dated {statement.time.date()}, after today ({request.day}): one of the clocks is wrong"
    different = statement.differences(request.subjects)
    return f"it approves other bytes: {'; '.join(different)}" if different else ""


def _unusable(approver: Approver, request: ApprovalRequest) -> str:
    """Return why a person's key does not count on the day of a request."""
    person = approver.person
    if person.public.fingerprint in request.revoked:
        return f"the key of {person.name} was revoked"
    if request.day > person.until:
        return f"the key of {person.name} expired on {person.until}"
    if request.day < person.since:
        return f"the key of {person.name} counts only from {person.since}"
    return ""


def _unusable_then(approver: Approver, time: dt.datetime) -> str:
    person, day = approver.person, time.date()
    if day + _CLOCKS_DIFFER < person.since or day > person.until:
        return f"it is dated {day}, and the key of {person.name} counts from {person.since} to {person.until}"
    return ""


def _impossible(policy: ApprovalPolicy, request: ApprovalRequest, able: Collection[Approver]) -> str:
    lost = lacking(policy, request, able)
    if not lost:
        return ""
    why = [reason for item in policy.people if (reason := _unusable(item, request))]
    return f"{', '.join(lost)} would be needed, and {'; '.join(why) or 'the list has no more people'}"
