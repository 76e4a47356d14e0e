"""``cuvee report``."""

from pathlib import Path
from typing import Any

import click

from cuvee.cli.options import release_options, run_pipeline
from cuvee.cli.render import result_json, write_json


@click.command()
@release_options
def command(manifest: Path, *, as_json: bool, **options: Any) -> int:
    """Write the report of a release again, from what its folder holds; nothing is made or tested.

    \b
    Examples:
      cuvee report manifests/starter/2026.11.0.yaml
      cuvee report manifests/starter/2026.11.0.yaml --json
    """
    from cuvee.release.pipeline import release
    from cuvee.report.summary import summary_lines

    result = run_pipeline(release, manifest=manifest, recorded_only=True, as_json=as_json, **options)
    if as_json:
        write_json(result_json(result))
        return result.verdict.exit_code
    if result.report is not None:
        for line in summary_lines(result.report):
            click.echo(line)
    click.echo(f"report: {result.folder / 'report' / 'index.html'}")
    return result.verdict.exit_code
