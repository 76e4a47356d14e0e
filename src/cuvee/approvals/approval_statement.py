"""What people sign: an in-toto statement about every file of a release, and who may approve it.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
"""

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from cuvee.approvals.dsse import Envelope, EnvelopeError, EnvelopeSignature, pae
from cuvee.approvals.person_key import PublicKeyText
from cuvee.files import parse_json

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
PREDICATE_TYPE = "urn:cuvee:approval:1"

_SHA256 = re.compile("[0-9a-f]{64}")
_MOST_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalStatement:
    """A person's decision that a release may go out.

    Attributes
    ----------
    release
        Its name, such as ``starter-2026.11.0``.
    subjects
        The SHA-256 of each file and value that is approved, by name.
    handle
        The person in the policy, as they say; the key decides.
    time
        When it was signed, as the signer's clock says; aware.
    verdict
        What the release was, as the signer saw it.
    """

    release: str
    subjects: Mapping[str, str]
    handle: str
    time: dt.datetime
    verdict: str

    def to_bytes(self) -> bytes:
        """Return the statement as JSON without spaces, sorted by name."""
        value = {
            "_type": STATEMENT_TYPE,
            "subject": [
                {"name": name, "digest": {"sha256": sha256}} for name, sha256 in sorted(self.subjects.items())
            ],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "decision": "approve",
                "release": self.release,
                "handle": self.handle,
                "time": self.time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "verdict": self.verdict,
            },
        }
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the statement of a payload.

        Raises
        ------
        EnvelopeError
            If it is not the approval of a release.
        """
        try:
            value = parse_json(data)
        except ValueError as error:
            raise EnvelopeError(f"the payload is not JSON: {error}") from error
        if not isinstance(value, dict) or value.get("_type") != STATEMENT_TYPE:
            raise EnvelopeError("the payload is not an in-toto statement of version 1")
        predicate = value.get("predicate")
        if value.get("predicateType") != PREDICATE_TYPE or not isinstance(predicate, dict):
            raise EnvelopeError(f"the statement is not an approval: {value.get('predicateType')}")
        if predicate.get("decision") != "approve":
            raise EnvelopeError(f"the decision is {predicate.get('decision')!r}, not to approve")
        return cls(
            release=_text(predicate, "release"),
            subjects=_subjects(value.get("subject")),
            handle=_text(predicate, "handle"),
            time=_time(_text(predicate, "time")),
            verdict=_text(predicate, "verdict"),
        )

    def differences(self, subjects: Mapping[str, str]) -> tuple[str, ...]:
        """Return how the approved files differ from ``subjects``, a line each; empty if they do not."""
        found = []
        for name in sorted({*self.subjects, *subjects}):
            approved, there = self.subjects.get(name), subjects.get(name)
            if approved is None:
                found.append(f"{name} was not approved")
            elif there is None:
                found.append(f"{name} was approved and is gone")
            elif approved != there:
                found.append(f"{name} has the SHA-256 {there}, and {approved} was approved")
        hidden = len(found) - _MOST_SHOWN
        return tuple([*found[:_MOST_SHOWN], f"and {hidden} more"] if hidden > 0 else found)


def signed_envelope(payload: bytes, public: PublicKeyText, signature: bytes) -> Envelope:
    """Return the envelope of a statement; ``signature`` is of `to_be_signed`."""
    return Envelope(
        payload_type=PAYLOAD_TYPE,
        payload=payload,
        signatures=(EnvelopeSignature(keyid=public.fingerprint, sig=signature),),
    )


def to_be_signed(payload: bytes) -> bytes:
    """Return the bytes that a person signs for a statement."""
    return pae(PAYLOAD_TYPE, payload)


def _text(predicate: Mapping[str, Any], name: str) -> str:
    text = predicate.get(name)
    if not isinstance(text, str):
        raise EnvelopeError(f"the approval lacks {name}")
    return text


def _time(text: str) -> dt.datetime:
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise EnvelopeError(f"the approval's time is {text!r}") from error
    if time.tzinfo is None:
        raise EnvelopeError(f"the approval's time {text!r} has no time zone")
    return time.astimezone(dt.UTC)


def _subjects(items: object) -> dict[str, str]:
    if not isinstance(items, list) or not items:
        raise EnvelopeError("the statement has no subject")
    found: dict[str, str] = {}
    for item in items:
        name = item.get("name") if isinstance(item, dict) else None
        digest = item.get("digest") if isinstance(item, dict) else None
        sha256 = digest.get("sha256") if isinstance(digest, dict) else None
        if not isinstance(name, str) or not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
            raise EnvelopeError("a subject of the statement has no name, or no SHA-256")
        if name in found:
            raise EnvelopeError(f"the statement names {name} twice")
        found[name] = sha256
    return found
