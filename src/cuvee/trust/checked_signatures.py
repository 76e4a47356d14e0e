"""Signatures of keys in files, devices and services, each verified before it is used."""

from typing import TYPE_CHECKING, Any

from cuvee.errors import UsageError
from cuvee.trust.site_roles import short

if TYPE_CHECKING:
    from securesystemslib.signer import Signature, Signer
    from tuf.api.metadata import Metadata


def checked_signature(signer: "Signer", message: bytes) -> "Signature":
    """Return a signature of ``message`` that the signer's public key verifies.

    Raises
    ------
    UsageError
        If the device or the service does not sign, or signs with another key.
    """
    from securesystemslib.exceptions import Error

    public = signer.public_key
    try:
        signature = signer.sign(message)
    except Exception as error:  # each library of a device or a service has its own
        said = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise UsageError(
            f"The key {short(public.keyid)} did not sign: {said}",
            hint="Connect the device or log in to the service, check its PIN and the URI, and run the same "
            "command again.",
        ) from error
    try:
        public.verify_signature(signature, message)
    except Error as error:
        raise UsageError(
            f"The signature is not of the public key {short(public.keyid)}",
            hint="Name the public key that belongs to the private key.",
        ) from error
    return signature


def add_signature(metadata: "Metadata[Any]", signer: "Signer") -> None:
    """Sign metadata; it keeps the signatures that it has.

    Raises
    ------
    UsageError
        As `checked_signature` does.
    """
    signature = checked_signature(signer, metadata.signed_bytes)
    metadata.signatures[signature.keyid] = signature
