"""``cuvee diff``: what changed between two releases, locks, manifests or environments."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cuvee.cli.options import json_option
from cuvee.cli.output import say
from cuvee.cli.render import write_json
from cuvee.errors import UsageError

if TYPE_CHECKING:
    from cuvee.graph.diff.model import Comparison
    from cuvee.graph.diff.snapshot import Snapshot

_PATH = click.Path(path_type=Path)


@click.command("diff")
@click.argument("before", type=_PATH)
@click.argument("after", type=_PATH)
@click.option("--platform", metavar="NAME", help="Only this platform; also names that of a list.")
@click.option("--environment", metavar="NAME", help="Which environment of a pixi.lock; default: default.")
@click.option("--requested-before", type=_PATH, help="What BEFORE requests: a manifest or match specs.")
@click.option("--requested-after", type=_PATH, help="What AFTER requests; default: --requested-before.")
@click.option("--markdown", is_flag=True, help="Print tables for release notes.")
@click.option(
    "--errata", type=_PATH, help="With --markdown: begin with what AFTER fixes of this folder's errata."
)
@click.option("--html", is_flag=True, help="Print a page that needs nothing else.")
@json_option
@click.option("-v", "--verbose", is_flag=True, help="All reasons, not just the first ones.")
def command(
    before: Path,
    after: Path,
    *,
    platform: str | None,
    environment: str | None,
    requested_before: Path | None,
    requested_after: Path | None,
    markdown: bool,
    errata: Path | None,
    html: bool,
    as_json: bool,
    verbose: bool,
) -> None:
    """Print what changed from BEFORE to AFTER, in which direction, how far, and what forced it.

    Each of the two is a release folder, a manifest, a pixi.lock, a conda-lock.yml, an environment.yml, a
    list of URLs as `conda list --explicit` prints it, the output of `conda list` with or without `--json`,
    or an installed environment. The exit code is 0 whether they differ or not.

    \b
    Examples:
      cuvee diff dist/starter-2026.11.0 dist/starter-2026.11.1
      cuvee diff manifests/starter/2026.11.0.yaml manifests/starter/2026.11.1.yaml
      cuvee diff old/pixi.lock new/pixi.lock --environment test --markdown
      cuvee diff dist/starter-2026.11.0 dist/starter-2026.11.1 --markdown --errata errata
      cuvee diff old.txt new.txt --requested-before old-specs.txt --requested-after new-specs.txt
      cuvee diff dist/starter-2026.11.0 /opt/starter --html > drift.html
    """
    from cuvee.graph.diff import comparison_formats
    from cuvee.graph.diff.compare import compare
    from cuvee.graph.diff.readers import InputKind, kind_of

    if markdown + html + as_json > 1:
        raise UsageError("Only one of --markdown, --html and --json", hint="Run the command once for each.")
    if errata is not None and not markdown:
        raise UsageError("--errata is for --markdown", hint="Add --markdown, or leave out --errata.")
    if environment is not None and InputKind.PIXI not in {kind_of(before), kind_of(after)}:
        raise UsageError("Neither of the two has environments", hint="Leave out --environment.")
    today = dt.datetime.now(dt.UTC).date()
    old = _read(before, requested_before, today, environment)
    new = _read(after, requested_after or requested_before, today, environment)
    comparison: Comparison = compare(old, new, platform=platform)
    if as_json:
        write_json(comparison_formats.as_json(comparison))
    elif markdown:
        notes = _notes(errata, old.title, new.title) if errata is not None else ""
        say(notes + comparison_formats.as_markdown(comparison), nl=False)
    elif html:
        say(comparison_formats.as_html(comparison), nl=False)
    else:
        say(comparison_formats.as_text(comparison, verbose=verbose), nl=False)


def _notes(folder: Path, before: str, after: str) -> str:
    from cuvee.errata.errata_folder import read_errata
    from cuvee.errata.errata_notes import errata_notes

    return errata_notes(read_errata(folder).errata, before, after)


def _read(path: Path, requested: Path | None, today: dt.date, environment: str | None) -> "Snapshot":
    from dataclasses import replace

    from cuvee.graph.diff.readers import read_requirements
    from cuvee.release.release_snapshot import snapshot_of

    snapshot = snapshot_of(path, today=today, environment=environment)
    if requested is None:
        return snapshot
    requirements = read_requirements(requested, today=today)
    names = frozenset(item.name for item in requirements)
    return replace(snapshot, requirements=requirements, requested=names)
