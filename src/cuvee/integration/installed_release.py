"""A release that is installed to be tested: where, and the jobs of its units."""

from pathlib import Path

from cuvee.integration import smoke
from cuvee.integration.installed_environment import InstalledEnvironment
from cuvee.integration.outcome_rules import not_run
from cuvee.integration.outcomes import TestOutcome
from cuvee.integration.riding_tools import FOLDER
from cuvee.integration.runners.protocol import Sandbox
from cuvee.integration.suite_jobs import suite_jobs
from cuvee.integration.test_session import Job, TestSession
from cuvee.integration.tool_sets import ToolsMissingError
from cuvee.integration.units import UnitChoice


def make_sandbox(platform: str, top: Path, hidden: tuple[Path, ...], readonly: tuple[Path, ...]) -> Sandbox:
    """Make the folders of a sandbox in the folder ``top``."""
    sandbox = Sandbox(
        platform=platform,
        prefix=top / "release",
        home=top / "home",
        temp=top / "tmp",
        hidden=hidden,
        readonly=(*readonly, top / FOLDER),
    )
    sandbox.home.mkdir()
    sandbox.temp.mkdir()
    return sandbox


def jobs_of(
    session: TestSession, installed: InstalledEnvironment, choice: UnitChoice
) -> tuple[list[Job], tuple[TestOutcome, ...]]:
    """Return the jobs of a plan in an installed release, and outcomes for what the runner refuses."""
    todo: list[Job] = []
    refused: list[TestOutcome] = []
    for suite in session.plan.suites:
        refusal = session.runner.suite_refusal(suite)
        if refusal is None and any(choice.takes(f"{suite.name}/{target.name}") for target in suite.targets):
            try:
                todo += suite_jobs(session.with_tools(suite.tools), suite, installed)
            except ToolsMissingError as error:
                refusal = error.message
        if refusal is not None:
            tests = (test for target in suite.targets for test in target.tests)
            refused += not_run(tests, session.plan.platform, refusal)
    if session.plan.smoke:
        todo += smoke.jobs(session, installed)
    return todo, tuple(refused)
