"""Keys, and that the runtime's own check of signatures agrees with OpenSSL's."""

import os
import subprocess
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_public_key,
)
from hypothesis import given
from hypothesis import strategies as st

from cuvee.errors import UsageError
from cuvee.runtime.ed25519 import verify
from cuvee.trust.keys import SigningKey, public_pem
from needed_programs import needed

# RFC 8032, section 7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
            "387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
            "4a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]
ORDER = 2**252 + 27742317777372353535851937790883648493


def private_pem(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey, password: bytes = b"") -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def key_of(seed: bytes, folder: Path) -> SigningKey:
    path = folder / "key.pem"
    path.touch(0o600)
    path.write_bytes(private_pem(ed25519.Ed25519PrivateKey.from_private_bytes(seed)))
    return SigningKey.read(path)


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_vectors_of_the_rfc(public: str, message: str, signature: str) -> None:
    values = [bytes.fromhex(text) for text in (public, message, signature)]
    assert verify(*values)
    assert not verify(values[0], values[1] + b"?", values[2])


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.data())
def test_agrees_with_openssl(seed: bytes, message: bytes, data: st.DataObject) -> None:
    private = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    signature = private.sign(message)
    assert verify(public, message, signature)
    bent = [bytearray(public), bytearray(message or b"?"), bytearray(signature)]
    part = bent[data.draw(st.integers(0, 2))]
    part[data.draw(st.integers(0, len(part) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(bytes(bent[0])).verify(bytes(bent[2]), bytes(bent[1]))
        agreed = True
    except (InvalidSignature, ValueError):
        agreed = False
    assert verify(bytes(bent[0]), bytes(bent[1]), bytes(bent[2])) == agreed


def test_signatures_that_only_look_right() -> None:
    private = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32))
    public, signature = private.public_key().public_bytes_raw(), private.sign(b"x")
    again = (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    assert verify(public, b"x", signature)
    assert not verify(public, b"x", signature[:32] + again)  # the same point, written another way
    assert not verify(public, b"x", signature[:-1])
    assert not verify(public[:-1], b"x", signature)
    assert not verify(b"\xff" * 32, b"x", signature)
    assert not verify(bytes([2, *bytes(31)]), b"x", signature)  # no point of the curve


def test_key_files(tmp_path: Path) -> None:
    key = key_of(bytes(range(32)), tmp_path)
    assert verify(key.public, b"message", key.sign(b"message"))
    assert "PRIVATE" not in repr(key)
    assert key.public.hex() not in repr(key._private)
    public = load_pem_public_key(public_pem(key.public).encode())
    assert isinstance(public, ed25519.Ed25519PublicKey)
    assert public.public_bytes_raw() == key.public


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\n????\n-----END PRIVATE KEY-----\n", "no private key in PEM"),
        (private_pem(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)), b"secret"), "encrypted"),
        (private_pem(rsa.generate_private_key(65537, 2048)), "not Ed25519"),
    ],
    ids=["empty", "no key", "encrypted", "RSA"],  # the keys differ between the workers of pytest-xdist
)
def test_files_without_a_key(content: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.touch(0o600)
    path.write_bytes(content)
    with pytest.raises(UsageError, match=problem):
        SigningKey.read(path)
    with pytest.raises(UsageError, match="cannot be read"):
        SigningKey.read(tmp_path / "absent")


@pytest.mark.real
def test_openssl_makes_keys_and_checks_signatures(tmp_path: Path) -> None:
    openssl = needed("openssl")
    names = ("key", "public", "message", "signature")
    path, public, message, signature = (tmp_path / name for name in names)
    subprocess.run([openssl, "genpkey", "-algorithm", "ed25519", "-out", str(path)], check=True)
    key = SigningKey.read(path)
    message.write_bytes(b"what is signed\n")
    signature.write_bytes(key.sign(message.read_bytes()))
    public.write_text(public_pem(key.public))
    argv = [openssl, "pkeyutl", "-verify", "-pubin", "-inkey", str(public), "-rawin", "-in", str(message)]
    argv += ["-sigfile", str(signature)]
    assert subprocess.run(argv, check=False, capture_output=True).returncode == 0
    message.write_bytes(b"what is signed?\n")
    assert subprocess.run(argv, check=False, capture_output=True).returncode


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o604, 0o606, 0o440])
def test_a_key_that_others_can_read_is_refused_with_what_corrects_it(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key.pem"
    key_of(bytes(32), tmp_path)
    path.chmod(mode)
    with pytest.raises(UsageError, match="can read or change") as caught:
        SigningKey.read(path)
    assert caught.value.hint == f"Run `chmod 600 {path}`."
    path.chmod(0o600)
    assert SigningKey.read(path)
    path.chmod(0o400)
    assert SigningKey.read(path)


@pytest.mark.parametrize(("mode", "good"), [(0o440, True), (0o640, True), (0o444, False), (0o660, False)])
def test_a_secret_of_kubernetes_belongs_to_root_and_is_read_through_a_group(
    tmp_path: Path, mode: int, good: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://kubernetes.io/docs/tasks/configure-pod-container/security-context (fsGroup)."""
    target = tmp_path / "..2026_11_29" / "key.pem"  # what is mounted is a link to it
    target.parent.mkdir()
    key_of(bytes(32), target.parent)
    (tmp_path / "key.pem").symlink_to(target)
    target.chmod(mode)
    monkeypatch.setattr(os, "geteuid", lambda: target.stat().st_uid + 1)
    if good:
        assert SigningKey.read(tmp_path / "key.pem")
        return
    with pytest.raises(UsageError) as caught:
        SigningKey.read(tmp_path / "key.pem")
    assert "install -m 600" in str(caught.value.hint)
