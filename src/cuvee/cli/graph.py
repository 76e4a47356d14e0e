"""``cuvee graph``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cuvee.cli.completion import check_names, package_names
from cuvee.cli.options import ask, given_set, question_options
from cuvee.cli.output import say
from cuvee.cli.render import write_json

if TYPE_CHECKING:
    from cuvee.graph.checks import CheckOutcome
    from cuvee.graph.release_graph import ReleaseGraph
    from cuvee.release.session import Session

FORMATS = ("svg", "graphml", "dot", "json")


@click.command()
@partial(question_options, computes=True)
@click.argument("names", nargs=-1, metavar="[PACKAGE]...", shell_complete=package_names)
@click.option(
    "--finding",
    metavar="CHECK",
    shell_complete=check_names,
    help="Draw what the findings of this check are about.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(FORMATS),
    help="What to write; may be given several times.  [default: svg; without PACKAGE all]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("graph"),
    show_default=True,
    help="The folder to write to.",
)
def command(
    manifest: Path,
    names: tuple[str, ...],
    *,
    finding: str | None,
    formats: tuple[str, ...],
    output: Path,
    environment: str | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Draw a locked release, or the surroundings of packages or findings.

    Without PACKAGE: for each platform a treemap (what weighs how much, and what brings it), the build
    waves, and the whole graph as GraphML, DOT and JSON. With PACKAGE: who needs it and what it needs.
    Colours are the worst verdict of the checks, which run again. The paths of the files are written to
    stdout, and nothing is written to the release folder. SET is what `cuvee why` takes.

    \b
    Examples:
      cuvee graph manifests/starter/2026.11.0.yaml
      cuvee graph manifests/starter/2026.11.0.yaml numpy --platform linux-64
      cuvee graph dist/starter-2026.11.0 --finding closure -o pictures
      cuvee graph pixi.lock numpy
    """
    from cuvee.errors import UsageError
    from cuvee.release.pictures import write_findings, write_packages, write_release
    from cuvee.release.recorded_release import checked_again, recorded_release

    if names and finding:
        raise UsageError("A picture is of packages or of findings, not of both", hint="Draw them one by one.")

    def work(session: "Session") -> "tuple[tuple[CheckOutcome, ...], ReleaseGraph]":
        checked = checked_again(session, recorded_release(session))
        return checked.checks, session.graph(checked.lock, checked.absent)

    given = given_set(manifest, platforms=options["platforms"], environment=environment)
    if given is None:
        outcomes, release = ask(work, manifest=manifest, **options)
    else:
        outcomes, release = given.check(), given.graph
    findings = [item for outcome in outcomes for item in outcome.findings]
    if names:
        written = write_packages(release, findings, names, output, formats or ("svg",))
    elif finding:
        known = [done.identifier for done in outcomes]
        if finding not in known:
            raise UsageError(f"There is no check {finding!r}", hint=f"Known: {', '.join(known)}")
        written = write_findings(release, findings, finding, output, formats or ("svg",))
    else:
        written = write_release(release, findings, output, formats or FORMATS)
    if as_json:
        write_json({"release": release.manifest.release_name, "files": [str(path) for path in written]})
        return 0
    for path in written:
        say(path)
    if not written:
        say(f"{finding} has found nothing that could be drawn.", err=True)
    return 0
