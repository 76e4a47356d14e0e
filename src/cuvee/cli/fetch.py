"""``cuvee fetch``."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cuvee.cli.options import cache_option, json_option, quiet_option, root_option, verbose_option
from cuvee.cli.output import say
from cuvee.cli.render import write_json
from cuvee.cli.terminal import terminal
from cuvee.platforms import PLATFORMS

if TYPE_CHECKING:
    from cuvee.progress import Reporter
    from cuvee.trust.site_client import SiteClient


@click.command()
@click.argument("site", metavar="SITE")
@click.argument("release", metavar="RELEASE")
@root_option
@click.option("--format", "format_", metavar="FORMAT", help="The format of the installer, such as sh.")
@click.option(
    "--platform", type=click.Choice(list(PLATFORMS)), help="For this platform.  [default: this machine's]"
)
@click.option("--track", help="Only a release of this track: lts, stable or edge.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder to write to.  [default: this one]",
)
@cache_option
@json_option
@quiet_option
@verbose_option
def command(
    site: str,
    release: str,
    *,
    root: Path,
    format_: str | None,
    platform: str | None,
    track: str | None,
    output: Path,
    cache: Path,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Fetch an installer of a release, verified, and install nothing.

    SITE is the URL of a site that `cuvee publish --trust` wrote, or the folder of its mirror. RELEASE is
    a release such as starter-2026.11.0, or the name of a distribution for its newest one.

    The root says whose signatures count. Get it with the distribution, not from the site. What was seen
    with it is kept in the cache, so that an older state is refused. An interrupted download is continued.
    Needs the extra `trust`.

    \b
    Examples:
      cuvee fetch https://packages.example.org starter-2026.11.0 --root root.json
      cuvee fetch /media/disk/mirror starter --root root.json --format sh --platform linux-64

    Exit codes: 0 there and verified, 2 usage or no such release, 3 python-tuf is missing, 4 the site cannot
    be reached, 5 something is not what was signed, 6 a file cannot be written, 7 another cuvee uses the root.
    """
    from cuvee import platforms
    from cuvee.codec import encode_object
    from cuvee.trust.site_roles import require_tuf

    require_tuf()
    from cuvee.trust.site_fetch import chosen_installer, chosen_release, fetch_installer, releases_of

    now = dt.datetime.now(dt.UTC)
    host = platforms.host()
    wanted = platform or (host.name if host is not None else None)
    with (
        terminal(quiet=quiet or as_json, verbose=verbose) as reporter,
        opened_site(site, root, cache, now, reporter) as client,
    ):
        found = chosen_release(releases_of(client, now, track), release, client.source.shown)
        installer = chosen_installer(found, wanted, format_)
        reporter.say(f"{found.listed.name} is signed by the keys of the track {found.track}")
        fetched = fetch_installer(client, found, installer, output, now)
    if as_json:
        write_json(encode_object(fetched))
    else:
        there = ", was there already" if fetched.was_there else ""
        say(f"{fetched.path}: {fetched.size:,} bytes, verified{there}\nsha256: {fetched.sha256}")
    return 0


@contextmanager
def opened_site(
    site: str, root: Path, cache: Path, now: dt.datetime, reporter: "Reporter"
) -> "Iterator[SiteClient]":
    """Yield the client of a site, whose metadata is verified; no other process may use the root meanwhile."""
    from cuvee.files import locked_file
    from cuvee.trust.site_client import SiteClient, read_root, state_folder
    from cuvee.trust.site_source import site_source

    data = read_root(root)
    state = state_folder(cache, data)
    with locked_file(state / ".lock", folder=state):
        source = site_source(site, state / "parts", reporter)
        try:
            yield SiteClient.open(source, data, state / "metadata", now)
        finally:
            source.transfer.close()
