"""``cuvee ci``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cuvee.cli.output import say

if TYPE_CHECKING:
    from cuvee.workflows.workflow_facts import WorkflowFacts


@click.command()
@click.argument("system", type=click.Choice(["github", "gitlab"]))
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    help="The file to write; - is stdout.  [default: where the CI system looks for it]",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if the file is not up to date.")
@click.option(
    "--install",
    metavar="REQUIREMENT",
    help="What pip installs to bring cuvee there.  [default: this version of it]",
)
def command(system: str, manifest: Path, *, output: Path | None, check: bool, install: str | None) -> int:
    """Write a workflow that cuts a release and tests its installers on machines of its platforms.

    It builds packages of recipes on machines of the platforms that they are compiled for, cuts the release
    of MANIFEST on Linux, tests the installers that this made on Linux, Windows and macOS, as far as the
    manifest has them, adds the results with `cuvee import-results`, and judges. The last job fails unless
    the release is ready. Run it again for the next release: the same manifest and recipes give the same
    file. A file of somebody else is never replaced.

    \b
    Examples:
      cuvee ci github manifests/starter/2026.11.0.yaml
      cuvee ci github manifests/starter/2026.11.0.yaml --check
      cuvee ci gitlab manifests/starter/2026.11.0.yaml --output ci/release.yml
      cuvee ci github manifests/starter/2026.11.0.yaml --install "cuvee>=0.1,<0.2" --output -

    Exit codes: 0 written, or up to date, 1 not up to date, 2 usage or manifest, 3 a tool is missing,
    6 storage.
    """
    import datetime as dt

    from cuvee.release.named_manifest import named_manifest
    from cuvee.workflows.ci_systems import SYSTEMS
    from cuvee.workflows.workflow_facts import facts_of, repository_of
    from cuvee.workflows.workflow_file import is_current, workflow_text, write_workflow

    loaded = named_manifest(manifest, today=dt.datetime.now(dt.UTC).date())
    chosen = SYSTEMS[system]
    facts = facts_of(loaded, chosen, requirement=install)
    root = repository_of(loaded.path)
    path = output or root / chosen.path.format(distribution=loaded.distribution)
    text = workflow_text(facts, chosen, options=_options(root, output, install))
    if str(path) == "-":
        say(text, nl=False)
        return 0
    if check:
        current = is_current(path, text)
        say(f"{path} is {'up to date' if current else 'not up to date: run the command without --check'}.")
        return 0 if current else 1
    say(f"{path} {'was written' if write_workflow(path, text) else 'is up to date'}.")
    _tell(facts)
    return 0


def _options(root: Path, output: Path | None, install: str | None) -> tuple[str, ...]:
    """Return the options that give the same file again, from the root of the repository."""
    found = () if install is None else ("--install", install)
    if output is None or str(output) == "-":
        return found
    where = output.resolve()
    return (*found, "--output", where.relative_to(root).as_posix() if where.is_relative_to(root) else "FILE")


def _tell(facts: "WorkflowFacts") -> None:
    for job in facts.builds:
        say(f"  packages of recipes for {job.platform} are built on {job.machine}")
    for platform, reason in facts.not_built:
        say(f"  packages of recipes for {platform} are not built on a machine of it: {reason}")
    for job in facts.jobs:
        say(f"  {job.platform} is tested on {job.machine}")
    for platform, reason in facts.left_out:
        say(f"  {platform} is not tested: {reason}")
