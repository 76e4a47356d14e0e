"""Signed envelopes: DSSE, https://github.com/secure-systems-lab/dsse (version 1.0.2)."""

import base64
import binascii
from dataclasses import dataclass
from typing import Self

from cuvee.files import canonical_json, parse_json

LARGEST_ENVELOPE = 8 << 20
"""Bytes of a file; a statement about ten thousand files has 2 MB."""

_MOST_SIGNATURES = 64


class EnvelopeError(ValueError):
    """A file is not an envelope, or its payload is not what it should be; the text says why."""


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes that are signed (pre-authentication encoding)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeSignature:
    """A signature; ``keyid`` is a hint that nothing vouches for, and may be empty."""

    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A payload with its type and its signatures."""

    payload_type: str
    payload: bytes
    signatures: tuple[EnvelopeSignature, ...]

    @property
    def signed(self) -> bytes:
        """The bytes that are signed."""
        return pae(self.payload_type, self.payload)

    def to_bytes(self) -> bytes:
        """Return the envelope as JSON."""
        return canonical_json(
            {
                "payload": base64.b64encode(self.payload).decode(),
                "payloadType": self.payload_type,
                "signatures": [
                    {"keyid": item.keyid, "sig": base64.b64encode(item.sig).decode()}
                    for item in self.signatures
                ],
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the envelope of a JSON text; members that the specification does not name are ignored.

        Raises
        ------
        EnvelopeError
            If it is not an envelope.
        """
        if len(data) > LARGEST_ENVELOPE:
            raise EnvelopeError(f"it is larger than {LARGEST_ENVELOPE:,} bytes")
        try:
            members = parse_json(data)
        except ValueError as error:
            raise EnvelopeError(f"it is not JSON: {error}") from error
        if not isinstance(members, dict):
            raise EnvelopeError("it is not an envelope of DSSE: no JSON object")
        kind, signatures = members.get("payloadType"), members.get("signatures")
        if not isinstance(kind, str) or not isinstance(signatures, list) or not signatures:
            raise EnvelopeError("it is not an envelope of DSSE: it lacks payloadType or signatures")
        if len(signatures) > _MOST_SIGNATURES:
            raise EnvelopeError(f"it has more than {_MOST_SIGNATURES} signatures")
        return cls(
            payload_type=kind,
            payload=_bytes(members.get("payload"), "payload"),
            signatures=tuple(map(_signature, signatures)),
        )


def _signature(members: object) -> EnvelopeSignature:
    if not isinstance(members, dict):
        raise EnvelopeError("a signature is not an object")
    keyid = members.get("keyid")
    return EnvelopeSignature(
        keyid=keyid if isinstance(keyid, str) else "", sig=_bytes(members.get("sig"), "sig")
    )


def _bytes(text: object, name: str) -> bytes:
    """Return what base64 stands for: the usual alphabet or that of URLs, both are allowed."""
    if not isinstance(text, str):
        raise EnvelopeError(f"{name} is not a text")
    try:
        return base64.b64decode(text.translate(_USUAL), validate=True)
    except (binascii.Error, ValueError) as error:
        raise EnvelopeError(f"{name} is not base64") from error


_USUAL = str.maketrans("-_", "+/")
