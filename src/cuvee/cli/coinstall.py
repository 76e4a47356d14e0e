"""``cuvee coinstall``."""

import datetime as dt
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cuvee.cli.options import (
    ask,
    cache_option,
    dist_option,
    environment_option,
    json_option,
    platform_option,
    quiet_option,
    verbose_option,
)
from cuvee.cli.output import say
from cuvee.cli.render import write_json
from cuvee.cli.terminal import terminal
from cuvee.errors import UsageError

if TYPE_CHECKING:
    from cuvee.graph.channel_check.coinstallability import Coinstallability, IncompatibleSet


@click.command()
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@platform_option
@click.option(
    "--any-version", is_flag=True, help="Compare the packages in any version, not only in the stated ones."
)
@click.option(
    "--limit", type=click.IntRange(min=0), help="Stop after so many groups of more than two packages."
)
@environment_option
@dist_option
@cache_option
@json_option
@quiet_option
@verbose_option
def command(
    sources: tuple[Path, ...],
    *,
    platforms: tuple[str, ...],
    any_version: bool,
    limit: int | None,
    environment: str | None,
    dist: Path,
    cache: Path,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Find packages that can each be installed, but never together.

    SOURCES are manifests, whose requested packages are compared one manifest after the other, or release
    folders, locks and installed environments, which are compared together: those of their packages that no
    other package of the same lock depends on. All
    pairs are found, and larger groups up to a limit. The exit code is 1 if there are any.

    \b
    Examples:
      cuvee coinstall manifests/starter/2026.11.0.yaml
      cuvee coinstall manifests/starter/2026.11.0.yaml --any-version --platform linux-64
      cuvee coinstall dist/a/lock/pixi.lock dist/b/lock/pixi.lock --json
    """
    from cuvee.codec import encode
    from cuvee.graph.channel_check.coinstallability import LIMIT
    from cuvee.release.coinstall_inputs import of_locks, of_manifest
    from cuvee.release.given_set import read_given_set
    from cuvee.release.named_set import is_given_set

    most = LIMIT if limit is None else limit
    today = dt.datetime.now(dt.UTC).date()
    locks = [path for path in sources if is_given_set(path, environment) or (path / "lock").is_dir()]
    if locks and len(locks) < len(sources):
        raise UsageError("Manifests and locks cannot be mixed", hint="Name files of one kind.")
    answers: list[tuple[str, tuple[Coinstallability, ...]]] = []
    if locks:
        sets = [read_given_set(path, today=today, environment=environment) for path in locks]
        for path, given in zip(locks, sets, strict=True):
            for note in given.notes:
                say(f"note: {path}: {note}", err=True)
        with terminal(quiet=quiet, verbose=verbose) as reporter:
            found = of_locks(
                [given.lock for given in sets],
                platforms=platforms,
                any_version=any_version,
                limit=most,
                reporter=reporter,
            )
        answers.append((", ".join(map(str, locks)), found))
    else:
        work = partial(of_manifest, any_version=any_version, limit=most)
        for manifest in sources:
            found = ask(
                work, manifest=manifest, platforms=platforms, dist=dist, cache=cache,
                quiet=quiet, verbose=verbose,
            )  # fmt: skip
            answers.append((str(manifest), found))
    if as_json:
        write_json([{"source": name, "platforms": encode(found)} for name, found in answers])
    else:
        for source, found in answers:
            _tell(source, found)
    return int(any(item.groups or item.uninstallable for _, found in answers for item in found))


def _tell(source: str, found: "tuple[Coinstallability, ...]") -> None:
    for item in found:
        counts = f"{len(item.groups)} groups of {len(item.specs)} packages are never together"
        say(f"{source}, {item.platform}: {counts}{'' if item.complete else '; there may be more'}")
        for group in item.uninstallable:
            say(f"  {group.specs[0]} cannot be installed at all")
            _lines(group)
        for group in item.groups:
            say(f"  {' and '.join(group.specs)}")
            _lines(group)


def _lines(group: "IncompatibleSet") -> None:
    for line in group.reason:
        say(f"      {line}")
