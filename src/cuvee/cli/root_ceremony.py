"""``cuvee keys begin``, ``sign``, ``merge``, ``roles``, ``rotate`` and ``revoke``: who may sign a site."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cuvee.cli.options import json_option
from cuvee.cli.output import say
from cuvee.cli.passphrases import passphrase_option
from cuvee.cli.render import write_json
from cuvee.cli.trust_files import (
    read_named_key,
    read_signers,
    read_trust,
    trust_argument,
    write_trust,
)
from cuvee.errors import UsageError

if TYPE_CHECKING:
    from cuvee.trust.trust_folder import Files, RoleKeys

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@trust_argument
@click.option(
    "--role",
    "roles",
    metavar="ROLE=N:KEY,KEY...",
    multiple=True,
    required=True,
    help="Of these public keys, N must sign as ROLE; once for each role.",
)
@json_option
def begin(trust: Path, *, roles: tuple[str, ...], as_json: bool) -> int:
    """Write a new folder TRUST, which says who may sign a site.

    The roles are root, targets, snapshot, timestamp, site, and the tracks that you release in: edge, stable,
    lts. Root and targets should need several people, whose keys are not on the machine that publishes. A KEY
    is the public key that `cuvee keys new` wrote. Then everybody signs: `cuvee keys sign`.

    \b
    Example:
      cuvee keys begin trust --role root=2:ada.pub.json,grace.pub.json,alan.pub.json
        --role targets=2:ada.pub.json,grace.pub.json,alan.pub.json --role stable=1:ada.pub.json
        --role site=1:online.pub.json --role snapshot=1:online.pub.json --role timestamp=1:online.pub.json
    """
    _need_tuf()
    from cuvee.trust.trust_folder import begin as first_version

    if trust.exists() and (not trust.is_dir() or read_trust(trust)):
        raise UsageError(
            f"{trust} is there already", hint="`cuvee keys rotate` and `cuvee keys revoke` change it."
        )
    files = first_version(dict(map(_role, roles)), dt.datetime.now(dt.UTC))
    write_trust(trust, files)
    return _tell(trust, as_json=as_json)


def _role(text: str) -> "tuple[str, RoleKeys]":
    from cuvee.trust.trust_folder import RoleKeys

    role, _, rest = text.partition("=")
    threshold, _, names = rest.partition(":")
    if not (role and names and threshold.isascii() and threshold.isdigit()):
        raise UsageError(f"{text!r} is not a role", hint="Write --role root=2:ada.pub.json,grace.pub.json.")
    keys = tuple(read_named_key(Path(name)) for name in names.split(","))
    return role, RoleKeys(threshold=int(threshold[:4]), keys=keys)


@click.command()
@trust_argument
@click.option("--key", required=True, help="Your private key: a file, or URI=PUBLIC.json.")
@passphrase_option
@json_option
def sign(trust: Path, *, key: str, passphrase_file: Path | None, as_json: bool) -> int:
    """Sign the newest version of TRUST, which may be a copy of it on your machine.

    First compare what `cuvee keys roles` prints with what was agreed. Send the folder on, or send your copy
    back for `cuvee keys merge`.

    \b
    Example:
      cuvee keys sign trust --key ada.pem
    """
    _need_tuf()
    from cuvee.trust.trust_folder import signed_by

    files = read_trust(trust)
    for signer in read_signers([key], passphrase_file).values():
        write_trust(trust, signed_by(files, signer))
    return _tell(trust, as_json=as_json)


@click.command()
@trust_argument
@click.argument(
    "copies", metavar="COPY...", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False)
)
@json_option
def merge(trust: Path, *, copies: tuple[Path, ...], as_json: bool) -> int:
    """Add the signatures of copies of TRUST to it.

    \b
    Example:
      cuvee keys merge trust from-ada/trust from-grace/trust
    """
    _need_tuf()
    from cuvee.trust.trust_folder import merged

    write_trust(trust, merged(read_trust(trust), [read_trust(copy) for copy in copies]))
    return _tell(trust, as_json=as_json)


@click.command()
@trust_argument
@json_option
def roles(trust: Path, *, as_json: bool) -> int:
    """Print who may sign what, and whose signatures are missing.

    \b
    Example:
      cuvee keys roles trust

    Exit codes: 0 all have signed, 1 signatures are missing.
    """
    _need_tuf()
    return _tell(trust, as_json=as_json, is_question=True)


@click.command()
@trust_argument
@click.argument("old", metavar="[OLD]", required=False, type=_FILE)
@click.argument("new", metavar="[NEW]", required=False, type=_FILE)
@json_option
def rotate(trust: Path, *, old: Path | None, new: Path | None, as_json: bool) -> int:
    """Replace the public key OLD by NEW in all roles; without keys, renew the dates of TRUST.

    This makes a new version, which the quorum of the version before must sign, and that of the new one.

    \b
    Examples:
      cuvee keys rotate trust old.pub.json new.pub.json
      cuvee keys rotate trust
    """
    if old is not None and new is None:
        raise UsageError("Name the new key, too", hint="`cuvee keys revoke` takes a key away.")
    return _change(trust, old, new, as_json=as_json)


@click.command()
@trust_argument
@click.argument("old", metavar="KEY", type=_FILE)
@json_option
def revoke(trust: Path, *, old: Path, as_json: bool) -> int:
    """Take the public key KEY away from all roles.

    This makes a new version, which the quorum of the version before must sign, and that of the new one.

    \b
    Example:
      cuvee keys revoke trust lost.pub.json
    """
    return _change(trust, old, None, as_json=as_json)


def _change(trust: Path, old: Path | None, new: Path | None, *, as_json: bool) -> int:
    _need_tuf()
    from cuvee.trust.trust_folder import renewed

    files = renewed(
        read_trust(trust),
        dt.datetime.now(dt.UTC),
        old=None if old is None else read_named_key(old),
        new=None if new is None else read_named_key(new),
    )
    write_trust(trust, files)
    return _tell(trust, as_json=as_json)


def _need_tuf() -> None:
    from cuvee.trust.site_roles import require_tuf

    require_tuf()


def _tell(trust: Path, *, as_json: bool, is_question: bool = False) -> int:
    """Print who may sign what, and who has to; the exit code is 1 only if that was the question."""
    from cuvee.codec import encode
    from cuvee.trust.trust_folder import pending

    files = read_trust(trust)
    open_ = pending(files)
    if as_json:
        write_json({"roles": _document(files), "pending": encode(open_)})
    else:
        _print_roles(files)
        for item in open_:
            say(f"{item.name}: {item.needed} more of {item.quorum} must sign: {', '.join(item.missing)}")
        say("all have signed" if not open_ else f"next: `cuvee keys sign {trust} --key KEY`")
    return 1 if open_ and is_question else 0


def _print_roles(files: "Files") -> None:
    from cuvee.trust.trust_folder import roles_of

    for name, role in roles_of(files).items():
        say(f"{name}: {role.threshold} of {', '.join(_names(role))}")


def _document(files: "Files") -> dict[str, object]:
    from cuvee.trust.trust_folder import roles_of

    return {
        name: {"threshold": role.threshold, "keys": _names(role)} for name, role in roles_of(files).items()
    }


def _names(role: "RoleKeys") -> list[str]:
    from cuvee.trust.site_metadata import key_name

    return [key_name(key) for key in role.keys]
