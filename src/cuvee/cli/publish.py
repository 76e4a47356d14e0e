"""``cuvee publish``."""

from pathlib import Path

import click

from cuvee.cli.options import json_option, quiet_option, verbose_option
from cuvee.cli.output import say
from cuvee.cli.render import write_json
from cuvee.cli.terminal import terminal


@click.command()
@click.argument(
    "releases",
    metavar="RELEASE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
)
@click.option(
    "--to",
    "site",
    metavar="SITE",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder that a web server serves; its channel is SITE/channel.",
)
@json_option
@quiet_option
@verbose_option
def command(releases: tuple[Path, ...], *, site: Path, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Publish the packages of releases as one conda channel, in a folder that any web server can serve.

    RELEASE is a release folder. The channel gets its packages and its metapackages, beside those of the
    releases that were published before. A published package never changes: another one of the same name,
    version and build is refused. Only releases that are ready are published.

    \b
    Examples:
      cuvee publish dist/starter-2026.11.0 --to site
      cuvee publish dist/starter-2026.11.0 dist/starter-2026.11.1 --to site --json

    Exit codes: 0 published, 1 not ready or refused, 2 usage, 5 a file is not what was cut, 7 another cuvee
    is publishing there.
    """
    from cuvee.release.published_channel import publish_channel

    with terminal(quiet=quiet or as_json, verbose=verbose) as reporter:
        published = publish_channel(releases, site, reporter)
    if as_json:
        from cuvee.codec import encode_object

        write_json(encode_object(published))
    else:
        say(f"{', '.join(published.releases)}: {len(published.added)} packages added, {published.kept} there")
        say(f"channel: {published.folder}")
    return 0
