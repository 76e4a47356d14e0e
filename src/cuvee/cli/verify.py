"""``cuvee verify``."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cuvee.cli.options import json_option, root_option
from cuvee.cli.output import say, visible
from cuvee.cli.render import write_json

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from cuvee.trust.chain_links import ChainLink, ChainVerdict

_WIDEST = 10_000
"""Columns of a file or a pipe: nothing is folded there."""

_COLOURS = {"holds": "green", "broken": "red", "not checked": "magenta", "not covered": "yellow"}


@click.command()
@click.argument("subject", type=click.Path(path_type=Path))
@root_option
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The bundle of the release that an installer, a prefix or a release folder is of.",
)
@click.option(
    "--site",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The folder of a site, or of its mirror, that has the release.",
)
@click.option("--at", metavar="DAY", help="Verify as on this day, such as 2026-12-01.  [default: now]")
@json_option
def command(
    subject: Path, *, root: Path, bundle: Path | None, site: Path | None, at: str | None, as_json: bool
) -> int:
    """Verify the whole chain, from a root to each file, without a network.

    SUBJECT is the bundle of a release, a signed site or its mirror in a folder, a release folder, an
    installer, or the prefix of an installed release. Each link is shown with what was checked and who has
    signed it. What could not be checked does not pass.

    The root says whose signatures count. Get it with the distribution, not from the site. A bundle or a site
    that is beside the subject is found. Needs the extra `trust`.

    \b
    Examples:
      cuvee verify bundle.zip --root root.json
      cuvee verify /media/disk/mirror --root root.json
      cuvee verify Starter-2026.11.0-Linux-x86_64.sh --root root.json --bundle bundle.zip
      cuvee verify /opt/starter --root root.json --bundle bundle.zip --json

    Exit codes: 0 all links hold, 2 usage, 3 python-tuf is missing, 5 a link does not hold or could not be
    checked.
    """
    from cuvee.errors import IntegrityError, UsageError
    from cuvee.trust.site_roles import require_tuf

    require_tuf()
    from cuvee.trust.chain_subjects import TrustAnchor
    from cuvee.trust.site_client import read_root
    from cuvee.trust.subject_reader import verify_subject

    if bundle is not None and site is not None:
        raise UsageError("Name either a bundle or a site", hint="One of them has the whole chain.")
    anchor = TrustAnchor(root=read_root(root), now=_time(at))
    verdict = verify_subject(subject, anchor, bundle or site)
    if as_json:
        write_json(_as_json(verdict))
    else:
        _show(verdict)
    return IntegrityError.exit_code if verdict.problems else 0


def _time(day: str | None) -> dt.datetime:
    from cuvee.errors import UsageError

    if day is None:
        return dt.datetime.now(dt.UTC)
    try:
        return dt.datetime.combine(dt.date.fromisoformat(day), dt.time(12), dt.UTC)
    except ValueError as error:
        raise UsageError(f"{day!r} is not a day", hint="Write it as 2026-12-01.") from error


def _as_json(verdict: "ChainVerdict") -> dict[str, object]:
    from cuvee.codec import encode

    first = verdict.first
    return {
        "kind": verdict.kind,
        "subject": verdict.subject,
        "state": verdict.state.value,
        "first_problem": None if first is None else encode(first),
        "uncovered": [f"{link.name}: {link.text}" for link in verdict.uncovered],
        "links": encode(verdict.links),
    }


def _show(verdict: "ChainVerdict") -> None:
    from rich.console import Console

    wide = Console(highlight=False)
    if not wide.is_terminal:
        wide.width = _WIDEST
    wide.print(_tree(verdict), overflow="fold")
    first = verdict.first
    if first is None:
        others = f", but for what is not covered: {_names(verdict)}" if verdict.uncovered else ""
        say(f"holds{others}", colour="green")
        return
    what = "does not hold" if first.state.value == "broken" else "could not be checked"
    say(f"The first link that {what}: {first.name}\n{first.text}", err=True)
    if first.hint:
        say(first.hint, err=True)


def _names(verdict: "ChainVerdict") -> str:
    return ", ".join(dict.fromkeys(link.name for link in verdict.uncovered))


def _tree(verdict: "ChainVerdict") -> "Tree":
    from rich.tree import Tree

    above = [Tree(_text(f"{verdict.kind} {verdict.subject}"))]
    for link in verdict.links:
        del above[link.depth + 1 :]
        above.append(above[-1].add(_line(link)))
    return above[0]


def _line(link: "ChainLink") -> "Text":
    state = link.state.value
    line = _text("")
    line.append(f"{visible(link.name)} {state}", style=_COLOURS[state])
    line.append(f": {visible(link.text)}" if link.text else "")
    if link.signers:
        line.append(f"\nsigned by {visible(', '.join(link.signers))}", style="dim")
    return line


def _text(text: str) -> "Text":
    from rich.text import Text

    return Text(visible(text))
