"""``cuvee publish``."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cuvee.cli.options import json_option, quiet_option, verbose_option
from cuvee.cli.output import say
from cuvee.cli.passphrases import passphrase_option
from cuvee.cli.render import write_json
from cuvee.cli.terminal import terminal

if TYPE_CHECKING:
    from cuvee.release.published_site import PublishedSite, SiteSigning


@click.command()
@click.argument("releases", metavar="RELEASE...", nargs=-1, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--to",
    "site",
    metavar="SITE",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder that a web server serves; its channel is SITE/channel.",
)
@click.option(
    "--trust",
    type=click.Path(path_type=Path, file_okay=False),
    help="Sign the site as this trust folder says.",
)
@click.option(
    "--key",
    "keys",
    multiple=True,
    help="A key of the roles that sign: a file, or URI=PUBLIC.json; may be given several times.",
)
@passphrase_option
@click.option(
    "--errata",
    type=click.Path(path_type=Path, file_okay=False),
    help="Publish the errata of this folder, too, if all is true.",
)
@json_option
@quiet_option
@verbose_option
def command(
    releases: tuple[Path, ...],
    *,
    site: Path,
    trust: Path | None,
    keys: tuple[str, ...],
    passphrase_file: Path | None,
    errata: Path | None,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Publish releases as a site, in a folder that any web server can serve.

    RELEASE is a release folder. The site has a conda channel with its packages and metapackages, its
    installers, its report, and a page and feeds of all releases, beside those that were published before.
    What is published never changes: other bytes of the same name are refused. Only releases that are ready
    are published.

    With --trust, everything is signed with The Update Framework, so that `cuvee fetch` can verify it.
    Without a RELEASE, what is signed is renewed; do so before it expires. Needs the extra `trust`.

    \b
    Examples:
      cuvee publish dist/starter-2026.11.0 --to site
      cuvee publish dist/starter-2026.11.0 --to site --trust trust --key online.pem --key stable.pem
      cuvee publish --to site --trust trust --key online.pem

    Exit codes: 0 published, 1 not ready or refused, 2 usage, 3 python-tuf is missing, 5 a file is not what
    was cut or signed, 6 a file cannot be written, 7 another cuvee is publishing there.
    """
    from cuvee.errors import UsageError
    from cuvee.release.published_site import publish_site

    if not releases and trust is None:
        raise UsageError(
            "Name a release", hint="Without one, `cuvee publish --to SITE --trust TRUST --key KEY` renews."
        )
    if keys and trust is None:
        raise UsageError("Keys sign what a trust folder says", hint="Name it with --trust.")
    now = dt.datetime.now(dt.UTC)
    signing = _signing(trust, keys, passphrase_file)
    others = _errata(errata, releases) if errata is not None else {}
    with terminal(quiet=quiet or as_json, verbose=verbose) as reporter:
        published = publish_site(releases, site, reporter, now=now, signing=signing, others=others)
    _tell(published, as_json=as_json)
    return 0


def _tell(published: "PublishedSite", *, as_json: bool) -> None:
    from cuvee.codec import encode_object

    if as_json:
        write_json(encode_object(published))
        return
    if published.releases:
        say(f"{', '.join(published.releases)}: {len(published.added)} packages added, {published.kept} there")
    say(f"site: {published.folder}, channel: {published.folder / 'channel'}")
    if published.signed:
        say(f"signed: {', '.join(published.signed)}\nbundles: {', '.join(published.bundles) or 'as before'}")
    elif not (published.folder / "metadata").is_dir():
        say("not signed: readers cannot verify it; see --trust", err=True)
    else:
        say("signed: all was up to date")


def _signing(trust: Path | None, keys: tuple[str, ...], passphrase_file: Path | None) -> "SiteSigning | None":
    if trust is None:
        return None
    from cuvee.trust.site_roles import require_tuf

    require_tuf()
    from cuvee.cli.trust_files import read_signers, read_trust
    from cuvee.release.published_site import SiteSigning
    from cuvee.trust.trust_folder import complete

    roots, targets = complete(read_trust(trust))
    return SiteSigning(roots=roots, targets=targets, signers=read_signers(keys, passphrase_file))


def _errata(folder: Path, releases: tuple[Path, ...]) -> dict[str, bytes]:
    """Return the files of errata that are true, by path in the site."""
    from cuvee.errata.errata_checks import check_errata
    from cuvee.errata.errata_folder import read_errata
    from cuvee.errata.errata_writer import write_errata
    from cuvee.errata.known_releases import known_releases
    from cuvee.errors import BlockedError
    from cuvee.temporary_folders import temporary_folder

    read = read_errata(folder)
    dist = releases[0].resolve().parent if releases else Path("dist")
    known = known_releases(folder, dist, {item.distribution for item in read.errata})
    checked = check_errata(read.errata, known)
    findings = tuple(finding for item in checked for finding in item.findings)
    if findings:
        raise BlockedError(
            f"{read.shown(findings)}\n\n{len(findings)} findings: nothing was published",
            hint=f"`cuvee errata {folder} --dist {dist}` checks them.",
        )
    with temporary_folder("errata") as beside:
        written = write_errata(checked, read.publisher, beside)
        return {f"errata/{path.relative_to(beside).as_posix()}": path.read_bytes() for path in written}
