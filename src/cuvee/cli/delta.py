"""``cuvee delta``."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cuvee.cli.options import json_option, platform_option, quiet_option, verbose_option
from cuvee.cli.output import say
from cuvee.cli.render import write_json
from cuvee.cli.terminal import terminal

if TYPE_CHECKING:
    from cuvee.installers.delta_installer import MadeDelta

_PATH = click.Path(path_type=Path, exists=True)


@click.command("delta")
@click.argument("old", type=_PATH)
@click.argument("new", type=_PATH)
@platform_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="the working folder",
    help="The folder that they go into.",
)
@json_option
@quiet_option
@verbose_option
def command(
    old: Path,
    new: Path,
    *,
    platforms: tuple[str, ...],
    output: Path,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Make deltas: installers that upgrade OLD to NEW, and have only what OLD lacks.

    Each of the two is a release folder, or a `.sh` or `.exe` installer. Of release folders, a delta is made
    for each platform that both have one for. A delta upgrades a prefix of exactly OLD, whose files are as
    they were installed.

    \b
    Examples:
      cuvee delta dist/starter-2026.11.0 dist/starter-2026.11.1
      cuvee delta dist/starter-2026.11.0 dist/starter-2026.11.1 --platform linux-64 --output upgrades
      cuvee delta Starter-2026.11.0-Linux-x86_64.sh Starter-2026.11.1-Linux-x86_64.sh --json

    Exit codes: 0 all made, 2 usage, 5 integrity, 130 interrupted.
    """
    from cuvee.errors import UsageError
    from cuvee.installers.delta_installer import make_delta
    from cuvee.installers.windows.osslsigncode import signer_from_environment
    from cuvee.release.delta_sources import read_sources

    before, after = read_sources(old, platforms), read_sources(new, platforms)
    common = [name for name in after if name in before]
    if not common:
        raise UsageError(
            f"{old} is for {', '.join(before)}, and {new} for {', '.join(after)}",
            hint="Name two releases for the same platform.",
        )
    with terminal(quiet=quiet, verbose=verbose) as reporter:
        made = [
            make_delta(
                before[name],
                after[name],
                folder=output,
                reporter=reporter,
                signer=signer_from_environment(os.environ) if name.startswith("win-") else None,
            )
            for name in common
        ]
    skipped = sorted(before.keys() ^ after.keys())
    if as_json:
        write_json({"deltas": [_as_json(item) for item in made], "skipped": skipped})
        return
    for item in made:
        percent = 100 * item.size / item.whole_size
        say(
            f"{item.path}: {item.size / 1e6:,.1f} MB, {percent:.1f} % of the installer; {item.whole:,} files "
            f"whole, {item.patched:,} as changes, {item.unchanged:,} not at all"
        )
    for name in skipped:
        say(f"{name}: no delta, since only one of the two has an installer for it")


def _as_json(made: "MadeDelta") -> dict[str, object]:
    return {
        "path": str(made.path),
        "platform": made.platform,
        "old": made.old,
        "new": made.new,
        "size": made.size,
        "installer_size": made.whole_size,
        "sha256": made.sha256,
        "files": {"whole": made.whole, "changes": made.patched, "unchanged": made.unchanged},
    }
