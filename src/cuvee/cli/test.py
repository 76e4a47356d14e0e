"""``cuvee test``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cuvee.cli.options import ask, release_options, run_pipeline
from cuvee.cli.output import say
from cuvee.cli.render import print_checks, print_runs, result_json, write_json

if TYPE_CHECKING:
    from cuvee.integration.unit_selection import Selection

_SELECTION = (
    click.option("--plan", is_flag=True, help="List what would run, and why the rest would not."),
    click.option(
        "--select",
        "patterns",
        multiple=True,
        metavar="PATTERN",
        help="Only units of work of this name, or part of it; a glob pattern. Again for more.",
    ),
    click.option("--package", "packages", multiple=True, help="Only what is about this package."),
    click.option("--owner", "owners", multiple=True, help="Only what belongs to this owner."),
    click.option("--changed", is_flag=True, help="Only what needs a package that changed since the base."),
    click.option("--rerun", type=click.Choice(["failed"]), help="Only what failed in the last recorded run."),
    click.option(
        "--root",
        type=click.Path(path_type=Path),
        help="Run in the files of another Linux system, such as a folder made by debootstrap.",
    ),
    click.option("--fail-fast", is_flag=True, help="Start nothing after the first failure."),
)


def _selection_options(command: Any) -> Any:
    for option in reversed(_SELECTION):
        command = option(command)
    return command


@click.command()
@partial(release_options, installers=True)
@_selection_options
def command(
    manifest: Path,
    *,
    as_json: bool,
    plan: bool,
    patterns: tuple[str, ...],
    packages: tuple[str, ...],
    owners: tuple[str, ...],
    changed: bool,
    rerun: str | None,
    root: Path | None,
    fail_fast: bool,
    **options: Any,
) -> int:
    """Install a release with its own installer and run its suites in it; make it first if need be.

    A unit of work is a part of a suite on a platform with a runner, such as
    interop/test_tables.py@linux-64/native. PATTERN matches all of that, or a part: interop, win-64,
    "test_*.py", interop@linux-64. With a selection or --fail-fast, what is left out is not run, nothing is
    recorded, and the verdict is never ready. Results of --root are not recorded, either:
    `cuvee import-results` adds them to the release.

    \b
    Examples:
      cuvee test manifests/starter/2026.11.0.yaml
      cuvee test manifests/starter/2026.11.0.yaml --platform linux-64 --verbose
      cuvee test manifests/starter/2026.11.0.yaml --plan --changed
      cuvee test manifests/starter/2026.11.0.yaml --select "interop/test_t*" --package pandas
      cuvee test manifests/starter/2026.11.0.yaml --rerun failed --fail-fast
      cuvee test manifests/starter/2026.11.0.yaml --root /srv/debian-13
    """
    from cuvee.integration.unit_selection import Selection

    selection = Selection(
        patterns=patterns,
        packages=packages,
        owners=owners,
        changed=changed,
        failed=rerun is not None,
        fail_fast=fail_fast,
    )
    if plan:
        return _plan(manifest, selection, as_json=as_json, root=root, **options)
    if selection.is_partial or root is not None:
        return _selected(manifest, selection, as_json=as_json, root=root, **options)
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


def _plan(manifest: Path, selection: "Selection", *, as_json: bool, **options: Any) -> int:
    from cuvee.cli.test_plans import plan_json, plan_lines
    from cuvee.release.selected_tests import plan_tests

    found = ask(plan_tests, manifest=manifest, selection=selection, **options)
    if as_json:
        write_json(plan_json(found))
        return 0
    for line in plan_lines(found, verbose=options["verbose"]):
        say(line)
    return 0


def _selected(manifest: Path, selection: "Selection", *, as_json: bool, **options: Any) -> int:
    from cuvee.cli.test_plans import selected_json
    from cuvee.release.selected_tests import run_selected_tests

    result = run_pipeline(
        run_selected_tests, manifest=manifest, as_json=as_json, selection=selection, **options
    )
    if as_json:
        write_json(selected_json(result))
        return result.verdict.exit_code
    print_runs(result.runs)
    chosen, all_units = len(result.plan.to_run), len(result.plan.units)
    say(f"{chosen} of {all_units} units of work were selected. The release needs all: nothing was recorded.")
    say(f"results: {result.folder}")
    if options["root"] is not None:
        say("`cuvee import-results RELEASE` adds the outcomes.json of a platform to the release.")
    return result.verdict.exit_code
