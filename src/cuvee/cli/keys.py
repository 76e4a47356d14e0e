"""``cuvee keys``."""

import datetime as dt
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cuvee.cli.options import json_option
from cuvee.cli.output import say
from cuvee.cli.passphrases import passphrase_option, secrets_handler
from cuvee.cli.render import write_json
from cuvee.cli.root_ceremony import begin, merge, revoke, roles, rotate, sign

if TYPE_CHECKING:
    from cuvee.approvals.person_key import PersonKey

_DAY = click.DateTime(["%Y-%m-%d"])
_YEAR = dt.timedelta(days=365)


@click.group()
def command() -> None:
    """Make and show the keys with which people approve releases and sign a site, and say who may sign it.

    \b
    Examples:
      cuvee keys new ada.pem --name "Ada Lovelace" --organisation acme
      cuvee keys show ada.pub.json
      cuvee keys sign trust --key ada.pem

    Exit codes: 0 done, 2 usage, or a key that cannot be used, 3 a library is missing, 6 not written.
    """


@command.command()
@click.argument("key", metavar="KEY", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--name", required=True, help="The person's name.")
@click.option("--organisation", required=True, help="The organisation that the person stands for.")
@click.option("--since", type=_DAY, help="The first day on which the key counts.  [default: today]")
@click.option("--until", type=_DAY, help="The last day on which the key counts.  [default: a year later]")
@click.option(
    "--kind",
    type=click.Choice(["ed25519", "ecdsa"]),
    default="ed25519",
    show_default=True,
    help="The kind of key; ECDSA is on the curve P-256.",
)
@passphrase_option
@json_option
def new(
    key: Path,
    *,
    name: str,
    organisation: str,
    since: dt.datetime | None,
    until: dt.datetime | None,
    kind: str,
    passphrase_file: Path | None,
    as_json: bool,
) -> int:
    """Make a key for a person.

    KEY is the file of the private key, such as `ada.pem`. It is encrypted with a passphrase, and only you can
    read it. The public key is written to `ada.pub.json` beside it: hand that out.

    \b
    Examples:
      cuvee keys new ada.pem --name "Ada Lovelace" --organisation acme
      cuvee keys new keys/ada.pem --name Ada --organisation acme --kind ecdsa --until 2027-11-30
    """
    from cuvee.approvals.person_key import KeyKind, PersonKey, PublicKeyText
    from cuvee.trust.key_files import make_private_key, public_file, write_key

    first = since.date() if since is not None else dt.datetime.now(dt.UTC).date()
    last = until.date() if until is not None else first + _YEAR
    _check_person(name, organisation, first, last)
    private = make_private_key(KeyKind(kind))
    person = PersonKey(
        name=name.strip(),
        organisation=organisation,
        since=first,
        until=last,
        public=PublicKeyText.of(private.public_key()),
    )
    passphrase = secrets_handler(passphrase_file, of=str(key), new=True)("passphrase")
    write_key(key, private, passphrase, person)
    if as_json:
        write_json(_as_json(person) | {"private": str(key), "file": str(public_file(key))})
        return 0
    say(f"private key: {key} (keep it, and its passphrase, where only you can read them)")
    say(f"public key: {public_file(key)}")
    _tell(person)
    return 0


@command.command()
@click.argument("key", metavar="KEY", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--pem", is_flag=True, help="Only the public key, as PEM, for OpenSSL and cosign.")
@json_option
def show(key: Path, *, pem: bool, as_json: bool) -> int:
    """Show a public key, and what to write into the manifest.

    KEY is `ada.pub.json`, or `ada.pem` that is beside it; no passphrase is asked for. Compare the fingerprint
    with what the person says, by telephone or on paper.

    \b
    Examples:
      cuvee keys show ada.pub.json
      cuvee keys show ada.pub.json --pem
    """
    from cuvee.trust.key_files import read_public_key

    person = read_public_key(key)
    if as_json:
        write_json(_as_json(person))
    elif pem:
        say(person.public.pem, nl=False)
    else:
        _tell(person)
    return 0


def _check_person(name: str, organisation: str, since: dt.date, until: dt.date) -> None:
    from cuvee.errors import UsageError
    from cuvee.manifest.scalar_types import ORGANISATION

    if not name.strip() or not name.isprintable():
        raise UsageError("A person has a name", hint='Use --name "Ada Lovelace".')
    if re.search(str(ORGANISATION.pattern), organisation) is None:
        raise UsageError(
            f"{organisation!r} is not the name of an organisation: letters, digits, `_`, `-` and `.` only",
            hint="Write it as the manifest has it: `--organisation acme`.",
        )
    if until < since:
        raise UsageError(f"The key would end on {until}, before it begins on {since}", hint="Change --until.")


def _as_json(person: "PersonKey") -> "dict[str, object]":
    from cuvee.codec import encode_object

    return {
        **encode_object(person),
        "kind": person.public.kind.value,
        "fingerprint": person.public.fingerprint,
    }


def _tell(person: "PersonKey") -> None:
    say(f"{person.name} of {person.organisation}, from {person.since} to {person.until}")
    say(f"{person.public.kind.value}, SHA-256 of the key: {person.public.fingerprint}")
    handle = "".join(letter for letter in person.name.split()[0].lower() if letter.isalnum()) or "person"
    say("in policy.approvals.people of the manifest:")
    say(f"  {handle}:")
    say(f"    name: {_quoted(person.name)}")
    say(f"    organisation: {_quoted(person.organisation)}")
    say("    roles: [release]")
    say(f"    key: {person.public.text}")
    say(f"    since: {person.since}")
    say(f"    until: {person.until}")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


for _member in (begin, sign, merge, roles, rotate, revoke):
    command.add_command(_member)
