"""``cuvee report``."""

import datetime as dt
from pathlib import Path

import click

from cuvee.cli.options import dist_option, history_option, json_option
from cuvee.cli.output import say
from cuvee.cli.render import result_json, write_json
from cuvee.errors import UsageError


@click.command()
@click.argument("sources", metavar="[RELEASE]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the pages, their data and tables again, or the index, to this folder.",
)
@click.option("--index", is_flag=True, help="Write one index over all releases, into the folder dist.")
@click.option("--serve", is_flag=True, help="Serve the folder dist on 127.0.0.1, until Ctrl-C.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="For --serve.")
@click.option(
    "--errata",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder of errata; by default the folder errata beside dist, or above it.",
)
@click.option("--markdown", is_flag=True, help="Print a summary in Markdown, for chat and pull requests.")
@click.option("--parquet", is_flag=True, help="Write the tables as Parquet, too; needs --output and pyarrow.")
@dist_option
@history_option
@json_option
def command(
    sources: tuple[Path, ...],
    *,
    output: Path | None,
    index: bool,
    serve: bool,
    port: int,
    errata: Path | None,
    markdown: bool,
    parquet: bool,
    dist: Path,
    history: Path | None,
    as_json: bool,
) -> int:
    """Print what the report of a release says, from what its folder holds; nothing is made or tested.

    RELEASE is the release folder, or the manifest that it was cut from. Nothing is written, unless --output
    names a folder. With --index, RELEASE is a release folder, or a folder of them; by default all of dist.

    \b
    Examples:
      cuvee report dist/starter-2026.11.0
      cuvee report manifests/starter/2026.11.0.yaml --dist dist
      cuvee report dist/starter-2026.11.0 --output build/report --parquet
      cuvee report dist/starter-2026.11.0 --json
      cuvee report dist/starter-2026.11.0 --markdown
      cuvee report --index
      cuvee report --index dist archive/2025 --output site
      cuvee report --serve --port 0
    """
    if index or serve:
        if index:
            _index(sources or (dist,), output or dist, as_json=as_json)
        return _serve(output or dist, port) if serve else 0
    if len(sources) != 1:
        raise UsageError(
            "State one release", hint="Or write an index over all with --index; see `cuvee report --help`."
        )
    return _report(
        sources[0], output, dist, history, errata, as_json=as_json, markdown=markdown, parquet=parquet
    )


def _report(
    source: Path,
    output: Path | None,
    dist: Path,
    history: Path | None,
    errata: Path | None,
    *,
    as_json: bool,
    markdown: bool,
    parquet: bool,
) -> int:
    from cuvee.errata.errata_in_report import errata_beside
    from cuvee.history.history_file import HISTORY
    from cuvee.release.named_manifest import named_manifest
    from cuvee.release.record import Release
    from cuvee.release.report_stage import past_of
    from cuvee.report.markdown_summary import markdown_summary
    from cuvee.report.page import build_page
    from cuvee.report.parquet_tables import require_parquet, write_parquet
    from cuvee.report.summary import summary_lines
    from cuvee.report.writer import write_report

    if parquet:
        if output is None:
            raise UsageError("--parquet needs a folder to write to", hint="Name one with --output.")
        require_parquet()
    folder = source
    if not source.is_dir():
        folder = dist / named_manifest(source, today=dt.datetime.now(dt.UTC).date()).release_name
    release = Release.open(folder)
    release.verify_artefacts()
    page = build_page(release, folder / "results", errata_beside(folder.resolve().parent, errata)(release))
    if output is not None:
        past = past_of(release, history or folder.resolve().parent.parent / HISTORY)
        write_report(page, release, release.graph, output, past)
        if parquet:
            write_parquet(page, release.lock, output)
    if as_json:
        write_json(result_json(release))
    elif markdown:
        say(markdown_summary(page), nl=False)
    else:
        for line in summary_lines(page):
            say(line)
        written = (output or folder / "report") / "index.html"
        if written.is_file():  # of a run that has not ended there is none
            say(f"report: {written}")
    return release.exit_code


def _index(sources: tuple[Path, ...], output: Path, *, as_json: bool) -> None:
    from cuvee.report.index_writer import read_entries, release_folders, write_index

    entries, problems = read_entries(release_folders(sources), output)
    written = write_index(entries, problems, output)
    for problem in problems:
        say(f"{problem.folder} cannot be read, and the index says so: {problem.message}", err=True)
    if as_json:
        write_json(
            {
                "index": str(written[-1]),
                "releases": [entry.release for entry in entries],
                "problems": {problem.folder: problem.message for problem in problems},
            }
        )
    else:
        say(f"{len(entries)} releases are in {written[-1]}")


def _serve(folder: Path, port: int) -> int:
    from cuvee.report.serving import make_server

    with make_server(folder, port) as server:
        say(f"{folder} is served at http://127.0.0.1:{server.server_port}/ until you press Ctrl-C")
        server.serve_forever()
    return 0
