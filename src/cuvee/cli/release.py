"""``cuvee release``."""

from pathlib import Path
from typing import Any

import click

from cuvee.cli.options import release_options, run_pipeline
from cuvee.cli.render import (
    print_artefacts,
    print_checks,
    print_runs,
    result_json,
    write_json,
)


@click.command()
@release_options
def command(manifest: Path, *, as_json: bool, **options: Any) -> int:
    """Cut a release: solve, check, build installers, install and test with them, report.

    What is already made from the same inputs is not made again, so an interrupted run goes on where it was.

    \b
    Examples:
      cuvee release manifests/starter/2026.11.0.yaml
      cuvee release manifests/starter/2026.11.0.yaml --platform linux-64
      cuvee release manifests/starter/2026.11.0.yaml --json > release.json

    Exit codes: 0 ready, 1 blocked by findings or outcomes, 2 usage or manifest, 3 a tool is missing,
    4 a source could not be reached, 5 integrity, 130 interrupted.
    """
    from cuvee.release.pipeline import release

    result = run_pipeline(release, manifest=manifest, as_json=as_json, **options)
    if as_json:
        write_json(result_json(result))
        return result.verdict.exit_code
    from cuvee.report.summary import summary_lines

    print_checks(result.checks, verbose=options["verbose"])
    print_runs(result.runs)
    print_artefacts(result.artefacts)
    if result.report is not None:
        for line in summary_lines(result.report):
            click.echo(line)
    click.echo(f"report: {result.folder / 'report' / 'index.html'}")
    return result.verdict.exit_code
