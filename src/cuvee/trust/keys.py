"""Keys and signatures: Ed25519, as everybody's tools know it.

A key is made by ``openssl genpkey -algorithm ed25519``. What is signed, and what that is worth, is told in
docs/howto/verification.md.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cuvee.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

# The head of every public Ed25519 key in DER, RFC 8410; 32 bytes follow.
_DER = bytes.fromhex("302a300506032b6570032100")
_SIZE = 32
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----(.+?)-----END PUBLIC KEY-----", re.DOTALL)
_MAKE = "Make a key with `openssl genpkey -algorithm ed25519 -out FILE`."


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """The private key of those who publish a distribution; it shows itself nowhere.

    Attributes
    ----------
    public
        Its public half, 32 bytes.
    """

    public: bytes
    _private: "Ed25519PrivateKey" = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a private key from a PEM file (PKCS #8, not encrypted).

        Raises
        ------
        UsageError
            If the file can't be read, or holds no such key.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            private = load_pem_private_key(path.read_bytes(), password=None)
        except OSError as error:
            raise UsageError(
                f"The signing key {path} can not be read: {error.strerror}", hint=_MAKE
            ) from error
        except TypeError as error:
            raise UsageError(
                f"The signing key {path} is encrypted",
                hint="Decrypt it into a file that only the signing job can read.",
            ) from error
        except (ValueError, binascii.Error) as error:
            raise UsageError(f"{path} holds no private key in PEM", hint=_MAKE) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise UsageError(f"{path} holds a key that is not Ed25519", hint=_MAKE)
        return cls(public=private.public_key().public_bytes_raw(), _private=private)

    def sign(self, message: bytes) -> bytes:
        """Give the signature of ``message``, 64 bytes; the same message, the same signature."""
        return self._private.sign(message)


def public_pem(public: bytes) -> str:
    """Give a public key as PEM, which openssl reads."""
    text = base64.b64encode(_DER + public).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"


def read_public_key(text: str) -> bytes:
    """Read a public key: 64 hex digits, or PEM.

    Raises
    ------
    UsageError
        If it is neither.
    """
    if _HEX.fullmatch(text.strip()):
        return bytes.fromhex(text.strip())
    found = _PEM.search(text)
    try:
        der = base64.b64decode("".join(found[1].split()), validate=True) if found else b""
    except binascii.Error:
        der = b""
    if not der.startswith(_DER) or len(der) != len(_DER) + _SIZE:
        raise UsageError("That is no public Ed25519 key", hint="Give 64 hex digits, or a PEM file.")
    return der[len(_DER) :]
