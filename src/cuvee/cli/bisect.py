"""``cuvee bisect``."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cuvee.cli.options import cache_option, dist_option, json_option, quiet_option
from cuvee.cli.output import say
from cuvee.cli.render import write_json
from cuvee.cli.terminal import terminal
from cuvee.platforms import PLATFORMS

if TYPE_CHECKING:
    from cuvee.release.bisect_release import Bisection, BlamedChange
    from cuvee.release.record import Release

_PATH = click.Path(path_type=Path, exists=True)


@click.command()
@click.argument("old", type=_PATH)
@click.argument("new", type=_PATH)
@click.option("--test", required=True, metavar="SUITE/TEST", help="The test, as the report names it.")
@click.option(
    "--platform", type=click.Choice(list(PLATFORMS)), help="Which platform.  [default: that of this machine]"
)
@click.option(
    "--suites",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="The folder of suites.  [default: integration_tests, here or above]",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=120,
    show_default=True,
    help="The seconds that the test may take.",
)
@dist_option
@cache_option
@json_option
@quiet_option
def command(
    old: Path,
    new: Path,
    *,
    test: str,
    platform: str | None,
    suites: Path | None,
    timeout: float,
    dist: Path,
    cache: Path,
    as_json: bool,
    quiet: bool,
) -> int:
    """Find the package that turns a test red between the releases OLD and NEW.

    Each of the two is a release folder, or the manifest of a release in dist. Packages of both are mixed as
    their requirements allow it; each mixture is linked, and only this test runs in it. The answer is the
    package, or the smallest set of packages if it takes several. For each, about log2 of the number of
    changes are tried. Outcomes are cached: after an interruption, run the same command again.

    \b
    Examples:
      cuvee bisect --test smoke/import:numpy dist/starter-2026.11.0 dist/starter-2026.11.1
      cuvee bisect --test interop/test_arrow.py::test_read old/starter-2026.10.0 dist/starter-2026.11.0 --json
    """
    from cuvee.release.bisect_release import BisectRequest, bisect_release

    today = dt.datetime.now(dt.UTC).date()
    releases = [_release(path, dist, today) for path in (old, new)]
    request = BisectRequest(
        old=releases[0],
        new=releases[1],
        platform=platform or _host(),
        test=test,
        suites=suites or _suites(releases[1]),
        cache=cache.resolve(),
        today=today,
        timeout=timeout,
    )
    with terminal(quiet=quiet, verbose=False) as reporter:
        found = bisect_release(request, reporter)
    if as_json:
        from cuvee.codec import encode

        write_json(encode(found))
    else:
        for line in bisection_lines(found):
            say(line)
    return 0


def bisection_lines(found: "Bisection") -> list[str]:
    """Return what was found as lines of text."""
    cached = sum(tried.cached for tried in found.tried)
    lines = [
        f"{found.test} passes in {found.old} and fails in {found.new} on {found.platform} ({found.runner})",
        f"packages that differ: {found.changed}; trials: {len(found.tried)}, {cached} of them cached",
    ]
    together = "It fails with these changes together, and passes without any one of them:"
    lines.append(together if len(found.culprits) > 1 else "It fails because of this change:")
    return [*lines, *(f"  {_blamed(culprit)}" for culprit in found.culprits)]


def _blamed(culprit: "BlamedChange") -> str:
    joint = " or " if culprit.alternatives else " and "
    text = joint.join(map(str, culprit.packages))
    if culprit.alternatives:
        text += " (trials between them gave no clear result)"
    elif len(culprit.packages) > 1:
        text += " (they can only be changed together)"
    return f"{text}, which needs the changes of {', '.join(culprit.needs)}" if culprit.needs else text


def _release(path: Path, dist: Path, today: dt.date) -> "Release":
    from cuvee.release.named_manifest import named_manifest
    from cuvee.release.record import Release

    folder = path if path.is_dir() else dist / named_manifest(path, today=today).release_name
    return Release.open(folder.resolve())


def _host() -> str:
    from cuvee import platforms
    from cuvee.errors import UsageError

    host = platforms.host()
    if host is None:
        raise UsageError("No platform of cuvee is that of this machine", hint="State --platform.")
    return host.name


def _suites(release: "Release") -> Path:
    from cuvee.manifest.folder_lookup import find_upwards
    from cuvee.release.session import SUITES_FOLDER

    starts = (Path.cwd(), release.folder)
    found = (find_upwards(start, SUITES_FOLDER) for start in starts)
    return next(filter(None, found), Path.cwd() / SUITES_FOLDER)
