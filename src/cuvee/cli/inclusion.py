"""``cuvee inclusion``."""

from functools import partial
from pathlib import Path

import click

from cuvee.cli.options import (
    ask,
    cache_option,
    dist_option,
    json_option,
    platform_option,
    quiet_option,
    verbose_option,
)
from cuvee.cli.output import say
from cuvee.cli.render import write_json
from cuvee.errors import UsageError


@click.command()
@click.argument("name", metavar="NAME[=VERSION]")
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--owner", metavar="NAME", help="Who will own it: a name of the manifest's `owners`.")
@click.option("--archives", is_flag=True, help="Fetch the archives of the whole set, to compare all files.")
@click.option("--markdown", is_flag=True, help="Print a checklist to paste into a pull request.")
@click.option("--html", is_flag=True, help="Print a page that needs nothing else.")
@platform_option
@dist_option
@cache_option
@json_option
@quiet_option
@verbose_option
def command(
    name: str,
    *,
    manifest: Path,
    owner: str | None,
    archives: bool,
    markdown: bool,
    html: bool,
    platforms: tuple[str, ...],
    dist: Path,
    cache: Path,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Check whether the package NAME can come into the set of a manifest.

    The set is locked without and with it, in a folder that is removed afterwards; nothing else is written.
    Each item of the checklist passes, fails, or needs a person, because a program cannot know. Which items
    bind, `policy.inclusion` of the manifest says. A package that the manifest has already is checked as if
    it were new, so that the check can run in a pull request.

    \b
    Examples:
      cuvee inclusion httpx manifests/starter/2026.11.0.yaml
      cuvee inclusion httpx=0.28 manifests/starter/2026.11.0.yaml --owner core --markdown
      cuvee inclusion httpx manifests/starter/2026.11.0.yaml --platform linux-64 --html > httpx.html

    Exit codes: 0 no item that binds fails, 1 one does, 2 there is no such package, or the manifest has
    problems.
    """
    from cuvee.inclusion import checklist_formats
    from cuvee.inclusion.checklist import checklist_of
    from cuvee.inclusion.submission_trial import submission_of

    if markdown + html + as_json > 1:
        raise UsageError("Only one of --markdown, --html and --json", hint="Run the command once for each.")
    work = partial(submission_of, request=name, owner=owner, open_all=archives)
    submission = ask(
        work, manifest=manifest, platforms=platforms, dist=dist, cache=cache, quiet=quiet, verbose=verbose
    )
    checklist = checklist_of(submission)
    if as_json:
        write_json(checklist_formats.as_json(checklist))
    elif markdown:
        say(checklist_formats.as_markdown(checklist), nl=False)
    elif html:
        say(checklist_formats.as_html(checklist), nl=False)
    else:
        for line in checklist_formats.as_lines(checklist, verbose=verbose):
            say(line)
    return int(bool(checklist.refused))
