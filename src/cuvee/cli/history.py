"""``cuvee history``."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cuvee.cli.options import history_option, json_option
from cuvee.cli.output import json_safe, say

if TYPE_CHECKING:
    from cuvee.history.model import Point

SYMBOLS = {
    "pass": "P",
    "fail": "F",
    "regression": "R",
    "always-fail": "A",
    "known-fail": "k",
    "waived": "w",
    "flaky": "~",
    "quarantined": "q",
    "timeout": "T",
    "infra-error": "!",
    "skipped": "s",
    "not-supported": "-",
    "not-run": ".",
}
"""One character for each state of an outcome."""


@click.command()
@click.argument("name", required=False)
@history_option
@click.option(
    "--export",
    "export_to",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Write all runs to this file as JSON Lines; - is stdout.",
)
@click.option(
    "--import",
    "import_from",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Add the runs of such a file.",
)
@json_option
def command(
    name: str | None, *, history: Path | None, export_to: Path | None, import_from: Path | None, as_json: bool
) -> int:
    """Print what became of a test, or of the tests that involve a package, over the releases.

    NAME is a test, such as smoke/import:numpy, or a package. Each release counts with its last run.

    \b
    Examples:
      cuvee history numpy
      cuvee history smoke/import:numpy --json
      cuvee history --export runs.jsonl
      cuvee history --import runs.jsonl --history all.sqlite

    Exit codes: 0 printed, exported or imported, 2 usage, or no such test, package or file, 5 the file is
    damaged, or of a newer cuvee; then nothing is written to it.
    """
    from cuvee.errors import UsageError
    from cuvee.history.history_file import HISTORY

    if sum(item is not None for item in (name, export_to, import_from)) != 1:
        raise UsageError(
            "State a test or a package, or --export, or --import", hint="See `cuvee history --help`."
        )
    path = history or Path(HISTORY)
    if export_to is not None:
        return _export(path, export_to)
    if import_from is not None:
        return _import(path, import_from)
    return _show(path, str(name), as_json=as_json)


def _show(path: Path, name: str, *, as_json: bool) -> int:
    from cuvee.cli.render import write_json
    from cuvee.codec import encode
    from cuvee.errors import UsageError
    from cuvee.history.history_file import HistoryFile
    from cuvee.history.queries import points, similar_names
    from cuvee.manifest.documents.suggestions import did_you_mean

    with HistoryFile.open_to_read(path) as opened:
        found = points(opened, name)
        if not found:
            raise UsageError(
                f"{path} has no test {name}, and no test that involves a package {name}",
                hint=did_you_mean(name, similar_names(opened)).capitalize()
                or "`cuvee history --export -` prints all that it has.",
            )
    if as_json:
        write_json({"name": name, "points": encode(found)})
        return 0
    for line in history_lines(found):
        say(line)
    return 0


def history_lines(found: "Sequence[Point]") -> list[str]:
    """Return the states of tests over releases for people: a strip of characters for each platform."""
    lines: list[str] = []
    shown: set[str] = set()
    for test, of_test in groupby(found, key=lambda point: f"{point.suite}/{point.test}"):
        lines.append(test)
        for where, group in groupby(of_test, key=lambda point: f"{point.platform} ({point.runner})"):
            strip = list(group)
            states = [point.state.value for point in strip]
            shown |= set(states)
            seconds = sorted(point.seconds for point in strip)
            span = strip[0].release if len(strip) == 1 else f"{strip[0].release} to {strip[-1].release}"
            lines.append(
                f"  {where}  {''.join(SYMBOLS[state] for state in states)}  {span},"
                f" {seconds[len(seconds) // 2]:.2f} s"
            )
            flipped = sum(point.flips.flipped for point in strip)
            if flipped:
                runs = sum(point.flips.runs for point in strip)
                lines.append(f"    flaky in {flipped} of {runs} runs ({flipped / runs:.0%})")
            first = _first_bad(strip)
            if first is not None:
                lines.append(f"    {first.state.value} since {first.release}: {first.reason}")
    return [*lines, ", ".join(f"{symbol} {state}" for state, symbol in SYMBOLS.items() if state in shown)]


def _first_bad(strip: "Sequence[Point]") -> "Point | None":
    """Return where the failures begin that last to this day."""
    first = None
    for point in reversed(strip):
        if not point.state.blocks and point.state.value != "always-fail":
            break
        first = point
    return first


def _export(path: Path, target: Path) -> int:
    from cuvee.files import replacing
    from cuvee.history.history_file import HistoryFile
    from cuvee.history.json_lines import to_lines
    from cuvee.history.queries import all_runs

    with HistoryFile.open_to_read(path) as opened:
        if str(target) == "-":
            say(json_safe("".join(to_lines(all_runs(opened)))), nl=False)
            return 0
        with replacing(target) as beside, beside.open("w", encoding="utf-8") as stream:
            stream.writelines(to_lines(all_runs(opened)))
    return 0


def _import(path: Path, source: Path) -> int:
    from cuvee.history.history_file import HistoryFile
    from cuvee.history.json_lines import from_lines

    with source.open("rb") as stream, HistoryFile.open(path) as opened:
        added = [opened.add(run) for run in from_lines(stream, source=str(source))]
    say(f"{sum(added)} of {len(added)} runs were added to {path}; the others were there")
    return 0
