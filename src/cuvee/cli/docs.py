"""``cuvee docs``."""

from pathlib import Path

import click

from cuvee.cli.output import say


@click.command()
@click.argument("page", type=click.Choice(["users"]))
@click.argument("release", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--channel",
    metavar="URL",
    default="",
    help="Where the channel is that `cuvee publish` made.  [default: `channel-url` of the manifest]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it to a file.  [default: stdout]",
)
def command(page: str, release: Path, *, channel: str, output: Path | None) -> int:  # noqa: ARG001 - there is one
    """Write a page for the users of a release, in Markdown.

    `users` says how to have it with its installers, conda, mamba and pixi, and how to stay on it. RELEASE is
    a release folder.

    \b
    Examples:
      cuvee docs users dist/starter-2026.11.0 --channel https://example.org/channel
      cuvee docs users dist/starter-2026.11.0 --output users.md
    """
    from cuvee.errors import UsageError
    from cuvee.files import write_text
    from cuvee.manifest.documents.schema_types import ParseError
    from cuvee.manifest.value_parsers import channel_url
    from cuvee.release.record import Release
    from cuvee.report.users_page import users_page

    found = Release.open(release)
    url = channel or found.manifest.channel_url
    if not url:
        raise UsageError(
            f"Where is the channel of {found.name} published?",
            hint="Name its URL with --channel, or state `channel-url` in the manifest.",
        )
    try:
        text = users_page(found, channel_url(url))
    except ParseError as error:
        raise UsageError(f"--channel: {url!r} is not the URL of a channel: {error}") from None
    if output is not None:
        write_text(output, text)
        say(f"page: {output}")
    else:
        say(text, nl=False)
    return 0
