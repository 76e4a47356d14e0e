"""``cuvee check``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cuvee.cli.options import release_options, run_pipeline
from cuvee.cli.render import print_checks, result_json, write_json
from cuvee.errors import UsageError

if TYPE_CHECKING:
    from cuvee.graph.checks import Check


@click.command()
@partial(release_options, manifest_required=False)
@click.option("--list", "list_checks", is_flag=True, help="List the checks, and check nothing.")
@click.option(
    "--only",
    multiple=True,
    metavar="CHECK",
    help="Run this check and what it needs; may be given several times.",
)
@click.option(
    "--skip", multiple=True, metavar="CHECK", help="Leave this check out; may be given several times."
)
@click.option(
    "--archives/--no-archives",
    default=None,
    help="Look into every archive, and fetch those that are missing; or into none. "
    "Without it: into all of them if they are at hand.",
)
def command(
    manifest: Path | None,
    *,
    list_checks: bool,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    archives: bool | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Prove that a locked release fits together; lock it first if need be.

    Findings are grouped by cause and written to `checks/findings.json` in the release folder; with `--only`,
    `--skip` or `--no-archives` nothing is written. The exit code is 1 if one of them keeps the release from
    going out.

    \b
    Examples:
      cuvee check manifests/starter/2026.11.0.yaml
      cuvee check manifests/starter/2026.11.0.yaml --only licenses --only parity
      cuvee check manifests/starter/2026.11.0.yaml --verbose
      cuvee check manifests/starter/2026.11.0.yaml --archives
      cuvee check manifests/starter/2026.11.0.yaml --json
      cuvee check --list
    """
    from cuvee.graph.checks import ALL_CHECKS, TEST_CHECKS, left_out

    not_run = left_out(ALL_CHECKS, only=only, skip=skip)
    if list_checks:
        of_tests = () if only else TEST_CHECKS
        listed = [check for check in (*ALL_CHECKS, *of_tests) if check.identifier not in not_run]
        _list(listed, as_json=as_json)
        return 0
    if manifest is None:
        raise UsageError("Which manifest?", hint="Name one, or list the checks with `cuvee check --list`.")
    from cuvee.release.check_stage import ArchiveAccess
    from cuvee.release.pipeline import check_release

    access = {True: ArchiveAccess.FETCH, False: ArchiveAccess.NONE, None: ArchiveAccess.AT_HAND}[archives]
    result = run_pipeline(
        partial(check_release, left_out=not_run, access=access), manifest=manifest, as_json=as_json, **options
    )
    if as_json:
        write_json(result_json(result))
        return result.verdict.exit_code
    shown = tuple(item for item in result.checks if item.identifier not in not_run)
    print_checks(shown, verbose=options["verbose"])
    words = f"{len(shown)} of {len(result.checks)} checks: " if not_run else ""
    click.echo(f"{result.name}: {words}{result.verdict.value}. {result.verdict.must_act}")
    return result.verdict.exit_code


def _list(checks: "list[Check]", *, as_json: bool) -> None:
    from cuvee.graph.checks import documentation

    if as_json:
        write_json(
            [
                {
                    "identifier": check.identifier,
                    "family": check.family,
                    "title": check.title,
                    "prerequisites": list(check.prerequisites),
                    "severity": _grades(check),
                    "documentation": documentation(check),
                }
                for check in checks
            ]
        )
        return
    for family in dict.fromkeys(check.family for check in checks):
        click.secho(family, bold=True)
        for check in checks:
            if check.family == family:
                _describe(check)


def _grades(check: "Check") -> dict[str, str]:
    from cuvee.manifest.model import Track

    return {track.value: check.severity.on(track).value for track in Track}


def _describe(check: "Check") -> None:
    from cuvee.graph.checks import documentation

    grades = _grades(check)
    alike = len(set(grades.values())) == 1
    grade = grades["stable"] if alike else ", ".join(f"{value} on {track}" for track, value in grades.items())
    click.echo(f"  {check.identifier}: {check.title}")
    needs = f"; needs {', '.join(check.prerequisites)}" if check.prerequisites else ""
    click.echo(f"    at worst {grade}{needs}; see {documentation(check)}")
