"""Keys and signatures: Ed25519 (https://www.rfc-editor.org/rfc/rfc8032).

A key is made with ``openssl genpkey -algorithm ed25519``. docs/howto/verification.md says what is signed.
"""

import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from cuvee.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_OTHERS, _GROUP_WRITES, _GROUP_READS = 0o007, 0o020, 0o040
_MAKE = "Make a key with `openssl genpkey -algorithm ed25519 -out FILE`."


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """The private key of a publisher; its `repr` does not show it.

    Attributes
    ----------
    public
        The public key, 32 bytes.
    """

    public: bytes
    _private: "Ed25519PrivateKey" = field(repr=False)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a private key from a PEM file (PKCS #8, not encrypted).

        Raises
        ------
        UsageError
            If the file cannot be read, has no such key, or can be read by others.
        """
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            with path.open("rb") as stream:
                refuse_if_shared(path, os.fstat(stream.fileno()))
                private = load_pem_private_key(stream.read(), password=None)
        except OSError as error:
            raise UsageError(
                f"The signing key {path} cannot be read: {error.strerror}", hint=_MAKE
            ) from error
        except TypeError as error:
            raise UsageError(
                f"The signing key {path} is encrypted",
                hint="Decrypt it into a file that only the signing job can read.",
            ) from error
        except ValueError as error:
            raise UsageError(f"{path} has no private key in PEM format", hint=_MAKE) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise UsageError(f"{path} has a key that is not Ed25519", hint=_MAKE)
        return cls(public=private.public_key().public_bytes_raw(), _private=private)

    def sign(self, message: bytes) -> bytes:
        """Return the signature of ``message``, 64 bytes; equal messages have equal signatures."""
        return self._private.sign(message)


def refuse_if_shared(path: Path, found: os.stat_result, *, what: str = "signing key") -> None:
    """Raise if others can read or change a secret; ``what`` says what it is.

    A secret that Kubernetes mounts belongs to root, and to a group through which this user reads it.
    """
    own = os.name != "nt" and found.st_uid == os.geteuid()
    refused = _OTHERS | _GROUP_WRITES | (_GROUP_READS if own else 0)
    if os.name != "nt" and found.st_mode & refused:
        raise UsageError(
            f"Other users can read or change the {what} {path}",
            hint=f"Run `chmod 600 {shlex.quote(str(path))}`."
            if own
            else f"Copy it: `install -m 600 {shlex.quote(str(path))} FILE`, and name FILE.",
        )


def public_pem(public: bytes) -> str:
    """Return a public key as PEM: https://www.rfc-editor.org/rfc/rfc8410."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = Ed25519PublicKey.from_public_bytes(public)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
