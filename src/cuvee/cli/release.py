"""``cuvee release``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cuvee.cli.options import release_options, run_pipeline
from cuvee.cli.output import say
from cuvee.cli.render import (
    print_artefacts,
    print_checks,
    print_runs,
    result_json,
    write_json,
)

if TYPE_CHECKING:
    from cuvee.release.record import Release
    from cuvee.release.session import Session


@click.command()
@partial(release_options, installers=True)
def command(manifest: Path, *, as_json: bool, **options: Any) -> int:
    """Cut a release: solve, check, build installers, install and test with them, report.

    What is already made from the same inputs is not made again, so an interrupted run goes on where it was.

    \b
    Examples:
      cuvee release manifests/starter/2026.11.0.yaml
      cuvee release manifests/starter/2026.11.0.yaml --platform linux-64
      cuvee release manifests/starter/2026.11.0.yaml --json > result.json

    Exit codes: 0 ready, 1 blocked by findings or outcomes, 2 usage or manifest, 3 a tool is missing,
    4 a source could not be reached, 5 integrity, 6 storage or memory, 7 another cuvee is working on it,
    130 interrupted.
    """

    def work(session: "Session") -> "tuple[Release, tuple[str, ...]]":
        from cuvee.release.cutting import working_ahead

        with working_ahead(session):
            from cuvee.errata.errata_in_report import errata_beside
            from cuvee.release.pipeline import run_all
            from cuvee.release.report_stage import summary_of

            session.errata_of = errata_beside(session.manifest.path.parent)
            made = run_all(session)
            return made, summary_of(session, made)

    result, summary = run_pipeline(work, manifest=manifest, as_json=as_json, **options)
    if as_json:
        write_json(result_json(result))
        return result.verdict.exit_code
    print_checks(result.checks, verbose=options["verbose"])
    print_runs(result.runs)
    print_artefacts(result.handed_out, result.folder)
    for line in summary:
        say(line)
    say(f"report: {result.folder / 'report' / 'index.html'}")
    return result.verdict.exit_code
