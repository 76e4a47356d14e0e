"""``cuvee graph``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cuvee.cli.options import release_options, run_pipeline
from cuvee.cli.render import write_json

if TYPE_CHECKING:
    from cuvee.graph.release_graph import ReleaseGraph
    from cuvee.release.record import Release
    from cuvee.release.session import Session

FORMATS = ("svg", "graphml", "dot", "json")


@click.command()
@release_options
@click.argument("names", nargs=-1, metavar="[PACKAGE]...")
@click.option("--finding", metavar="CHECK", help="Draw what the findings of this check are about.")
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
    help="The folder to write to.  [default: checks/graph of the release folder]",
)
def command(
    manifest: Path,
    names: tuple[str, ...],
    *,
    finding: str | None,
    formats: tuple[str, ...],
    output: Path | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Draw a locked release, or the surroundings of packages or findings; lock it first if need be.

    Without PACKAGE: for each platform a treemap (what weighs how much, and what brings it), the build
    waves, and the whole graph as GraphML, DOT and JSON. With PACKAGE: who needs it and what it needs.
    Colours are the worst verdict of the checks. The paths of the files are written to stdout.

    \b
    Examples:
      cuvee graph manifests/starter/2026.11.0.yaml
      cuvee graph manifests/starter/2026.11.0.yaml numpy --platform linux-64
      cuvee graph manifests/starter/2026.11.0.yaml --finding closure -o pictures
    """
    from cuvee.errors import UsageError
    from cuvee.release.pictures import write_findings, write_packages, write_release
    from cuvee.release.pipeline import check_release

    if names and finding:
        raise UsageError("A picture is of packages or of findings, not of both", hint="Draw them one by one.")

    def work(session: "Session") -> "tuple[Release, ReleaseGraph]":
        checked = check_release(session)
        return checked, session.graph(checked.lock, checked.absent)

    result, release = run_pipeline(work, manifest=manifest, as_json=as_json, **options)
    findings = result.findings
    folder = output or result.folder / "checks" / "graph"
    if names:
        written = write_packages(release, findings, names, folder, formats or ("svg",))
    elif finding:
        known = [done.identifier for done in result.checks]
        if finding not in known:
            raise UsageError(f"There is no check {finding!r}", hint=f"Known: {', '.join(known)}")
        written = write_findings(release, findings, finding, folder, formats or ("svg",))
    else:
        written = write_release(release, findings, folder, formats or FORMATS)
    if as_json:
        write_json({"release": result.name, "files": [str(path) for path in written]})
        return 0
    for path in written:
        click.echo(path)
    if not written:
        click.echo(f"{finding} has found nothing that could be drawn.", err=True)
    return 0
