"""Who made a release: the publisher's signature, and the key that a prefix remembers.

What is signed is the manifest's hash. The manifest names the hashes of stage 0, with this code in it, and of
all frames, so the signature speaks for all but the shell text in front. That text is not asked to judge
itself: `handover` lets a prefix check the next installer before anything of it runs.
"""

from __future__ import annotations

import binascii
import os

from .ed25519 import KEY, SIGNATURE, verify
from .failure import DAMAGED, USAGE, InstallError, damaged
from .manifest import Manifest

_OPTION = "--key="
NEW_KEY = "--new-key"
"""The option that lets an upgrade come from somebody else."""
_DER = bytes.fromhex("302a300506032b6570032100")  # what comes before the key in a PEM file, RFC 8410
_BEGIN, _END = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"


def check(manifest: Manifest, sha256: str, installer: str, payload: int) -> None:
    """Hold a manifest, whose hash is ``sha256``, to the installer's signature, if it names a key."""
    if manifest.key is None:
        return
    try:
        public, at = bytes.fromhex(manifest.key[0]), max(0, int(manifest.key[1]))
        with open(installer, "rb") as stream:
            stream.seek(payload + at)
            signature = stream.read(SIGNATURE)
    except (IndexError, TypeError, ValueError, OverflowError):
        raise damaged("The installer's signature") from None
    if not verify(public, f"cuvee image {sha256}\n".encode(), signature):
        raise damaged("The installer's signature")


def demand(manifest: Manifest, options: frozenset[str]) -> None:
    """Refuse what is not signed by the key that the option ``--key=`` names."""
    for option in options:
        if option.startswith(_OPTION):
            wanted = read_key(option[len(_OPTION) :])
            if manifest.key is None or manifest.key[0] != wanted:
                raise InstallError(f"This installer {_by(manifest)}, not by {wanted}.", DAMAGED)


def demand_same(old: Manifest, new: Manifest, options: frozenset[str]) -> None:
    """Refuse an upgrade that is not signed by the key of the release that is there."""
    if old.key is None or NEW_KEY in options or (new.key is not None and new.key[0] == old.key[0]):
        return
    raise InstallError(
        f"{old.title} {old.version} was signed by {old.key[0]}, but the new release {_by(new)}. Make sure "
        f"that it comes from the same people; {NEW_KEY} then allows the other key.",
        DAMAGED,
    )


def read_key(text: str) -> str:
    """Give a public key as hex digits; ``text`` has those, or names a PEM file."""
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
    raise InstallError(f"{text} is no public key: give its 64 hex digits, or a PEM file.", USAGE)


def _by(manifest: Manifest) -> str:
    return "is not signed" if manifest.key is None else f"is signed by {manifest.key[0]}"
