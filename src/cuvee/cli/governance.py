"""``cuvee governance``."""

import datetime as dt
from pathlib import Path

import click

from cuvee.cli.options import dist_option, history_option, json_option
from cuvee.cli.output import say
from cuvee.cli.render import write_json
from cuvee.errors import UsageError


@click.command()
@click.argument("manifest", type=click.Path(path_type=Path))
@dist_option
@history_option
@click.option("--html", is_flag=True, help="A page in HTML that needs nothing else, instead of Markdown.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to a file.  [default: stdout]",
)
@json_option
def command(
    manifest: Path, *, dist: Path, history: Path | None, html: bool, output: Path | None, as_json: bool
) -> int:
    """Write the page that says who decides in a distribution, and what was decided in each release.

    Owners, quorum and rules are those of MANIFEST, the newest one. Decisions are what differs between the
    manifests beside it, and what the records of releases have, in dist and in a folder reports above it:
    changes, waivers, packages that came, were deprecated, handed over and removed.

    \b
    Examples:
      cuvee governance manifests/starter/2026.11.1.yaml
      cuvee governance manifests/starter/2026.11.1.yaml --html --output governance.html
      cuvee governance manifests/starter/2026.11.1.yaml --json
    """
    from cuvee.files import write_text
    from cuvee.history.history_file import HISTORY
    from cuvee.inclusion import governance_formats
    from cuvee.inclusion.decisions import governance_of
    from cuvee.release.named_manifest import named_manifest

    if html and as_json:
        raise UsageError("Only one of --html and --json", hint="Run the command once for each.")
    loaded = named_manifest(manifest, today=dt.datetime.now(dt.UTC).date())
    kept = history or dist.parent / HISTORY
    found = governance_of(loaded, dist=dist, history=kept if kept.is_file() or history else None)
    if as_json:
        write_json(governance_formats.as_json(found))
        return 0
    text = governance_formats.as_html(found) if html else governance_formats.as_markdown(found)
    if output is not None:
        write_text(output, text)
        say(f"page: {output}")
    else:
        say(text, nl=False)
    return 0
