"""Results for people, and as JSON."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cuvee.cli.output import json_safe, say
from cuvee.graph.truncation import shorten_list

if TYPE_CHECKING:
    from cuvee.graph.checks import CheckOutcome
    from cuvee.graph.findings import Finding
    from cuvee.integration.outcomes import PlatformRun
    from cuvee.release.artefacts import Artefact
    from cuvee.release.record import Release

_MOST_VICTIMS = 8
_COLOURS = {
    "blocked": "red",
    "needs-approval": "magenta",
    "waiting": "magenta",
    "warning": "yellow",
    "waived": "cyan",
}


def write_json(value: Any) -> None:
    """Write a value to stdout as JSON."""
    say(json_text(value), nl=False)


def json_text(value: Any) -> str:
    """Return a value as JSON, as all commands write it."""
    return json_safe(json.dumps(value, indent=2, ensure_ascii=False)) + "\n"


@contextmanager
def conflict_as_json(wanted: bool) -> "Iterator[None]":
    """Write why a set has no solution to stdout as JSON, if that is ``wanted``; the error goes on."""
    from cuvee.errors import UnsolvableError

    try:
        yield
    except UnsolvableError as error:
        if wanted:
            write_json({"conflict": error.details})
        raise


def by_platform(answers: Iterable[tuple[str, list[str]]]) -> list[str]:
    """Return each platform's lines under its name; platforms with the same lines share them."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for platform, lines in answers:
        groups.setdefault(tuple(lines), []).append(platform)
    return [
        line
        for lines, platforms in groups.items()
        for line in (f"{', '.join(platforms)}: {lines[0]}", *(f"  {line}" for line in lines[1:]))
    ]


def result_json(release: "Release") -> dict[str, Any]:
    """Return a short record of a run as JSON values."""
    from cuvee.codec import encode
    from cuvee.integration.outcomes import count

    return {
        "release": release.name,
        "folder": str(release.folder),
        "verdict": release.verdict.value,
        "packages": {
            lock.platform: [package.identifier for package in lock.packages]
            for lock in release.lock.platforms
        },
        "absent": encode(release.absent),
        "checks": encode(release.checks),
        "artefacts": encode(release.artefacts),
        "tests": {run.platform: encode(count(run.outcomes)) for run in release.runs},
        "outcomes": {run.platform: outcome_counts(run) for run in release.runs},
        "stages": [
            {
                "name": stage.stage,
                "seconds": stage.seconds,
                "reused": stage.reused,
                "inputs": stage.inputs,
            }
            for stage in release.stages
            if stage.stage
        ],
    }


def outcome_counts(run: "PlatformRun") -> dict[str, int]:
    """Count a platform's outcomes by state."""
    return Counter(outcome.state.value for outcome in run.outcomes)


def print_checks(checks: "tuple[CheckOutcome, ...]", *, verbose: bool) -> None:
    """Print findings, the worst first, and checks that were skipped; those for one reason together."""
    for finding in sorted(_with_not_run_together(checks), key=lambda item: item.verdict, reverse=True):
        verdict = finding.verdict.value
        say(f" [{finding.check}] {finding.cause}", badge=verdict, colour=_COLOURS.get(verdict, "blue"))
        if finding.victims:
            say(f"  hits {shorten_list(finding.victims, _MOST_VICTIMS)}")
        if finding.evidence and (verbose or finding.verdict.exit_code):
            for line in finding.evidence:
                say(f"  because {line}")
        if finding.waived_because:
            say(f"  waived: {finding.waived_because}")
        if finding.action and finding.verdict.exit_code:
            owners = f" ({', '.join(finding.owners)})" if finding.owners else ""
            say(f"  do: {finding.action}{owners}")
    skipped: dict[str, list[str]] = defaultdict(list)
    for check in checks:
        if check.status.value == "skipped" and not check.findings:
            skipped[check.reason].append(check.identifier)
    for reason, names in skipped.items():
        say(f"skipped [{', '.join(names)}] {reason}")


def _with_not_run_together(checks: "Iterable[CheckOutcome]") -> "list[Finding]":
    """Return the findings of all checks, with one for all checks that were not run for the same reason."""
    from cuvee.graph.checks import NOT_RUN

    findings = [finding for check in checks for finding in check.findings]
    not_run: dict[Finding, list[str]] = defaultdict(list)
    for finding in findings:
        if finding.kind == NOT_RUN:
            not_run[replace(finding, check="")].append(finding.check)
    others = [finding for finding in findings if finding.kind != NOT_RUN]
    return [*others, *(replace(item, check=", ".join(names)) for item, names in not_run.items())]


def print_artefacts(artefacts: "tuple[Artefact, ...]", folder: Path) -> None:
    """Print the artefacts below ``folder``; what is missing is said below them.

    Path and hash have a line each, without a table around them, so that they can be copied from any terminal.
    """
    for item in artefacts:
        if item.not_made is not None:
            continue
        say(folder / item.path)
        say(f"  {item.platform or 'all'}, {item.size / 1e6:.1f} MB, made in {item.seconds:.1f} s")
        say(f"  SHA-256 {item.sha256}")
    for item in artefacts:
        if item.not_made is not None:
            say(f"not made: {item.name}: {item.not_made.reason}. {item.not_made.remedy}")


def print_runs(runs: "tuple[PlatformRun, ...]") -> None:
    """Print the counts of outcomes per platform, and what keeps the release from going out."""
    from cuvee.integration.outcomes import count

    for run in runs:
        states = ", ".join(f"{number} {state}" for state, number in sorted(outcome_counts(run).items()))
        why = f": {run.not_run}" if run.not_run else f" ({states})" if states else ""
        say(f"{run.platform}: {count(run.outcomes)}{why}")
        for outcome in run.outcomes:
            if outcome.state.blocks:
                text = f" {outcome.suite} {outcome.test}: {outcome.reason}"
                say(text, badge=f"  {outcome.state.value}", colour="red")
