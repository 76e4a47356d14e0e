"""People with keys, and policies of approval, for tests."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cuvee.approvals.approval_policy import ApprovalPolicy, Approver
from cuvee.approvals.approval_statement import ApprovalStatement, signed_envelope, to_be_signed
from cuvee.approvals.person_key import PersonKey, PublicKeyText
from cuvee.approvals.quorum import ApprovalRequest

TODAY = dt.date(2026, 11, 30)
NOON = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
SINCE, UNTIL = dt.date(2026, 1, 1), dt.date(2027, 12, 31)
SUBJECTS = {"lock/pixi.lock": "a" * 64, "checks/findings.json": "b" * 64}


@cache
def private_key(handle: str) -> Ed25519PrivateKey:
    """Return the key of a person; the same each time."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(handle.encode()).digest())


def approver(
    handle: str,
    organisation: str = "acme",
    roles: Sequence[str] = ("release",),
    *,
    key: str = "",
    since: dt.date = SINCE,
    until: dt.date = UNTIL,
) -> Approver:
    """Return a person of a list, whose key is that of another ``key`` if it is named."""
    public = PublicKeyText.of(private_key(key or handle).public_key())
    person = PersonKey(
        name=handle.title(), organisation=organisation, since=since, until=until, public=public
    )
    return Approver(handle=handle, roles=tuple(roles), person=person)


def policy(
    *people: Approver, count: int = 2, organisations: int = 1, **more: Mapping[str, tuple[str, ...]]
) -> ApprovalPolicy:
    """Return a policy with these people."""
    return ApprovalPolicy(count=count, organisations=organisations, people=people, **more)


def request(
    *,
    subjects: Mapping[str, str] = SUBJECTS,
    day: dt.date = TODAY,
    level: str = "month",
    accepted: tuple[str, ...] = (),
    revoked: frozenset[str] = frozenset(),
) -> ApprovalRequest:
    """Return what is asked for the release ``lab-2026.11.0``."""
    return ApprovalRequest(
        release="lab-2026.11.0", subjects=subjects, level=level, accepted=accepted, day=day, revoked=revoked
    )


def statement(
    handle: str = "ada",
    *,
    release: str = "lab-2026.11.0",
    subjects: Mapping[str, str] = SUBJECTS,
    time: dt.datetime = NOON,
) -> bytes:
    """Return what a person signs."""
    return ApprovalStatement(
        release=release, subjects=subjects, handle=handle, time=time, verdict="ready"
    ).to_bytes()


def approval(
    handle: str,
    *,
    release: str = "lab-2026.11.0",
    subjects: Mapping[str, str] = SUBJECTS,
    time: dt.datetime = NOON,
) -> tuple[str, bytes]:
    """Return the file of a person's approval: its name and its bytes."""
    payload = statement(handle, release=release, subjects=subjects, time=time)
    private = private_key(handle)
    signature = private.sign(to_be_signed(payload))
    public = PublicKeyText.of(private.public_key())
    return f"{handle}.json", signed_envelope(payload, public, signature).to_bytes()
