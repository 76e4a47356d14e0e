"""``cuvee mirror``."""

import datetime as dt
from pathlib import Path

import click

from cuvee.cli.options import cache_option, json_option, quiet_option, root_option, verbose_option
from cuvee.cli.output import say
from cuvee.cli.render import write_json
from cuvee.cli.terminal import terminal


@click.command()
@click.argument("site", metavar="SITE")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@root_option
@click.option(
    "--releases",
    metavar="NAME[,NAME...]",
    default="",
    help="Only these releases, without the channel.  [default: the whole site]",
)
@cache_option
@json_option
@quiet_option
@verbose_option
def command(
    site: str,
    folder: Path,
    *,
    root: Path,
    releases: str,
    cache: Path,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Copy a site to a folder, such as a disk for machines without a network.

    SITE is the URL of a site that `cuvee publish --trust` wrote, or a folder. Everything is verified before
    it is written to DIR, and again by `cuvee fetch DIR` on the other side. DIR is a site itself: a web server
    can serve it. Files that are there already are kept; metadata is written last. Needs the extra `trust`.

    \b
    Examples:
      cuvee mirror https://packages.example.org /media/disk/mirror --root root.json
      cuvee mirror https://packages.example.org mirror --root root.json --releases starter-2026.11.0

    Exit codes: 0 complete, 2 usage or no such release, 3 python-tuf is missing, 4 the site cannot be reached,
    5 something is not what was signed, 6 a file cannot be written, 7 another cuvee is working on DIR.
    """
    from cuvee.codec import encode_object
    from cuvee.trust.site_roles import require_tuf

    require_tuf()
    from cuvee.cli.fetch import opened_site
    from cuvee.trust.site_mirror import mirror_site

    now = dt.datetime.now(dt.UTC)
    names = tuple(filter(None, (name.strip() for name in releases.split(","))))
    with (
        terminal(quiet=quiet or as_json, verbose=verbose) as reporter,
        opened_site(site, root, cache, now, reporter) as client,
    ):
        mirrored = mirror_site(client, folder, now, releases=names, reporter=reporter)
    if as_json:
        write_json(encode_object(mirrored))
    else:
        say(f"{', '.join(mirrored.releases) or 'no release'}: {mirrored.fetched} files fetched, ", nl=False)
        say(f"{mirrored.kept} there, {mirrored.size:,} bytes, verified\nmirror: {mirrored.folder}")
    return 0
