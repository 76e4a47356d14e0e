"""Attesting the packages of a release that is published, with the keys of its track."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cuvee.approvals.approval_statement import to_be_signed
from cuvee.approvals.person_key import PublicKeyText
from cuvee.files import sha256_bytes
from cuvee.release.published_channel import ChannelPlan
from cuvee.trust.checked_signatures import checked_signature
from cuvee.trust.publish_attestations import (
    FIELD,
    SUFFIX,
    attested_by,
    key_hint,
    publish_statement,
    sidecar,
    sigstore_bundle,
)

if TYPE_CHECKING:
    from securesystemslib.signer import Key, Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Attester:
    """Who attests, and where what was attested before is read.

    Attributes
    ----------
    signers
        Those of the track's keys that are at hand.
    read
        Returns a file of the channel as it was signed; `None` if it was not.
    """

    signers: "tuple[Signer, ...]"
    read: Callable[[str], bytes | None]


def attest(plan: ChannelPlan, paths: Iterable[str], attester: Attester, *, channel: str) -> dict[str, bytes]:
    """Return the files with the attestations of packages, by path in the channel.

    The plan's index then names them.
    A package that has an attestation of each key stays as it is. What never changes comes first.

    Parameters
    ----------
    paths
        Archives of the plan, ``<subdir>/<file>``.
    channel
        Where the channel is published; empty if that is not known.
    """
    publics = {public_text(signer.public_key): signer for signer in attester.signers}
    fixed: dict[str, bytes] = {}
    current: dict[str, bytes] = {}
    for path in paths:
        subdir, _, name = path.partition("/")
        record = plan.records[subdir][name]
        before = attester.read(f"{path}{SUFFIX}.{record[FIELD]}") if FIELD in record else None
        known = attested_by(before) if before is not None else frozenset()
        statement = publish_statement(name, record["sha256"], channel=channel)
        bundles = [
            sigstore_bundle(statement, public, _signature(signer, statement))
            for public, signer in publics.items()
            if key_hint(public) not in known
        ]
        if not bundles:
            continue
        data = sidecar(before, bundles)
        record[FIELD] = sha256_bytes(data)
        fixed[f"{path}{SUFFIX}.{record[FIELD]}"] = current[f"{path}{SUFFIX}"] = data
    return {**fixed, **current}


def _signature(signer: "Signer", statement: bytes) -> bytes:
    return bytes.fromhex(checked_signature(signer, to_be_signed(statement)).signature)


def public_text(key: "Key") -> PublicKeyText:
    """Return a key of python-tuf as others write it."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    public = str(key.keyval["public"])
    if key.scheme == "ed25519":
        return PublicKeyText.of(Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)))
    return PublicKeyText.read_pem(public.encode())
