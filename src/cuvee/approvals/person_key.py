"""The public key of a person, with the organisation that they stand for and the period in which it counts."""

import base64
import binascii
import datetime as dt
import enum
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class KeyKind(enum.Enum):
    """What kind of key it is; ECDSA is on the curve P-256, with SHA-256."""

    ED25519 = "ed25519"
    ECDSA = "ecdsa"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKeyText:
    """A public key as the manifest has it: its SubjectPublicKeyInfo in DER, as one line of base64.

    The same key always has the same text, whatever file it came from, so that two texts can be compared.
    https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.7
    """

    text: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return a key; raises `ValueError` if it is none, or of a kind that is not supported."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        try:
            key = load_der_public_key(base64.b64decode("".join(text.split()), validate=True))
        except (binascii.Error, ValueError, UnsupportedAlgorithm) as error:
            raise ValueError("it is not a public key in base64") from error
        return cls.of(key)

    @classmethod
    def read_pem(cls, data: bytes) -> Self:
        """Return the key of a PEM file; raises `ValueError` like `parse`."""
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        try:
            key = load_pem_public_key(data)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ValueError("it is not a public key in PEM") from error
        return cls.of(key)

    @classmethod
    def of(cls, key: object) -> Self:
        """Return the text of a key of `cryptography`; raises `ValueError` like `parse`."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return cls(
            text=base64.b64encode(
                supported(key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            ).decode()
        )

    def __str__(self) -> str:
        return self.text

    @property
    def der(self) -> bytes:
        """The key in DER."""
        return base64.b64decode(self.text)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the key in DER, in hex."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def kind(self) -> KeyKind:
        """What kind of key it is."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        return KeyKind.ED25519 if isinstance(self.loaded(), Ed25519PublicKey) else KeyKind.ECDSA

    @property
    def pem(self) -> str:
        """The key in PEM, as OpenSSL reads it."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        return self.loaded().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def loaded(self) -> "Ed25519PublicKey | EllipticCurvePublicKey":
        """Return the key as `cryptography` has it."""
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        return supported(load_der_public_key(self.der))

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether a signature of ``message`` was made with the private key."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.hashes import SHA256

        key = self.loaded()
        try:
            if isinstance(key, Ed25519PublicKey):
                key.verify(signature, message)
            else:
                key.verify(signature, message, ECDSA(SHA256()))
        except (InvalidSignature, ValueError):
            return False
        return True


def supported(key: object) -> "Ed25519PublicKey | EllipticCurvePublicKey":
    """Return a public key of a supported kind; raises `ValueError` for another."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if isinstance(key, Ed25519PublicKey):
        return key
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key
    raise ValueError("it is neither an Ed25519 key nor an ECDSA key on the curve P-256")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonKey:
    """A person: a name, the organisation that they stand for, their public key, and its period.

    Attributes
    ----------
    since, until
        The first and the last day on which the key counts.
    """

    name: str
    organisation: str
    since: dt.date
    until: dt.date
    public: PublicKeyText

    def is_valid_on(self, day: dt.date) -> bool:
        """Whether the key counts on a day."""
        return self.since <= day <= self.until
