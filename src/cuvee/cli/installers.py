"""``cuvee installers``."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cuvee.cli.options import cache_option, json_option, platform_option, quiet_option, verbose_option
from cuvee.cli.output import say
from cuvee.cli.render import print_artefacts, write_json
from cuvee.cli.terminal import terminal

if TYPE_CHECKING:
    from cuvee.installers.constructor.model import Project
    from cuvee.installers.constructor.project_lock import ProjectTools
    from cuvee.release.converted_project import ConvertedProject


@click.command()
@click.option(
    "--from",
    "source",
    required=True,
    type=click.Path(path_type=Path),
    help="The construct.yaml, or the folder that it is in.",
)
@platform_option
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("installers"),
    show_default=True,
    help="Where they go; for several platforms, into a folder for each.",
)
@cache_option
@click.option("--dry-run", is_flag=True, help="Read and solve; make nothing.")
@json_option
@quiet_option
@verbose_option
def command(  # noqa: PLR0917 - click calls it by name
    source: Path,
    platforms: tuple[str, ...],
    output: Path,
    cache: Path,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Make our installers from a constructor project.

    They are made for this machine's platform, unless others are named. Whatever the project asks for and does
    not get is named on stderr, key by key.

    \b
    Examples:
      cuvee installers --from construct.yaml
      cuvee installers --from myproject/ --platform linux-64 --platform win-64 --output dist
      cuvee installers --from construct.yaml --dry-run --json

    Exit codes: 0 all made, 1 the packages have no solution or are too large for a format, 2 usage or project,
    3 a tool is missing, 4 a source could not be reached, 5 integrity, 130 interrupted.
    """
    from cuvee.channel.connection import connect
    from cuvee.installers.constructor.project_lock import ProjectTools
    from cuvee.installers.constructor.project_reader import read_project

    projects = [read_project(source, name, environment=os.environ) for name in platforms or (_host(),)]
    for project in projects:
        for warning in project.warnings:  # with --quiet, too: nothing is left out in silence
            say(f"warning: {project.platform}: {warning}", err=True)
    several = len(projects) > 1
    folders = {
        project.platform: output.absolute() / (project.platform if several else "") for project in projects
    }
    with terminal(quiet=quiet, verbose=verbose) as reporter:
        tools = ProjectTools(
            cache=cache.resolve(), connection=connect(cache.resolve(), reporter), reporter=reporter
        )
        results = [
            _convert(project, tools, folders[project.platform], dry_run=dry_run) for project in projects
        ]
    if as_json:
        write_json([_as_json(result, folders[result.project.platform]) for result in results])
    else:
        _print(results, folders)
    artefacts = (item for result in results for item in result.artefacts)
    # A tool that is missing comes before what no tool could make: it can be installed.
    return max((item.not_made.exit_code for item in artefacts if item.not_made is not None), default=0)


def _host() -> str:
    from cuvee.errors import UsageError
    from cuvee.platforms import host

    platform = host()
    if platform is None:
        raise UsageError("This machine is of no platform that cuvee knows", hint="Say --platform.")
    return platform.name


def _convert(project: "Project", tools: "ProjectTools", output: Path, *, dry_run: bool) -> "ConvertedProject":
    from cuvee.installers.constructor.project_lock import lock_project
    from cuvee.release.converted_project import ConvertedProject, convert_project

    lock = lock_project(project, tools)
    if dry_run:
        return ConvertedProject(project=project, lock=lock)
    return convert_project(project, lock, output=output, tools=tools)


def _print(results: "list[ConvertedProject]", folders: dict[str, Path]) -> None:
    for result in results:
        lock = result.lock
        say(f"{lock.platform}: {len(lock.packages)} packages")
        if not result.artefacts:
            for package in lock.packages:
                say(f"  {package.stem}")
        print_artefacts(result.artefacts, folders[lock.platform])


def _as_json(result: "ConvertedProject", folder: Path) -> dict[str, Any]:
    from cuvee.codec import encode

    return {
        "name": result.project.name,
        "version": result.project.version,
        "platform": result.project.platform,
        "folder": str(folder),
        "packages": [package.identifier for package in result.lock.packages],
        "artefacts": encode(result.artefacts),
        "outputs": [path.name for path in result.outputs],
        "warnings": list(result.project.warnings),
    }
