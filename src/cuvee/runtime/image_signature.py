"""Who made a release: the publisher's signature, and the key that a prefix remembers.

The manifest's hash is signed. The manifest has the hashes of stage 0, with this code in it, and of all
frames, so the signature covers all but the shell text in front. `installer_handover` lets a prefix check the
next installer before anything of it runs.
"""

from __future__ import annotations

import binascii
import os

from .ed25519 import KEY, SIGNATURE, verify
from .failure import DAMAGED, USAGE, InstallError, damaged
from .payload_manifest import PayloadManifest

_OPTION = "--key="
NEW_KEY = "--new-key"
"""The option that allows an upgrade that somebody else signed."""
_DER = bytes.fromhex("302a300506032b6570032100")  # before the key in a PEM file, RFC 8410
_BEGIN, _END = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"


def check(
    manifest: PayloadManifest, sha256: str, installer: str, payload: int, signature_at: int | None = None
) -> None:
    """Raise if a manifest, whose hash is ``sha256``, names a key that did not sign it.

    The manifest says where in the payload the signature is, but not in a delta: that has it ``signature_at``.
    """
    if manifest.key is None:
        return
    try:
        public, at = bytes.fromhex(manifest.key[0]), max(0, int(manifest.key[1]))
        with open(installer, "rb") as stream:
            stream.seek(payload + at if signature_at is None else signature_at)
            signature = stream.read(SIGNATURE)
    except (IndexError, TypeError, ValueError, OverflowError):
        raise damaged("The installer's signature") from None
    if not verify(public, f"cuvee image {sha256}\n".encode(), signature):
        raise damaged("The installer's signature")


def demand(manifest: PayloadManifest, options: frozenset[str]) -> None:
    """Raise if a release is not signed by the key that the option ``--key=`` names."""
    for option in options:
        if option.startswith(_OPTION):
            wanted = read_key(option[len(_OPTION) :])
            if manifest.key is None or manifest.key[0] != wanted:
                raise InstallError(f"This installer {_by(manifest)}, not by {wanted}.", DAMAGED)


def demand_same(old: PayloadManifest, new: PayloadManifest, options: frozenset[str]) -> None:
    """Raise if an upgrade is not signed by the key of the release that is there."""
    if old.key is None or NEW_KEY in options or (new.key is not None and new.key[0] == old.key[0]):
        return
    raise InstallError(
        f"{old.label} was signed by {old.key[0]}, but the new release {_by(new)}. Make sure "
        f"that it comes from the same people; {NEW_KEY} then allows the other key.",
        DAMAGED,
    )


def read_key(text: str) -> str:
    """Return a public key as hex digits; ``text`` has those, or names a PEM file."""
    if os.path.isfile(text):
        try:
            with open(text, encoding="ascii") as stream:
                body = stream.read().partition(_BEGIN)[2].partition(_END)[0]
            der = binascii.a2b_base64("".join(body.split()))
        except ValueError:
            der = b""
        if der.startswith(_DER) and len(der) == len(_DER) + KEY:
            return der[len(_DER) :].hex()
    elif len(text) == 2 * KEY and not text.strip("0123456789abcdefABCDEF"):
        return text.lower()
    raise InstallError(f"{text} is not a public key: give its 64 hex digits, or a PEM file.", USAGE)


def _by(manifest: PayloadManifest) -> str:
    return "is not signed" if manifest.key is None else f"is signed by {manifest.key[0]}"
