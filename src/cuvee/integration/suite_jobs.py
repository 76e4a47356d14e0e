"""The jobs of a suite, whatever its kind."""

from collections.abc import Callable, Iterator, Mapping

from cuvee.integration import (
    command_suites,
    lifecycle_suites,
    notebook_suites,
    packaged_suites,
    pytest_suites,
)
from cuvee.integration.installed_environment import InstalledEnvironment
from cuvee.integration.model import PlannedSuite, SuiteKind
from cuvee.integration.test_session import Job, TestSession

_KINDS: Mapping[SuiteKind, Callable[[TestSession, PlannedSuite], Iterator[Job]]] = {
    SuiteKind.PYTEST: pytest_suites.jobs,
    SuiteKind.UPSTREAM: pytest_suites.jobs,
    SuiteKind.COMMAND: command_suites.jobs,
    SuiteKind.NOTEBOOK: notebook_suites.jobs,
    SuiteKind.LIFECYCLE: lifecycle_suites.jobs,
}


def suite_jobs(session: TestSession, suite: PlannedSuite, installed: InstalledEnvironment) -> Iterator[Job]:
    """Yield the suite's jobs, one per target, with the suite's limits."""
    limited = session.for_suite(suite)
    if suite.kind is SuiteKind.PACKAGED:
        yield from packaged_suites.jobs(limited, suite, installed)
    else:
        yield from _KINDS[suite.kind](limited, suite)
