"""``cuvee check``."""

from pathlib import Path
from typing import Any

import click

from cuvee.cli.options import release_options, run_pipeline
from cuvee.cli.render import print_checks, result_json, write_json


@click.command()
@release_options
def command(manifest: Path, *, as_json: bool, **options: Any) -> int:
    """Prove that a locked release fits together; lock it first if need be.

    Findings are grouped by cause and written to `checks/findings.json` in the release folder. The exit
    code is 1 if one of them keeps the release from going out.

    \b
    Examples:
      cuvee check manifests/starter/2026.11.0.yaml
      cuvee check manifests/starter/2026.11.0.yaml --verbose
      cuvee check manifests/starter/2026.11.0.yaml --json
    """
    from cuvee.release.pipeline import check

    result = run_pipeline(check, manifest=manifest, **options)
    if as_json:
        write_json(result_json(result))
        return result.verdict.exit_code
    print_checks(result.checks, verbose=options["verbose"])
    click.echo(f"{result.manifest.release_name}: {result.verdict.value}. {result.verdict.must_act}")
    return result.verdict.exit_code
