"""Keys of people: files that only their owner can read, signers of securesystemslib, and `cuvee keys`."""

import datetime as dt
import json
import stat
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from cuvee.approvals.person_key import KeyKind, PersonKey, PublicKeyText
from cuvee.cli.main import run
from cuvee.errors import IntegrityError, ToolMissingError, UsageError
from cuvee.process import Request
from cuvee.process import run as run_program
from cuvee.trust.key_files import (
    PUBLIC_FORM,
    KeySigner,
    is_uri,
    library_key,
    make_private_key,
    open_signer,
    public_file,
    read_private_key,
    read_public_key,
    write_key,
)
from needed_programs import needed

PASSPHRASE = "four random words here"
DAY = dt.date(2026, 11, 30)


def made(path: Path, kind: KeyKind = KeyKind.ED25519, name: str = "Ada Lovelace") -> PersonKey:
    private = make_private_key(kind)
    person = PersonKey(
        name=name,
        organisation="acme",
        since=DAY,
        until=dt.date(2027, 11, 30),
        public=PublicKeyText.of(private.public_key()),
    )
    write_key(path, private, PASSPHRASE, person)
    return person


def opened(path: Path, person: PersonKey | None = None) -> KeySigner:
    return open_signer(str(path), lambda _: PASSPHRASE, person=person)


@pytest.mark.parametrize("kind", KeyKind)
def test_a_key_is_written_for_its_owner_only_and_signs(tmp_path: Path, kind: KeyKind) -> None:
    path = tmp_path / "keys with a blank" / "ada.pem"
    person = made(path, kind)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert read_public_key(path) == read_public_key(public_file(path)) == person
    assert person.public.kind is kind
    signer = opened(path, person)
    signature = signer.sign(b"message")
    assert person.public.has_signed(b"message", signature)
    assert not person.public.has_signed(b"massage", signature)
    assert not person.public.has_signed(b"message", signature[:-1])
    # securesystemslib checks what its own signer made, and what ours did.
    theirs = signer.signer.sign(b"message")
    library_key(person.public).verify_signature(theirs, b"message")
    assert person.public.has_signed(b"message", bytes.fromhex(theirs.signature))
    assert PASSPHRASE not in repr(signer)


def test_the_same_key_has_one_text_whatever_its_form() -> None:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    text = PublicKeyText.of(public)
    point = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    assert PublicKeyText.of(ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)) == text
    assert PublicKeyText.read_pem(text.pem.encode()) == text
    assert PublicKeyText.parse(f" {text.text[:30]}\n{text.text[30:]} ") == text


@pytest.mark.parametrize("text", ["", "????", "AAAA", "é"])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="public key"):
        PublicKeyText.parse(text)


def test_keys_of_other_kinds_are_refused(tmp_path: Path) -> None:
    for private in (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())):
        with pytest.raises(ValueError, match="neither an Ed25519 key nor"):
            PublicKeyText.of(private.public_key())
        path = tmp_path / "key.pem"
        path.touch(0o600)
        encryption = BestAvailableEncryption(PASSPHRASE.encode())
        path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
        with pytest.raises(UsageError, match="neither an Ed25519 key nor"):
            opened(path)


def test_a_key_that_others_can_read_is_refused_with_the_command(tmp_path: Path) -> None:
    path = tmp_path / "ada's.pem"
    made(path)
    path.chmod(0o644)
    with pytest.raises(UsageError, match="Other users can read") as caught:
        opened(path)
    assert caught.value.hint == f"Run `chmod 600 '{tmp_path}/ada'\"'\"'s.pem'`."


def test_keys_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    path = tmp_path / "ada.pem"
    made(path)
    with pytest.raises(UsageError, match="the passphrase is wrong"):
        read_private_key(path, lambda _: "another passphrase")
    other = made(tmp_path / "bo.pem", name="Bo")
    with pytest.raises(UsageError, match="not the private key of Bo"):
        opened(path, other)
    with pytest.raises(UsageError, match="cannot be read"):
        opened(tmp_path / "nobody.pem")
    path.write_bytes(b"text\n")
    with pytest.raises(UsageError, match="no private key"):
        opened(path)
    plain = ed25519.Ed25519PrivateKey.generate()
    path.write_bytes(plain.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(UsageError, match="not encrypted") as caught:
        opened(path)
    assert "openssl pkcs8 -topk8" in str(caught.value.hint)


def test_a_key_is_never_replaced_and_no_half_is_left(tmp_path: Path) -> None:
    path = tmp_path / "ada.pem"
    made(path)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        made(path)
    assert path.read_bytes() == before
    person = read_public_key(path)
    with pytest.raises(UsageError, match="shorter than 12"):
        write_key(tmp_path / "bo.pem", make_private_key(KeyKind.ED25519), "short", person)
    public_file(tmp_path / "cy.pem").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"cy\.pub\.json exists already"):
        made(tmp_path / "cy.pem")
    assert {item.name for item in tmp_path.iterdir()} == {"ada.pem", "ada.pub.json", "cy.pub.json"}


def test_a_damaged_public_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ada.pem"
    person = made(path)
    data = json.loads(PUBLIC_FORM.to_bytes(person))
    for change in ({"public": "AAAA"}, {"until": "never"}, {"name": 3}, {"more": 1}):
        public_file(path).write_text(json.dumps(data | change), encoding="utf-8")
        with pytest.raises(IntegrityError):
            read_public_key(path)
    public_file(path).write_text(json.dumps(data | {"until": "2020-01-01"}), encoding="utf-8")
    with pytest.raises(UsageError, match="before it begins"):
        read_public_key(path)


def test_devices_and_services_are_named_by_uris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    person = made(tmp_path / "ada.pem")
    with pytest.raises(UsageError, match="public key of hsm:2 is not known"):
        open_signer("hsm:2", lambda _: "1234")
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises((ToolMissingError, UsageError), match="hsm"):
        open_signer("hsm:2", lambda _: "1234", person=person)
    for uri in ("file:ada.pem", f"file2:{tmp_path}/ada.pem"):
        with pytest.raises(UsageError, match="names a file as a URI"):
            open_signer(uri, lambda _: "", person=person)
    with pytest.raises(UsageError, match="Unsupported private key scheme"):
        open_signer("unknown:1", lambda _: "", person=person)
    assert is_uri("gcpkms:projects/a")
    monkeypatch.chdir(tmp_path)
    Path("odd:name.pem").touch()
    assert not is_uri("odd:name.pem")
    assert not is_uri("C:\\keys\\ada.pem")


def test_without_the_library_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path / "ada.pem")
    monkeypatch.setitem(sys.modules, "securesystemslib.signer", None)
    with pytest.raises(ToolMissingError) as caught:
        opened(tmp_path / "ada.pem")
    assert "cuvee[trust]" in str(caught.value.hint)


def test_a_device_that_signs_with_another_key_is_noticed(tmp_path: Path) -> None:
    ada, bo = made(tmp_path / "ada.pem"), made(tmp_path / "bo.pem", name="Bo")
    wrong = KeySigner(public=bo.public, signer=opened(tmp_path / "ada.pem", ada).signer)
    with pytest.raises(UsageError, match="not of the public key"):
        wrong.sign(b"x")


def test_cuvee_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUVEE_KEY_PASSPHRASE", PASSPHRASE)
    path = tmp_path / "ada.pem"
    argv = ["keys", "new", str(path), "--name", "Ada Lovelace", "--organisation", "acme", "--kind", "ecdsa"]
    assert run([*argv, "--since", "2026-11-30"]) == 0
    out, err = capsys.readouterr()
    person = read_public_key(path)
    assert (person.since, person.until) == (DAY, dt.date(2027, 11, 30))
    assert f"    key: {person.public.text}\n" in out
    assert PASSPHRASE not in out + err
    assert opened(path).public == person.public
    assert run(["keys", "show", str(path), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["fingerprint"] == person.public.fingerprint
    assert shown["kind"] == "ecdsa"
    assert run(["keys", "show", str(public_file(path)), "--pem"]) == 0
    assert capsys.readouterr().out == person.public.pem
    assert run(argv) == 2
    assert "exists already" in capsys.readouterr().err
    argv[2:] = [str(tmp_path / "bo.pem"), "--name", "Bo", "--organisation", "a b"]
    assert run(argv) == 2
    assert "not the name of an organisation" in capsys.readouterr().err
    monkeypatch.delenv("CUVEE_KEY_PASSPHRASE")
    argv[-1] = "acme"
    assert run(argv) == 2
    assert "cannot be asked for here" in capsys.readouterr().err
    secret = tmp_path / "secret"
    secret.write_text(f"{PASSPHRASE}\nanother line\n", encoding="utf-8")
    secret.chmod(0o644)
    assert run([*argv, "--passphrase-file", str(secret)]) == 2
    assert f"chmod 600 {secret}" in capsys.readouterr().err
    secret.chmod(0o600)
    assert run([*argv, "--passphrase-file", str(secret)]) == 0
    assert opened(tmp_path / "bo.pem")


@pytest.mark.real
def test_openssl_reads_the_files_and_checks_signatures(tmp_path: Path) -> None:
    openssl = needed("openssl")
    for kind in KeyKind:
        path, message, signature, public = (
            tmp_path / f"{kind.value}.{end}" for end in ("pem", "m", "s", "p")
        )
        person = made(path, kind)
        secret = tmp_path / "secret"
        secret.write_text(PASSPHRASE, encoding="utf-8")
        argv = (openssl, "pkey", "-in", str(path), "-passin", f"file:{secret}", "-pubout")
        assert run_program(Request(argv=argv)).stdout == person.public.pem
        message.write_bytes(b"what is signed")
        signature.write_bytes(opened(path).sign(message.read_bytes()))
        public.write_text(person.public.pem, encoding="utf-8")
        raw = ("-rawin",) if kind is KeyKind.ED25519 else ("-rawin", "-digest", "sha256")
        argv = (
            openssl, "pkeyutl", "-verify", "-pubin", "-inkey", str(public), *raw,
            "-in", str(message), "-sigfile", str(signature),
        )  # fmt: skip
        assert run_program(Request(argv=argv)).ok
        message.write_bytes(b"what is signed?")
        assert not run_program(Request(argv=argv)).ok
