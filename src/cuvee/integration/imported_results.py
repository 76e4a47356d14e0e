"""Results that were made elsewhere: on machines that this host cannot run, or by other programs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cuvee.codec import Document
from cuvee.errors import SourceUnreachableError, UsageError
from cuvee.files import sha256_bytes, storage_errors
from cuvee.integration.junit_reader import BrokenJUnitError, parse_junit
from cuvee.integration.model import Plan
from cuvee.integration.outcome_rules import judge
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.integration.planned_outcomes import worst_of
from cuvee.integration.results_folder import parse_run

IMPORTED = "import"
"""The runner of a run of which nothing ran here."""

_WANTED = "Name a file of JUnit XML, or outcomes.json of a run. Nothing was imported."
_JUDGED = frozenset(
    {
        OutcomeState.KNOWN_FAIL,
        OutcomeState.QUARANTINED,
        OutcomeState.WAIVED,
        OutcomeState.REGRESSION,
        OutcomeState.ALWAYS_FAIL,
    }
)

LARGEST = 50_000_000
"""Bytes of a file of results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedResults:
    """The content of one file of results.

    Attributes
    ----------
    machine
        Where the tests ran, in words.
    installer_sha256
        Hex SHA-256 of the installer with which the release was installed there.
    source, source_sha256
        The name of the file, and its hex SHA-256.
    """

    platform: str
    machine: str
    installer_sha256: str
    source: str
    source_sha256: str
    outcomes: tuple[TestOutcome, ...]


DOCUMENT = Document(name="imported-results", kind=ImportedResults)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedResults:
    """What the caller says of a file of results; empty where the file says it."""

    platform: str = ""
    machine: str = ""
    installer_sha256: str = ""
    suite: str = ""


def read_results(path: Path, stated: StatedResults) -> ImportedResults:
    """Return the results in a file: ``outcomes.json`` of a test run, or JUnit XML of any program.

    Raises
    ------
    UsageError
        If there is no such file, or if neither it nor the caller says what is needed.
    SourceUnreachableError
        If it is neither of the two.
    """
    if not path.is_file():
        raise UsageError(f"There is no file {path}", hint=_WANTED)
    with storage_errors(path), path.open("rb") as stream:
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise SourceUnreachableError(
            f"{path} is larger than {LARGEST / 1e6:.0f} MB",
            hint="Leave the logs of tests that passed out of it.",
        )
    digest = sha256_bytes(data)
    if data.lstrip().startswith(b"{"):
        return _of_run(parse_run(data, source=str(path)), path, digest, stated)
    return _of_junit(data, path, digest, stated)


def _of_run(run: PlatformRun, path: Path, digest: str, stated: StatedResults) -> ImportedResults:
    if run.not_run is not None:
        raise UsageError(f"{path}: nothing was tested there: {run.not_run}", hint=_WANTED)
    if stated.suite:
        raise UsageError(f"{path} names the suites itself", hint="Leave --suite out.")
    machine = stated.machine or ", ".join(filter(None, (run.environment.get("host"), run.runner)))
    sha256 = run.environment.get("installer_sha256", "")
    for what, found, asked in (
        ("platform", run.platform, stated.platform),
        ("installer", sha256, stated.installer_sha256),
    ):
        if asked and found and asked != found:
            raise UsageError(f"{path} is about the {what} {found}, not {asked}", hint=f"Leave --{what} out.")
    return _complete(
        ImportedResults(
            platform=run.platform,
            machine=machine,
            installer_sha256=sha256 or stated.installer_sha256,
            source=path.name,
            source_sha256=digest,
            outcomes=tuple(_as_tested(outcome, run.platform, machine) for outcome in run.outcomes),
        ),
        path,
    )


def _of_junit(data: bytes, path: Path, digest: str, stated: StatedResults) -> ImportedResults:
    try:
        cases = parse_junit(data)
    except BrokenJUnitError as error:
        raise SourceUnreachableError(
            f"{path} {error}",
            hint=_WANTED,
        ) from None
    if not stated.suite:
        raise UsageError(f"{path} does not say of which suite it has the results", hint="Add --suite NAME.")
    return _complete(
        ImportedResults(
            platform=stated.platform,
            machine=stated.machine,
            installer_sha256=stated.installer_sha256,
            source=path.name,
            source_sha256=digest,
            outcomes=tuple(
                TestOutcome(
                    suite=stated.suite,
                    test=case.name,
                    platform=stated.platform,
                    state=case.state,
                    seconds=case.seconds,
                    reason=_on(stated.machine, case.reason),
                )
                for case in cases
            ),
        ),
        path,
    )


def _as_tested(outcome: TestOutcome, platform: str, machine: str) -> TestOutcome:
    """Return an outcome without the judgement of those who ran the test: what is accepted is decided here."""
    state = OutcomeState.FAIL if outcome.state in _JUDGED else outcome.state
    return replace(outcome, platform=platform, state=state, log=None, reason=_on(machine, outcome.reason))


def _on(machine: str, reason: str) -> str:
    return f"{reason} (on {machine})" if reason else ""


def _complete(results: ImportedResults, path: Path) -> ImportedResults:
    """Return the results, if it is known where they were made and what was tested."""
    for option, value in (
        ("--platform", results.platform),
        ("--machine", results.machine),
        ("--installer", results.installer_sha256),
    ):
        if not value:
            raise UsageError(f"{path} does not say what {option} is for", hint=f"Add {option}; see --help.")
    return results


def merged(run: PlatformRun, imports: Sequence[ImportedResults], plan: Plan) -> PlatformRun:
    """Return a run with results from elsewhere added, which the plan's rules judge as its own.

    A test that ran here and elsewhere has the worse outcome. If nothing ran here, what no file has stays
    not-run.
    """
    if not imports:
        return run
    elsewhere = (outcome for item in imports for outcome in item.outcomes)
    groups: dict[tuple[str, str], list[TestOutcome]] = {}
    for outcome in (*run.outcomes, *judge(tuple(elsewhere), plan)):
        groups.setdefault((outcome.suite, outcome.test), []).append(outcome)
    outcomes = tuple(_counting(group) for group in groups.values())
    if run.runner is None:
        outcomes = tuple(
            replace(outcome, reason="no imported file has it")
            if outcome.state is OutcomeState.NOT_RUN
            else outcome
            for outcome in outcomes
        )
    sources = "; ".join(f"{item.source} of {item.machine}, SHA-256 {item.source_sha256}" for item in imports)
    return replace(
        run,
        runner=run.runner or IMPORTED,
        not_run=None,
        outcomes=outcomes,
        environment={**run.environment, "imported": sources},
    )


def _counting(group: Sequence[TestOutcome]) -> TestOutcome:
    return worst_of([outcome for outcome in group if outcome.state.has_run] or group)
