"""Keys of people in files, and as signers of securesystemslib.

The private key is encrypted PKCS #8 (https://www.rfc-editor.org/rfc/rfc5958), which `openssl pkey` reads.
Beside it, a JSON file has the public key with the person's name, their organisation and the key's period.
"""

import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.approvals.person_key import KeyKind, PersonKey, PublicKeyText, supported
from cuvee.codec import Document
from cuvee.errors import ToolMissingError, UsageError
from cuvee.files import storage_errors, write_bytes
from cuvee.trust.keys import refuse_if_shared

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from securesystemslib.signer import Key, Signer

    PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey

SecretsHandler = Callable[[str], str]
"""Returns the secret of a name, such as ``passphrase`` or ``PIN``, from a prompt, a file or a variable."""

PUBLIC_FORM = Document(name="cuvee-public-key", kind=PersonKey)
SHORTEST_PASSPHRASE = 12
_MAKE = "`cuvee keys new` makes a key."
_URI = re.compile(r"[a-z][a-z0-9+.-]+:", re.ASCII)
_FILE_SCHEMES = ("file", "file2", "file3", "encrypted")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySigner:
    """What signs for a person; its `repr` does not show a secret.

    Attributes
    ----------
    public
        The public key.
    signer
        The signer, for libraries that use securesystemslib.
    """

    public: PublicKeyText
    signer: "Signer" = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """Return a signature of ``message`` that the public key verifies.

        Raises
        ------
        UsageError
            If the device or the service does not sign, or signs with another key.
        """
        try:
            signature = bytes.fromhex(self.signer.sign(message).signature)
        except Exception as error:  # each library of a device or a service has its own
            raise UsageError(
                f"The key {self.public.fingerprint[:16]}… did not sign: {type(error).__name__}: {error}",
                hint="Connect the device, or log in to the service, and run the same command again.",
            ) from error
        if not self.public.has_signed(message, signature):
            raise UsageError(
                f"The signature is not of the public key {self.public.fingerprint[:16]}…",
                hint="Name the public key that belongs to the private key.",
            )
        return signature


def public_file(path: Path) -> Path:
    """Return where the public key of a private key file is: ``ada.pub.json`` beside ``ada.pem``."""
    return path.with_name(f"{path.name.removesuffix('.pem')}.pub.json")


def make_private_key(kind: KeyKind) -> "PrivateKey":
    """Return a new private key."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate() if kind is KeyKind.ED25519 else generate_private_key(SECP256R1())


def write_key(path: Path, private: "PrivateKey", passphrase: str, person: PersonKey) -> None:
    """Write a private key, encrypted and for this user only, and its public key beside it.

    Raises
    ------
    UsageError
        If there is a file already, or the passphrase is too short.
    StorageError
        If the files cannot be written.
    """
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise UsageError(
            f"The passphrase is shorter than {SHORTEST_PASSPHRASE} characters",
            hint="Whoever gets the file can try passphrases as fast as they like: take four random words.",
        )
    for there in (path, public_file(path)):
        if os.path.lexists(there):
            raise UsageError(f"{there} exists already", hint="A key is never replaced: choose another name.")
    data = private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase.encode())
    )
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            write_bytes(public_file(path), PUBLIC_FORM.to_bytes(person))
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def read_public_key(path: Path) -> PersonKey:
    """Return the person of a public key file, or of the one beside a private key file.

    Raises
    ------
    UsageError
        If there is no such file, or it is not one that cuvee writes.
    """
    file = path if path.name.endswith(".json") else public_file(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"The public key {file} cannot be read: {error.strerror}", hint=_MAKE) from error
    person = PUBLIC_FORM.from_bytes(data, source=str(file))
    if person.until < person.since:
        raise UsageError(f"{file}: the key ends on {person.until}, before it begins on {person.since}")
    return person


def read_private_key(path: Path, secrets: SecretsHandler) -> "PrivateKey":
    """Return the private key of an encrypted PEM file.

    Raises
    ------
    UsageError
        If others can read the file, it has no such key, is not encrypted, or the passphrase is wrong.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        with path.open("rb") as stream:
            refuse_if_shared(path, os.fstat(stream.fileno()))
            data = stream.read()
    except OSError as error:
        raise UsageError(f"The key {path} cannot be read: {error.strerror}", hint=_MAKE) from error
    if b"-----BEGIN ENCRYPTED PRIVATE KEY-----" not in data:
        if b"PRIVATE KEY-----" not in data:
            raise UsageError(f"{path} has no private key in PEM format", hint=_MAKE)
        quoted = shlex.quote(str(path))
        raise UsageError(
            f"The key {path} is not encrypted with a passphrase",
            hint=f"Encrypt it: `openssl pkcs8 -topk8 -v2 aes-256-cbc -in {quoted} -out FILE`, and delete it.",
        )
    try:
        loaded = load_pem_private_key(data, secrets("passphrase").encode())
        key: PrivateKey = loaded  # type: ignore[assignment]
        supported(key.public_key())
    except (ValueError, UnsupportedAlgorithm, AttributeError) as error:
        reason = str(error) if str(error).startswith("it is neither") else "the passphrase is wrong"
        raise UsageError(f"The key {path} cannot be used: {reason}", hint=_MAKE) from error
    return key


def open_signer(key: str, secrets: SecretsHandler, *, person: PersonKey | None = None) -> KeySigner:
    """Return what signs with a key: a PEM file, or the URI of a key in a device or a service.

    Parameters
    ----------
    key
        A path, or a URI of securesystemslib such as ``hsm:2`` (PKCS #11), ``gcpkms:…`` or ``awskms:…``.
    person
        Whose public key a URI belongs to; a PEM file needs none.

    Raises
    ------
    UsageError
        If the key cannot be used.
    ToolMissingError
        If the extra ``trust``, or the library of the device or service, is not installed.
    """
    _need_library()
    from securesystemslib.signer import CryptoSigner, SSlibKey

    if not is_uri(key):
        private = read_private_key(Path(key), secrets)
        public = PublicKeyText.of(private.public_key())
        if person is not None and person.public != public:
            raise UsageError(
                f"{key} is not the private key of {person.name}",
                hint=f"It has the public key {public.fingerprint}, not {person.public.fingerprint}.",
            )
        known = SSlibKey.from_crypto(public.loaded())
        return KeySigner(public=public, signer=CryptoSigner(private, known))
    if person is None:
        raise UsageError(f"The public key of {key} is not known", hint="Name its file with --public.")
    return KeySigner(public=person.public, signer=_signer_of_uri(key, person, secrets))


def is_uri(key: str) -> bool:
    """Whether a key is named by a URI; a file with that name comes first."""
    return _URI.match(key) is not None and not Path(key).exists()


def library_key(public: PublicKeyText) -> "Key":
    """Return a public key as securesystemslib and python-tuf have it.

    Raises
    ------
    ToolMissingError
        If the extra ``trust`` is not installed.
    """
    _need_library()
    from securesystemslib.signer import SSlibKey

    return SSlibKey.from_crypto(public.loaded())


def _signer_of_uri(key: str, person: PersonKey, secrets: SecretsHandler) -> "Signer":
    from securesystemslib.exceptions import UnsupportedLibraryError
    from securesystemslib.signer import Signer

    scheme = key.partition(":")[0]
    if scheme in _FILE_SCHEMES:
        raise UsageError(f"{key} names a file as a URI", hint="Name the file itself; it must be encrypted.")
    try:
        return Signer.from_priv_key_uri(key, library_key(person.public), secrets)
    except UnsupportedLibraryError as error:
        raise ToolMissingError(
            f"Keys of `{scheme}:` need a library: {error}",
            hint="Install what securesystemslib needs for it, such as `pip install 'securesystemslib[hsm]'`.",
        ) from error
    except Exception as error:  # each library of a device or a service has its own
        raise UsageError(
            f"The key {key} cannot be used: {type(error).__name__}: {error}",
            hint="Connect the device, or log in to the service, and check the URI.",
        ) from error


def _need_library() -> None:
    try:
        import securesystemslib.signer  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise ToolMissingError(
            "Keys of people need securesystemslib, which is not installed",
            hint="Run `pip install 'cuvee[trust]'`.",
        ) from error
