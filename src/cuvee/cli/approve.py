"""``cuvee approve``."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cuvee.cli.options import json_option
from cuvee.cli.output import say
from cuvee.cli.passphrases import passphrase_option, secrets_handler
from cuvee.cli.render import write_json

if TYPE_CHECKING:
    from cuvee.release.approving import ReleaseToApprove
    from cuvee.release.record import Release

_MOST_CHANGES = 20


@click.command()
@click.argument("release", type=click.Path(path_type=Path, file_okay=False))
@click.option("--key", metavar="KEY", help="Your private key: a PEM file, or a URI such as hsm:2.")
@click.option(
    "--public",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The public key of a key that is named by a URI, as `cuvee keys new` writes it.",
)
@click.option("--yes", is_flag=True, help="Sign without asking.")
@passphrase_option
@json_option
def command(
    release: Path,
    *,
    key: str | None,
    public: Path | None,
    yes: bool,
    passphrase_file: Path | None,
    as_json: bool,
) -> int:
    """Approve a release: show what is approved, and sign it with your key.

    RELEASE is a release folder. Every file is compared with what was cut. You sign their hashes, the manifest
    and its policy: whatever changes afterwards must be approved again. The approval is a file in
    RELEASE/approvals, which can be copied to where the release is published. Without --key, this shows what
    would be approved, and who has.

    \b
    Examples:
      cuvee approve dist/starter-2026.11.0
      cuvee approve dist/starter-2026.11.0 --key ada.pem
      cuvee approve dist/starter-2026.11.0 --key hsm:2 --public ada.pub.json --yes

    Exit codes: 0 enough have approved, 1 more must, or it is not ready, 2 usage or key, 3 a library is
    missing, 4 no sums, 5 a file is not what was cut.
    """
    from cuvee.release.approving import approve, approver_of, release_to_approve
    from cuvee.trust.key_files import open_signer, read_public_key

    now = dt.datetime.now(dt.UTC)
    asked = release_to_approve(release, now.date())
    if not as_json:
        _show(asked)
    written = None
    if key is not None:
        person = read_public_key(public) if public is not None else None
        signer = open_signer(key, secrets_handler(passphrase_file, of=key), person=person)
        approver = approver_of(asked.release, signer.public)
        if not yes:
            _ask(f"Approve {asked.release.name} as {approver.title}?")
        written = approve(asked, signer, now)
    return _result(release, written, now.date(), as_json=as_json)


def _show(asked: "ReleaseToApprove") -> None:
    release = asked.release
    say(f"{release.name}: {asked.content.value}. {len(asked.subjects)} files and values are approved.")
    say(f"waived: {len(asked.waived)}")
    for line in asked.waived:
        say(f"  {line}")
    if asked.changes is None:
        what = f"the lock of {release.base} is not at hand" if release.base else "it is based on no release"
        say(f"changes: not known, since {what}")
    else:
        say(f"changes against {release.base}: {len(asked.changes)}")
        for line in asked.changes[:_MOST_CHANGES]:
            say(f"  {line}")
        if len(asked.changes) > _MOST_CHANGES:
            say(f"  and {len(asked.changes) - _MOST_CHANGES} more: `cuvee report {release.folder}`")
    for artefact in release.handed_out:
        if artefact.not_made is None:
            say(f"{artefact.sha256}  {artefact.path}")


def _ask(question: str) -> None:
    import sys

    from cuvee.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError("Nothing was signed: the question cannot be asked here", hint="Sign with --yes.")
    click.confirm(question, abort=True, err=True)


def _result(folder: Path, written: Path | None, today: dt.date, *, as_json: bool) -> int:
    from cuvee.release.approving import quorum_lines
    from cuvee.release.record import Release

    release = Release.open(folder, today=today)
    if as_json:
        write_json(_as_json(release, written))
        return release.exit_code
    if written is not None:
        say(f"signed: {written}")
    for line in quorum_lines(release):
        say(line)
    say(f"{release.name}: {release.verdict.value}")
    return release.exit_code


def _as_json(release: "Release", written: Path | None) -> "dict[str, object]":
    return {
        "release": release.name,
        "verdict": release.verdict.value,
        "written": None if written is None else str(written),
        "quorums": [
            {
                "reached": quorum.is_reached,
                "approved": [item.handle for item in quorum.approved],
                "missing": list(quorum.missing),
                "open": [item.handle for item in quorum.open],
                "impossible": quorum.impossible,
                "problems": {item.source: item.problem for item in quorum.judged if item.problem},
            }
            for quorum in release.quorums
        ],
    }
