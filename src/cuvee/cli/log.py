"""``cuvee log``."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cuvee.cli.options import json_option
from cuvee.cli.output import say
from cuvee.cli.render import write_json

if TYPE_CHECKING:
    from cuvee.approvals.decision_log import LogEntry

_SITE = click.argument("site", type=click.Path(path_type=Path, file_okay=False))


@click.group()
def command() -> None:
    """Read and verify the log of a site: what was approved, waived, published and revoked.

    \b
    Examples:
      cuvee log show site
      cuvee log verify site --head 5f2c…

    Exit codes: 0 the log holds, 2 usage, 4 no log, 5 it was rewritten, 7 another cuvee is publishing there.
    """


@command.command()
@_SITE
@json_option
def show(site: Path, *, as_json: bool) -> int:
    """Print the log of a site, a line for each entry.

    \b
    Examples:
      cuvee log show site
      cuvee log show site --json
    """
    from cuvee.codec import encode

    entries = _read(site, "")
    if as_json:
        write_json(encode(entries))
        return 0
    for item in entries:
        words = (item.time.isoformat(), item.event.value, item.release, item.who, item.note, item.digest[:16])
        say("  ".join(filter(None, words)))
    return 0


@command.command()
@_SITE
@click.option("--head", default="", metavar="SHA256", help="The head that you kept, when you last looked.")
@json_option
def verify(site: Path, *, head: str, as_json: bool) -> int:
    """Verify the log of a site, and print its head; keep that, and name it the next time.

    Each line has the hash of the line before it. With the head that you kept, any change of what was before
    it is found. To find that others get another log, compare heads with them.

    \b
    Examples:
      cuvee log verify site
      cuvee log verify site --head 5f2c…
    """
    from cuvee.approvals.decision_log import head_of

    entries = _read(site, head.strip().lower())
    if as_json:
        write_json({"entries": len(entries), "head": head_of(entries)})
    else:
        say(f"{len(entries)} entries, unbroken{' since the head that you kept' if head else ''}")
        say(f"head: {head_of(entries)}")
    return 0


@command.command()
@_SITE
@click.argument("key", metavar="PUBLIC_KEY", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--reason", required=True, help="Why the key no longer counts.")
def revoke(site: Path, key: Path, *, reason: str) -> int:
    """Revoke a person's key: its approvals no longer count for what is published to the site.

    \b
    Examples:
      cuvee log revoke site ada.pub.json --reason "the laptop was stolen"
    """
    from cuvee.approvals.decision_log import LogEntry, LogEvent
    from cuvee.files import locked_file
    from cuvee.release.site_log import add_to_log
    from cuvee.trust.key_files import read_public_key

    person = read_public_key(key)
    entry = LogEntry(
        time=dt.datetime.now(dt.UTC).replace(microsecond=0),
        event=LogEvent.REVOCATION,
        digest=person.public.fingerprint,
        who=f"{person.name} ({person.organisation})",
        note=reason.strip(),
    )
    with locked_file(site / ".lock", folder=site):
        entries = add_to_log(site, [entry])
    say(f"revoked: {entry.who}, {entry.digest}")
    say(f"head: {entries[-1].head}")
    return 0


def _read(site: Path, head: str) -> "tuple[LogEntry, ...]":
    from cuvee.approvals.decision_log import LOG, read_log
    from cuvee.errors import SourceUnreachableError

    path = site / LOG
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceUnreachableError(
            f"{path} cannot be read: {error.strerror}", hint="`cuvee publish` writes it."
        ) from error
    return read_log(data, source=str(path), kept=head)
