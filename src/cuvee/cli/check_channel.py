"""``cuvee check-channel``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cuvee.cli.options import cache_option, executor_option, json_option, quiet_option
from cuvee.cli.output import say
from cuvee.cli.render import json_text
from cuvee.cli.terminal import terminal
from cuvee.errors import UsageError
from cuvee.platforms import PLATFORMS

if TYPE_CHECKING:
    from cuvee.executors.executor_choice import ExecutorChoice
    from cuvee.graph.channel_check.model import PlatformResult

_CAUSES = 20
_PROBLEMS = 10


@click.command()
@click.argument("channel")
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    metavar="SUBDIR",
    shell_complete=lambda _context, _parameter, start: [name for name in PLATFORMS if name.startswith(start)],
    help="Only this platform; may be given several times.",
)
@click.option("--newest", is_flag=True, help="Check only the newest version and build of each name.")
@click.option(
    "--floor",
    "floors",
    multiple=True,
    metavar="KEY=VERSION",
    help="The floor of the system; may be given several times.",
)
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Write a row per record as CSV.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write there, not to stdout."
)
@click.option("--jobs", type=click.IntRange(min=1), help="How many processes; one per core by default.")
@executor_option("processes", "Where the parts of a large channel are checked")
@cache_option
@quiet_option
@click.option("-v", "--verbose", is_flag=True, help="List all causes, each with its records.")
def command(
    channel: str,
    *,
    platforms: tuple[str, ...],
    newest: bool,
    floors: tuple[str, ...],
    as_json: bool,
    as_csv: bool,
    output: Path | None,
    jobs: int | None,
    executor: "ExecutorChoice",
    cache: Path,
    quiet: bool,
    verbose: bool,
) -> int:
    """Check whether each record of a channel can be installed, and say why not.

    CHANNEL is a folder with `<subdir>/repodata.json`, one such file, or a channel's name or URL; for a URL,
    name the platforms. The result is exact: that of one solve per record. Records that cannot be installed
    are grouped by root cause. The exit code is 1 if there is such a record, or one that cannot be read.

    \b
    Examples:
      cuvee check-channel ./channel
      cuvee check-channel ./channel --newest --csv --output records.csv
      cuvee check-channel conda-forge --platform linux-64 --floor glibc=2.17 --json
      cuvee check-channel ./channel --executor dask://127.0.0.1:8786
    """
    from cuvee.conda.url_secrets import without_secrets
    from cuvee.executors.opened_executor import opened_executor
    from cuvee.files import csv_text, write_text
    from cuvee.graph.channel_check.check_tables import COLUMNS, as_values, rows
    from cuvee.graph.channel_check.whole_channel import check_channel

    if as_json and as_csv:
        raise UsageError("--json and --csv exclude each other", hint="Choose one.")
    floor = _floor(floors)
    with (
        terminal(quiet=quiet, verbose=verbose) as reporter,
        opened_executor(executor, jobs=jobs, reporter=reporter) as opened,
    ):
        answers = tuple(
            check_channel(
                channel,
                cache=cache,
                platforms=platforms,
                floor=floor,
                only_newest=newest,
                executor=opened,
                reporter=reporter,
            )
        )
    results = tuple(answer.result for answer in answers)
    if as_json:
        text = json_text(as_values(without_secrets(channel), results))
    elif as_csv:
        text = csv_text(COLUMNS, (row for answer in answers for row in rows(answer.result, answer.records)))
    else:
        text = "".join(_page(result, verbose=verbose) for result in results)
    if output is None:
        say(text, nl=False)
    else:
        write_text(output, text)
    return int(any(result.not_installable or result.problems for result in results))


def _floor(floors: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for item in floors:
        key, separator, version = item.partition("=")
        if not separator or not version:
            raise UsageError(f"--floor {item} has no version", hint="For example: --floor glibc=2.28")
        found[key] = version
    return found


def _page(result: "PlatformResult", *, verbose: bool) -> str:
    """Return the result for a platform as text: counts, then causes with the most victims first."""
    bad = len(result.not_installable)
    head = f"{result.platform}: {result.installable:,} of {result.checked:,} records can be installed"
    lines = [f"{head}; of the {result.newest:,} newest, {result.newest_not_installable:,} cannot"]
    shown = result.causes if verbose else result.causes[:_CAUSES]
    for index, cause in enumerate(shown):
        names = ", ".join(cause.names[:4]) + (", …" if len(cause.names) > 4 else "")  # noqa: PLR2004 - a few
        lines.append(f"  {cause.victims:,} {cause.kind.value}: {cause.sentence}")
        lines.append(
            f"      {names}" + (f"; {cause.direct:,} state it" if cause.direct < cause.victims else "")
        )
        if verbose:
            lines += [
                f"        {' -> '.join(item.chain)}" for item in result.not_installable if item.cause == index
            ]
    if len(shown) < len(result.causes):
        rest = sum(cause.victims for cause in result.causes[len(shown) :])
        lines.append(f"  … and {len(result.causes) - len(shown):,} more causes, of {rest:,} of the {bad:,}")
    problems = result.problems if verbose else result.problems[:_PROBLEMS]
    lines += [f"  unreadable: {problem}" for problem in problems]
    if len(problems) < len(result.problems):
        lines.append(f"  … and {len(result.problems) - len(problems):,} more that cannot be read")
    return "\n".join(lines) + "\n"
