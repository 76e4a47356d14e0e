"""``cuvee test``."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cuvee.cli.options import ask, of_release_folder, release_options, run_pipeline
from cuvee.cli.output import say
from cuvee.cli.render import print_checks, print_runs, result_json, write_json
from cuvee.errors import UsageError

if TYPE_CHECKING:
    from cuvee.integration.unit_selection import Selection
    from cuvee.release.selected_tests import SelectedRun

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
        "--on",
        "place",
        metavar="PLACE",
        help="Run elsewhere: ssh://[USER@]HOST[:PORT], container:IMAGE, or the folder of another Linux.",
    ),
    click.option("--fail-fast", is_flag=True, help="Start nothing after the first failure."),
    click.option(
        "--results",
        type=click.Path(path_type=Path, file_okay=False),
        help="The folder for results that are not recorded.  [default: in the cache]",
    ),
)


def _selection_options(command: Any) -> Any:
    for option in reversed(_SELECTION):
        command = option(command)
    return command


@click.command()
@partial(release_options, installers=True, metavar="MANIFEST|RELEASE")
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
    place: str | None,
    fail_fast: bool,
    results: Path | None,
    dist: Path,
    **options: Any,
) -> int:
    """Install a release with its own installer and run its suites in it; make it first if need be.

    Of a release folder, the installers that it holds are tested as they are, such as on another machine; its
    manifest must be in a folder manifests above it, or above the working folder.

    A unit of work is a part of a suite on a platform with a runner, such as
    interop/test_tables.py@linux-64/native. PATTERN matches all of that, or a part: interop, win-64,
    "test_*.py", interop@linux-64. With a selection or --fail-fast, what is left out is not run, and the
    verdict is never ready. Results of such a run, of a release folder and of --on are not recorded:
    `cuvee import-results` adds the last two to the release.

    \b
    Examples:
      cuvee test manifests/starter/2026.11.0.yaml
      cuvee test manifests/starter/2026.11.0.yaml --platform linux-64 --verbose
      cuvee test manifests/starter/2026.11.0.yaml --plan --changed
      cuvee test manifests/starter/2026.11.0.yaml --select "interop/test_t*" --package pandas
      cuvee test manifests/starter/2026.11.0.yaml --rerun failed --fail-fast
      cuvee test manifests/starter/2026.11.0.yaml --on /srv/debian-13
      cuvee test dist/starter-2026.11.0 --platform linux-aarch64 --on ssh://builder@arm-box
      cuvee test dist/starter-2026.11.0 --platform linux-64 --on container:docker.io/library/debian:11
      cuvee test manifests/starter/2026.11.0.yaml --executor dask://10.0.0.5:8786
      cuvee test dist/starter-2026.11.0 --platform linux-64 --results results

    Exit codes: 0 ready, 1 blocked, or not all was run, 2 usage, manifest or suites, or nothing to run, 3 a
    tool is missing, 4 a source could not be reached, 5 integrity, 6 storage or memory, 7 another cuvee is
    working on it, 130 interrupted.
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
    named = manifest
    manifest, options["dist"] = of_release_folder(named, dist)
    if plan:
        return _plan(manifest, selection, as_json=as_json, place=place, **options)
    options |= {"place": place, "results": results, "selection": selection}
    if manifest != named:
        from cuvee.release.made_installers import run_made_installers

        return _unrecorded(partial(ask, run_made_installers), manifest, as_json=as_json, **options)
    if selection.is_partial or place is not None:
        from cuvee.release.selected_tests import run_selected_tests

        work = partial(run_pipeline, run_selected_tests, as_json=as_json)
        return _unrecorded(work, manifest, as_json=as_json, **options)
    if results is not None:
        raise UsageError(
            "Results of all tests are recorded in the release folder, not elsewhere",
            hint="Leave --results out.",
        )
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


def _unrecorded(work: "Callable[..., SelectedRun]", manifest: Path, *, as_json: bool, **options: Any) -> int:
    result = work(manifest=manifest, **options)
    if as_json:
        from cuvee.cli.test_plans import selected_json

        write_json(selected_json(result))
        return result.verdict.exit_code
    print_runs(result.runs)
    say(_not_recorded(result))
    say(f"results: {result.folder}")
    if result.whole or options["place"] is not None:
        say("`cuvee import-results RELEASE` adds the outcomes.json of a platform to the release.")
    return result.verdict.exit_code


def _not_recorded(result: "SelectedRun") -> str:
    chosen, all_units = len(result.plan.to_run), len(result.plan.units)
    if chosen == all_units:
        return f"All {chosen} units of work were run; nothing was recorded."
    if result.whole:
        return f"{chosen} of {all_units} units of work can run here; nothing was recorded."
    return (
        f"{chosen} of {all_units} units of work were selected. The release needs all: nothing was recorded."
    )
