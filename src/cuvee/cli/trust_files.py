"""Reading and writing trust folders and keys for commands."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from securesystemslib.signer import Key, Signer

trust_argument = click.argument("trust", metavar="TRUST", type=click.Path(path_type=Path, file_okay=False))
MOST = 1 << 22


def read_trust(folder: Path) -> dict[str, bytes]:
    """Return the files of a trust folder by name.

    Raises
    ------
    UsageError
        If there is no such folder, or a file cannot be read.
    """
    from cuvee.errors import UsageError
    from cuvee.trust.trust_folder import is_trust_file

    hint = "`cuvee keys begin` writes a trust folder."
    if not folder.is_dir():
        raise UsageError(f"There is no trust folder {folder}", hint=hint)
    found = {}
    for path in sorted(folder.iterdir()):
        if is_trust_file(path.name):
            try:
                with path.open("rb") as stream:
                    found[path.name] = stream.read(MOST)
            except OSError as error:
                raise UsageError(f"{path} cannot be read: {error.strerror}", hint=hint) from error
    return found


def write_trust(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files of a trust folder, each at once."""
    from cuvee.files import write_bytes

    for name, data in files.items():
        write_bytes(folder / name, data)


def read_signers(keys: Iterable[str], passphrase_file: Path | None) -> "dict[str, Signer]":
    """Return the signers of key files or URIs, by key id.

    A URI has the file of its public key behind it: ``hsm:2=ada.pub.json``.
    """
    from cuvee.cli.passphrases import secrets_handler
    from cuvee.trust.key_files import is_uri, open_signer, read_public_key

    found = {}
    for key in keys:
        name, _, public = key.rpartition("=") if is_uri(key) else (key, "", "")
        person = read_public_key(Path(public)) if name and public else None
        opened = open_signer(name or key, secrets_handler(passphrase_file, of=name or key), person=person)
        found[opened.signer.public_key.keyid] = opened.signer
    return found


def read_named_key(path: Path) -> "Key":
    """Return a public key of python-tuf, with the name of its owner and their organisation."""
    from cuvee.trust.key_files import library_key, read_public_key
    from cuvee.trust.trust_folder import named_key

    person = read_public_key(path)
    return named_key(library_key(person.public), person.name, person.organisation)
