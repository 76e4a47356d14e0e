"""Attestations of published packages: who has published these bytes, and to which channel.

The statement is that of CEP 27, https://github.com/conda/ceps/blob/main/cep-0027.md, in a bundle of Sigstore,
https://docs.sigstore.dev/about/bundle/, which names a public key instead of a certificate. All bundles of a
package are one file beside it, which repodata names: https://github.com/conda/ceps/blob/main/cep-0050.md.
"""

import base64
import hashlib
from collections.abc import Iterable
from typing import Any

from cuvee.approvals.approval_statement import STATEMENT_TYPE, signed_envelope
from cuvee.approvals.person_key import PublicKeyText
from cuvee.errors import IntegrityError
from cuvee.files import canonical_json, parse_json

PREDICATE_TYPE = "https://schemas.conda.org/attestations-publish-1.schema.json"
BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
FIELD = "attestations_sha256"
"""The field of a record in repodata that has the hash of the file of bundles."""

SUFFIX = ".sigs"
_BEGIN, _BETWEEN, _END = b"[\n", b",\n", b"\n]\n"


def is_sidecar(path: str) -> bool:
    """Whether a file of a channel has the attestations of a package."""
    name = path.rpartition("/")[2]
    return f".conda{SUFFIX}" in name


def publish_statement(file_name: str, sha256: str, *, channel: str = "") -> bytes:
    """Return what is signed of a package: its name and hash, and the channel's URL if it is known."""
    statement: dict[str, Any] = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": file_name, "digest": {"sha256": sha256}}],
        "predicateType": PREDICATE_TYPE,
    }
    if channel:
        statement["predicate"] = {"targetChannel": channel.rstrip("/")}
    return canonical_json(statement)


def key_hint(public: PublicKeyText) -> str:
    """Return how a bundle names a key: the SHA-256 of the key in DER, in base64, as cosign writes it."""
    return base64.b64encode(hashlib.sha256(public.der).digest()).decode()


def sigstore_bundle(statement: bytes, public: PublicKeyText, signature: bytes) -> bytes:
    """Return the bundle of a statement; ``signature`` is of `cuvee.approvals.dsse.pae`."""
    envelope = parse_json(signed_envelope(statement, public, signature).to_bytes())
    bundle = {
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {"publicKey": {"hint": key_hint(public)}, "tlogEntries": []},
        "dsseEnvelope": envelope,
    }
    return canonical_json(bundle).rstrip()


def sidecar(before: bytes | None, bundles: Iterable[bytes]) -> bytes:
    """Return the file of bundles with more of them: those that it has stay as they are.

    Raises
    ------
    IntegrityError
        If the file is not one that this function has written.
    """
    added = _BETWEEN.join(bundles)
    if before is None:
        return _BEGIN + added + _END
    if not (before.startswith(_BEGIN) and before.endswith(_END)):
        raise _unknown()
    return before.removesuffix(_END) + _BETWEEN + added + _END if added else before


def attested_by(data: bytes) -> frozenset[str]:
    """Return the hints of the keys whose bundles a file has.

    Raises
    ------
    IntegrityError
        If it is not a file of bundles.
    """
    try:
        return frozenset(item["verificationMaterial"]["publicKey"]["hint"] for item in parse_json(data))
    except (ValueError, LookupError, TypeError) as error:
        raise _unknown() from error


def _unknown() -> IntegrityError:
    return IntegrityError(
        "The attestations of a published package are not what cuvee writes",
        hint="Restore the channel of the site from a copy.",
    )
