"""Attestations of packages by CEP 27, in bundles that Sigstore's models read, served as CEP 50 says."""

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from securesystemslib import dsse
from securesystemslib.signer import CryptoSigner, Signer
from sigstore_models.bundle.v1 import Bundle

from cuvee.errors import IntegrityError
from cuvee.files import sha256_bytes
from cuvee.process import Request
from cuvee.process import run as run_program
from cuvee.release.published_attestations import Attester, attest, public_text
from cuvee.release.published_channel import ChannelPlan
from cuvee.trust.publish_attestations import is_sidecar, publish_statement, sidecar
from in_toto_statements import read_statement
from needed_programs import needed
from signed_sites import KEYS, SIGNERS

NAME = "six-1.17.0-py_0.conda"
PATH = f"noarch/{NAME}"
CHANNEL = "https://conda.example/own"


def plan(**record: Any) -> ChannelPlan:
    value = {"name": "six", "sha256": "ab" * 32, **record}
    return ChannelPlan(channel=Path("channel"), records={"noarch": {NAME: value}})


def attested(
    channel: ChannelPlan, *signers: str | Signer, before: dict[str, bytes] | None = None
) -> dict[str, bytes]:
    chosen = tuple(SIGNERS[name] if isinstance(name, str) else name for name in signers)
    attester = Attester(signers=chosen, read=(before or {}).get)
    return attest(channel, [PATH], attester, channel=f"{CHANNEL}/")


def bundles(data: bytes) -> list[Bundle]:
    return [Bundle.from_json(json.dumps(item)) for item in json.loads(data)]


def test_the_statement_is_that_of_cep_27() -> None:
    value = json.loads(publish_statement(NAME, "ab" * 32, channel=f"{CHANNEL}/"))
    assert value == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": NAME, "digest": {"sha256": "ab" * 32}}],
        "predicateType": "https://schemas.conda.org/attestations-publish-1.schema.json",
        "predicate": {"targetChannel": CHANNEL},
    }
    assert "predicate" not in json.loads(publish_statement(NAME, "ab" * 32))
    read_statement(publish_statement(NAME, "ab" * 32, channel=CHANNEL))


def test_both_addresses_have_the_bytes_that_repodata_names() -> None:
    channel = plan()
    made = attested(channel, "stable")
    sha256 = channel.records["noarch"][NAME]["attestations_sha256"]
    assert list(made) == [f"{PATH}.sigs.{sha256}", f"{PATH}.sigs"], "what never changes comes first"
    assert {sha256_bytes(data) for data in made.values()} == {sha256}
    assert all(map(is_sidecar, made))
    assert not is_sidecar(f"channel/{PATH}")


def test_a_bundle_is_one_of_sigstore_that_another_library_verifies() -> None:
    ecdsa = CryptoSigner(generate_private_key(SECP256R1()))
    (found, other) = bundles(attested(plan(), "stable", ecdsa)[f"{PATH}.sigs"])
    for bundle, key in ((found, KEYS["stable"]), (other, ecdsa.public_key)):
        assert bundle.media_type == "application/vnd.dev.sigstore.bundle.v0.3+json"
        hint = base64.b64encode(hashlib.sha256(public_text(key).der).digest()).decode()
        assert bundle.verification_material.public_key is not None
        assert bundle.verification_material.public_key.hint == hint
        envelope = bundle.dsse_envelope
        assert envelope is not None
        assert envelope.payload_type == "application/vnd.in-toto+json"
        theirs = dsse.Envelope.from_dict(json.loads(envelope.to_json()))
        theirs.verify([_as_named(key)], 1)
        assert json.loads(theirs.payload)["subject"][0]["digest"] == {"sha256": "ab" * 32}


def _as_named(key: Any) -> Any:
    """Return a key with the id that envelopes name it by."""
    from securesystemslib.signer import SSlibKey

    public = public_text(key)
    return SSlibKey.from_crypto(public.loaded(), keyid=public.fingerprint)


@pytest.mark.real
def test_openssl_verifies_it(tmp_path: Path) -> None:
    """The commands of docs/reference/trust.md, but for reading JSON."""
    openssl = needed("openssl")
    envelope = json.loads(attested(plan(), "stable")[f"{PATH}.sigs"])[0]["dsseEnvelope"]
    payload = base64.b64decode(envelope["payload"])
    signed, signature, pem = (tmp_path / name for name in ("signed", "signature", "key.pem"))
    signature.write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    pem.write_text(public_text(KEYS["stable"]).pem)
    files = ("-inkey", str(pem), "-in", str(signed), "-sigfile", str(signature))
    argv = (openssl, "pkeyutl", "-verify", "-pubin", "-rawin", *files)
    for data, good in ((payload, True), (payload.replace(b"ab", b"ac"), False)):
        signed.write_bytes(b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(data), data))
        assert run_program(Request(argv=argv)).ok is good


def test_what_is_attested_is_not_attested_again() -> None:
    channel = plan()
    made = attested(channel, "stable")
    before = dict(channel.records["noarch"][NAME])
    assert attested(channel, "stable", before=made) == {}
    assert channel.records["noarch"][NAME] == before


def test_another_key_adds_a_bundle_and_leaves_the_others_as_they_are() -> None:
    channel = plan()
    first = attested(channel, "stable")
    second = attested(channel, "edge", before=first)
    old, new = first[f"{PATH}.sigs"], second[f"{PATH}.sigs"]
    assert new.startswith(old.removesuffix(b"\n]\n"))
    assert [item.verification_material.public_key for item in bundles(new)][:1] == [
        item.verification_material.public_key for item in bundles(old)
    ]
    assert len(bundles(new)) == 2
    assert not {path for path in first if path != f"{PATH}.sigs"} & second.keys(), "the old one stays"


def test_without_a_key_nothing_is_attested() -> None:
    channel = plan()
    assert attested(channel) == {}
    assert "attestations_sha256" not in channel.records["noarch"][NAME]


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'[{"verificationMaterial": {}}]', b"[1]"])
def test_attestations_that_cuvee_does_not_write_are_refused(data: bytes) -> None:
    channel = plan(attestations_sha256=sha256_bytes(data))
    with pytest.raises(IntegrityError, match="are not what cuvee writes"):
        attested(channel, "stable", before={f"{PATH}.sigs.{sha256_bytes(data)}": data})


def test_a_file_in_another_form_gets_no_more() -> None:
    with pytest.raises(IntegrityError):
        sidecar(b"[ ]", [b"{}"])
