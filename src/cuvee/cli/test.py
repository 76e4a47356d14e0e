"""``cuvee test``."""

from functools import partial
from pathlib import Path
from typing import Any

import click

from cuvee.cli.options import release_options, run_pipeline
from cuvee.cli.output import say
from cuvee.cli.render import print_checks, print_runs, result_json, write_json


@click.command()
@partial(release_options, installers=True)
def command(manifest: Path, *, as_json: bool, **options: Any) -> int:
    """Install a release with its own installer and run its suites in it; make it first if need be.

    \b
    Examples:
      cuvee test manifests/starter/2026.11.0.yaml
      cuvee test manifests/starter/2026.11.0.yaml --platform linux-64 --verbose
    """
    from cuvee.release.pipeline import run_recorded_tests

    result = run_pipeline(run_recorded_tests, manifest=manifest, as_json=as_json, **options)
    if as_json:
        write_json(result_json(result))
        return result.verdict.exit_code
    if any(finding.verdict.exit_code for finding in result.findings):
        print_checks(result.checks, verbose=options["verbose"])
    print_runs(result.runs)
    say(f"results: {result.folder / 'results'}")
    return result.verdict.exit_code
