"""``cuvee import-results``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cuvee.cli.options import json_option
from cuvee.cli.output import say
from cuvee.cli.render import write_json

if TYPE_CHECKING:
    from cuvee.integration.imported_results import ImportedResults
    from cuvee.release.imported_tests import KeptResults


@click.command()
@click.argument("release", type=click.Path(path_type=Path, file_okay=False))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--platform", default="", help="The platform, if the file does not name it.")
@click.option(
    "--machine", default="", metavar="TEXT", help="Where the tests ran, if the file does not say it."
)
@click.option(
    "--installer",
    default="",
    metavar="SHA256",
    help="The hash of the installer that was tested, or that file itself.",
)
@click.option("--suite", default="", help="The suite of a file of JUnit XML.")
@json_option
def command(
    release: Path,
    files: tuple[Path, ...],
    *,
    platform: str,
    machine: str,
    installer: str,
    suite: str,
    as_json: bool,
) -> int:
    """Add results of tests that ran elsewhere to a release.

    A file is `outcomes.json` of a run of cuvee on another machine, or JUnit XML of any program. It must be
    about an installer of this release, by its SHA-256. The next `cuvee release` takes the results into
    account: a test that ran in both places has the worse outcome, and what was accepted elsewhere is not.

    \b
    Examples:
      cuvee import-results dist/lab-2026.11.0 outcomes.json
      cuvee import-results dist/lab-2026.11.0 results/*/outcomes.json
      cuvee import-results dist/lab-2026.11.0 junit.xml --suite gui --platform win-64 \\
        --machine "Windows 11" --installer Lab-2026.11.0-Windows-x86_64.exe

    Exit codes: 0 kept, 2 usage, 4 a file is not what it should be, 5 another installer was tested, or a file
    is damaged, 6 storage, 7 another cuvee is working on the release.
    """
    from cuvee.cache_folder import default_cache
    from cuvee.integration.imported_results import StatedResults, read_results
    from cuvee.release.imported_tests import keep_results
    from cuvee.release.record import Release
    from cuvee.release.workspace import Workspace

    opened = Release.open(release)
    stated = StatedResults(
        platform=platform, machine=machine.strip(), installer_sha256=_digest(installer), suite=suite.strip()
    )
    results = [read_results(path, stated) for path in files]
    with Workspace(release.resolve(), default_cache()).locked():
        kept = keep_results(opened, results)
    if as_json:
        write_json([_as_json(item, one) for item, one in zip(results, kept, strict=True)])
        return 0
    for item, one in zip(results, kept, strict=True):
        say(f"{item.source}: {len(item.outcomes):,} results on {item.platform}, {item.machine}")
        if one.replaces:
            say("  in place of what was imported from the same file before, as another suite or machine")
    say("Run `cuvee release` again as before, which adds them to the report.")
    return 0


def _digest(installer: str) -> str:
    """Return the hash that was given, or that of the file that was named."""
    from cuvee.errors import UsageError
    from cuvee.files import sha256_file, storage_errors

    text = installer.strip().lower()
    if not text or (len(text) == 64 and not set(text) - set("0123456789abcdef")):  # noqa: PLR2004 - hex SHA-256
        return text
    path = Path(installer)
    if not path.is_file():
        raise UsageError(
            f"{installer} is neither a SHA-256 nor a file",
            hint="Give the 64 digits, or the installer itself.",
        )
    with storage_errors(path):
        return sha256_file(path)


def _as_json(results: "ImportedResults", kept: "KeptResults") -> dict[str, object]:
    return {
        "file": str(kept.path),
        "replaces": kept.replaces,
        "platform": results.platform,
        "machine": results.machine,
        "installer_sha256": results.installer_sha256,
        "source": results.source,
        "source_sha256": results.source_sha256,
        "results": len(results.outcomes),
    }
