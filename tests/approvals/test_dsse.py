"""Envelopes and statements as their specifications say, compared with other implementations."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approving import SUBJECTS, approval, private_key, statement
from cuvee.approvals.approval_statement import PAYLOAD_TYPE, PREDICATE_TYPE, ApprovalStatement
from cuvee.approvals.dsse import LARGEST_ENVELOPE, Envelope, EnvelopeError, pae
from cuvee.approvals.person_key import PublicKeyText
from cuvee.process import Request
from cuvee.process import run as run_program
from cuvee.trust.key_files import library_key
from needed_programs import needed


def test_the_example_of_the_specification() -> None:
    """https://github.com/secure-systems-lab/dsse/blob/master/protocol.md."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_lengths_are_those_of_bytes() -> None:
    assert pae("ä", b"") == "DSSEv1 2 ä 0 ".encode()


# ASCII only: securesystemslib 1.3 counts characters.
@given(st.text(st.characters(max_codepoint=127), max_size=50), st.binary(max_size=200))
def test_the_encoding_is_that_of_securesystemslib(kind: str, payload: bytes) -> None:
    dsse = pytest.importorskip("securesystemslib.dsse", reason="needs the extra `test`")
    assert pae(kind, payload) == dsse.Envelope(payload, kind, {}).pae()


def test_securesystemslib_verifies_an_approval_and_we_what_it_signs() -> None:
    dsse = pytest.importorskip("securesystemslib.dsse", reason="needs the extra `test`")
    signer = pytest.importorskip("securesystemslib.signer", reason="needs the extra `test`")
    _, data = approval("ada")
    public = PublicKeyText.of(private_key("ada").public_key())
    known = signer.SSlibKey.from_crypto(public.loaded(), keyid=public.fingerprint)
    theirs = dsse.Envelope.from_dict(json.loads(data))
    assert list(theirs.verify([known], 1)) == [public.fingerprint]
    made = dsse.Envelope(statement(), PAYLOAD_TYPE, {})
    made.sign(signer.CryptoSigner(private_key("ada"), library_key(public)))
    ours = Envelope.parse(json.dumps(made.to_dict()).encode())
    assert public.has_signed(ours.signed, ours.signatures[0].sig)
    assert ApprovalStatement.parse(ours.payload).subjects == SUBJECTS


def test_a_statement_is_one_of_in_toto() -> None:
    value = json.loads(statement())
    assert value["_type"] == "https://in-toto.io/Statement/v1"
    assert value["predicateType"] == PREDICATE_TYPE
    assert value["subject"] == [
        {"name": "checks/findings.json", "digest": {"sha256": "b" * 64}},
        {"name": "lock/pixi.lock", "digest": {"sha256": "a" * 64}},
    ]
    library = pytest.importorskip("in_toto_attestation.v1.statement", reason="needs in-toto-attestation")
    descriptor = pytest.importorskip("in_toto_attestation.v1.resource_descriptor")
    subjects = [
        descriptor.ResourceDescriptor(name=item["name"], digest=item["digest"]).pb
        for item in value["subject"]
    ]
    library.Statement(subjects, value["predicateType"], value["predicate"]).validate()


def test_both_alphabets_of_base64_are_read() -> None:
    payload, sig = b"\xfb\xff\xfe", b"\xff" * 5
    for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
        members = {
            "payloadType": "x",
            "payload": encode(payload).decode(),
            "signatures": [{"sig": encode(sig).decode(), "unknown": 1}],
            "more": 1,
        }
        found = Envelope.parse(json.dumps(members).encode())
        assert (found.payload, found.signatures[0].sig, found.signatures[0].keyid) == (payload, sig, "")
        assert Envelope.parse(found.to_bytes()) == found


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"_type": "https://in-toto.io/Statement/v0.1"}, "not an in-toto statement"),
        ({"predicateType": "https://slsa.dev/provenance/v1"}, "not an approval"),
        ({"predicate": {"decision": "reject"}}, "not to approve"),
        ({"predicate": {"decision": "approve"}}, "lacks release"),
        ({"subject": []}, "no subject"),
        ({"subject": [{"name": "a", "digest": {"sha1": "0"}}]}, "no name, or no SHA-256"),
        ({"subject": [{"name": "a", "digest": {"sha256": "0" * 64}}] * 2}, "names a twice"),
    ],
)
def test_other_statements_are_no_approvals(change: dict[str, object], problem: str) -> None:
    value = json.loads(statement()) | change
    with pytest.raises(EnvelopeError, match=problem):
        ApprovalStatement.parse(json.dumps(value).encode())
    with pytest.raises(EnvelopeError, match="larger than"):
        Envelope.parse(b" " * (LARGEST_ENVELOPE + 1))


@pytest.mark.parametrize("time", ["", "yesterday", "2026-11-30T12:00:00"])
def test_a_time_has_a_zone(time: str) -> None:
    value = json.loads(statement())
    value["predicate"]["time"] = time
    with pytest.raises(EnvelopeError, match="time"):
        ApprovalStatement.parse(json.dumps(value).encode())


@pytest.mark.real
def test_openssl_verifies_an_approval(tmp_path: Path) -> None:
    openssl = needed("openssl")
    members = json.loads(approval("ada")[1])
    payload, sig = (base64.b64decode(text) for text in (members["payload"], members["signatures"][0]["sig"]))
    kind = members["payloadType"].encode()
    signed = b"DSSEv1 " + b" ".join((str(len(kind)).encode(), kind, str(len(payload)).encode(), payload))
    for name, data in (
        ("signed", signed),
        ("sig", sig),
        ("ada.pem", PublicKeyText.of(private_key("ada").public_key()).pem.encode()),
    ):
        (tmp_path / name).write_bytes(data)
    argv = (
        openssl,
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "ada.pem",
        "-rawin",
        "-in",
        "signed",
        "-sigfile",
        "sig",
    )
    assert run_program(Request(argv=argv, cwd=tmp_path)).ok
    (tmp_path / "signed").write_bytes(signed + b" ")
    assert not run_program(Request(argv=argv, cwd=tmp_path)).ok
