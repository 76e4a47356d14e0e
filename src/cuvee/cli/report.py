"""``cuvee report``."""

import datetime as dt
from pathlib import Path

import click

from cuvee.cli.options import dist_option, history_option, json_option
from cuvee.cli.output import say
from cuvee.cli.render import result_json, write_json


@click.command()
@click.argument("source", metavar="RELEASE", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the page, its data and its tables again, to this folder.",
)
@dist_option
@history_option
@json_option
def command(source: Path, *, output: Path | None, dist: Path, history: Path | None, as_json: bool) -> int:
    """Print what the report of a release says, from what its folder holds; nothing is made or tested.

    RELEASE is the release folder, or the manifest that it was cut from. Nothing is written, unless --output
    names a folder.

    \b
    Examples:
      cuvee report dist/starter-2026.11.0
      cuvee report manifests/starter/2026.11.0.yaml --dist dist
      cuvee report dist/starter-2026.11.0 --output build/report
      cuvee report dist/starter-2026.11.0 --json
    """
    from cuvee.history.history_file import HISTORY
    from cuvee.release.named_manifest import named_manifest
    from cuvee.release.record import Release
    from cuvee.release.report_stage import past_of
    from cuvee.report.page import build_page
    from cuvee.report.summary import summary_lines
    from cuvee.report.writer import write_report

    folder = source
    if not source.is_dir():
        folder = dist / named_manifest(source, today=dt.datetime.now(dt.UTC).date()).release_name
    release = Release.open(folder)
    release.verify_artefacts()
    page = build_page(release, folder / "results")
    if output is not None:
        past = past_of(release, history or folder.resolve().parent.parent / HISTORY)
        write_report(page, release, release.graph, output, past)
    if as_json:
        write_json(result_json(release))
        return release.exit_code
    for line in summary_lines(page):
        say(line)
    say(f"report: {(output or folder / 'report') / 'index.html'}")
    return release.exit_code
