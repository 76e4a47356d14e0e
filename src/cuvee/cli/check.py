"""``cuvee check``."""

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cuvee.cli.completion import check_names
from cuvee.cli.options import (
    ask,
    environment_option,
    given_set,
    of_release_folder,
    release_options,
    run_pipeline,
)
from cuvee.cli.output import say
from cuvee.cli.render import print_checks, result_json, write_json
from cuvee.errors import NotLockedError, UsageError

if TYPE_CHECKING:
    from cuvee.graph.checks import Check
    from cuvee.release.check_stage import ArchiveAccess
    from cuvee.release.given_set import GivenSet
    from cuvee.release.record import Release
    from cuvee.release.session import Session


@click.command()
@partial(release_options, manifest_required=False, metavar="[SET]")
@environment_option
@click.option("--list", "list_checks", is_flag=True, help="List the checks, and check nothing.")
@click.option(
    "--only",
    multiple=True,
    metavar="CHECK",
    shell_complete=check_names,
    help="Run this check and what it needs; may be given several times.",
)
@click.option(
    "--skip",
    multiple=True,
    metavar="CHECK",
    shell_complete=check_names,
    help="Leave this check out; may be given several times.",
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
    environment: str | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Prove that a set fits together; a manifest that is not locked yet is locked first.

    SET is a manifest, a release folder, which is checked with its manifest, a pixi.lock, a conda-lock.yml or
    an installed environment. Of the last three only the records are checked, and nothing is written.

    Findings are grouped by cause. Of a release that is locked nothing is written, and other commands may work
    on it meanwhile. With `--refresh` it is locked again. Where the lock is new, the findings are written to
    `checks/findings.json`, unless `--only`, `--skip` or `--no-archives` is given. The exit code is 1 if one
    of them keeps the release from going out.

    \b
    Examples:
      cuvee check manifests/starter/2026.11.0.yaml
      cuvee check manifests/starter/2026.11.0.yaml --only licenses --only parity
      cuvee check manifests/starter/2026.11.0.yaml --verbose
      cuvee check manifests/starter/2026.11.0.yaml --archives
      cuvee check manifests/starter/2026.11.0.yaml --json
      cuvee check dist/starter-2026.11.0
      cuvee check pixi.lock --environment test
      cuvee check --list
    """
    from cuvee.graph.checks import ALL_CHECKS, LEFT_OUT, TEST_CHECKS, left_out

    not_run = left_out(ALL_CHECKS, only=only, skip=skip)
    if list_checks:
        of_tests = () if only else TEST_CHECKS
        listed = [check for check in (*ALL_CHECKS, *of_tests) if check.identifier not in not_run]
        _list(listed, as_json=as_json)
        return 0
    if manifest is None:
        raise UsageError("Which set?", hint="Name a manifest, or list the checks with `cuvee check --list`.")
    given = given_set(manifest, platforms=options["platforms"], environment=environment)
    if given is not None:
        if archives:
            raise UsageError(
                f"Archives are fetched for the release of a manifest, and {manifest} is {given.kind.value}",
                hint="Leave out --archives to check its records.",
            )
        return _check_given(given, not_run, as_json=as_json, verbose=options["verbose"])
    from cuvee.release.check_stage import ArchiveAccess

    access = {True: ArchiveAccess.FETCH, False: ArchiveAccess.NONE, None: ArchiveAccess.AT_HAND}[archives]
    manifest, options["dist"] = of_release_folder(manifest, options["dist"])
    result = _check(not_run, access, manifest=manifest, as_json=as_json, **options)
    if as_json:
        write_json(result_json(result))
        return result.verdict.exit_code
    shown = tuple(item for item in result.checks if item.identifier not in not_run)
    print_checks(shown, verbose=options["verbose"])
    ran = sum(item.reason != LEFT_OUT for item in result.checks)
    words, sentence = "", result.verdict.must_act
    if ran < len(result.checks):
        words = f"{ran} of {len(result.checks)} checks: "
        sentence = sentence if result.verdict.exit_code else "The other checks were not run."
    say(f"{result.name}: {words}{result.verdict.value}. {sentence}")
    return result.verdict.exit_code


def _check(not_run: frozenset[str], access: "ArchiveAccess", *, as_json: bool, **options: Any) -> "Release":
    """Check a release as it is locked, or else after it has been locked."""
    from cuvee.release.pipeline import check_release
    from cuvee.release.recorded_release import checked_again, demand_all_locked, recorded_release

    def ask_again(session: "Session") -> "Release":
        session.read_files()
        release = recorded_release(session)
        demand_all_locked(session, release)
        return checked_again(session, release, left_out=not_run, access=access)

    if not options["refresh"]:
        with suppress(NotLockedError):
            return ask(ask_again, **options)
    return run_pipeline(partial(check_release, left_out=not_run, access=access), as_json=as_json, **options)


def _check_given(given: "GivenSet", not_run: frozenset[str], *, as_json: bool, verbose: bool) -> int:
    from cuvee.codec import encode
    from cuvee.graph.findings import worst

    outcomes = given.check(not_run)
    verdict = worst(finding.verdict for outcome in outcomes for finding in outcome.findings)
    name = given.graph.manifest.release_name
    if as_json:
        packages = {
            part.platform: [item.identifier for item in part.packages] for part in given.lock.platforms
        }
        write_json(
            {"set": name, "verdict": verdict.value, "packages": packages, "notes": list(given.notes),
             "checks": encode(outcomes)}
        )  # fmt: skip
        return verdict.exit_code
    shown = tuple(item for item in outcomes if item.identifier not in {*not_run, *given.not_checked})
    print_checks(shown, verbose=verbose)
    say(
        f"{name}: {len(shown)} of {len(outcomes)} checks: {verdict.value}. The others need a manifest, "
        "channels, archives, or metadata that it does not state."
    )
    return verdict.exit_code


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
        say(badge=family)
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
    say(f"  {check.identifier}: {check.title}")
    needs = f"; needs {', '.join(check.prerequisites)}" if check.prerequisites else ""
    say(f"    at worst {grade}{needs}; see {documentation(check)}")
