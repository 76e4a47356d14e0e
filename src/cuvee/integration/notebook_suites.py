"""Suites of the kind ``notebook``: notebooks that the release's own nbclient executes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cuvee.codec import decode
from cuvee.files import parse_json, write_json
from cuvee.integration.model import NotebookTarget, PlannedSuite
from cuvee.integration.outcome_rules import not_run
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.repeat_budget import repeat_failed
from cuvee.integration.test_session import (
    Job,
    TestSession,
    describe_exit,
    exceeded_limit,
    last_line,
    transcript,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookResult:
    """What ``inside/run_notebook.py`` writes: why a notebook failed, empty if it did not, and more of it."""

    reason: str = ""
    detail: str = ""
    timed_out: bool = False


def jobs(session: TestSession, suite: PlannedSuite) -> Iterator[Job]:
    """Yield the suite's jobs, one per notebook."""
    for target in suite.targets:
        if isinstance(target, NotebookTarget):
            work = partial(_outcomes, session, suite, target)
            yield Job(unit=f"{suite.name}/{target.name}", run=work)


def _outcomes(session: TestSession, suite: PlannedSuite, target: NotebookTarget) -> Sequence[TestOutcome]:
    if not target.supported:
        return not_run(target.tests, session.plan.platform, "")
    return repeat_failed(session.repeats, lambda: [_once(session, suite, target)])


def _once(session: TestSession, suite: PlannedSuite, target: NotebookTarget) -> TestOutcome:
    (test,) = target.tests
    if suite.folder is None:
        raise ValueError(f"the suite {suite.name} has no folder")
    folder = session.copied(suite.folder, f"{suite.name}-{target.name}")
    work = session.folder(f"{suite.name}-{target.name}-result")
    guest_path = session.runner.guest_path
    spec = {
        "notebook": guest_path(folder / target.file),
        "compare": target.compare,
        "timeout": session.timeout,
        "result": guest_path(work / "result.json"),
    }
    write_json(work / "spec.json", spec)
    completed = session.run_script("run_notebook.py", work / "spec.json", cwd=(folder / target.file).parent)
    result = _result(work / "result.json")
    if completed.ok and result == NotebookResult():
        return session.outcome(test, OutcomeState.PASS, completed.seconds)
    late = completed.timed_out or (result is not None and result.timed_out)
    reason = exceeded_limit(completed)
    if late:
        reason = f"took longer than {session.timeout:g} s"
    elif not reason and result is not None:
        reason = result.reason
    reason = reason or f"{describe_exit(completed)}: {last_line(completed.stderr)}".rstrip(": ")
    log = transcript(completed) + (f"--- notebook\n{result.detail}\n" if result is not None else "")
    state = OutcomeState.TIMEOUT if late else OutcomeState.FAIL
    limit = session.runner.limitation(completed) if state is OutcomeState.FAIL else None
    if limit is not None:
        state, reason = OutcomeState.NOT_SUPPORTED, limit
    return session.outcome(test, state, completed.seconds, reason=reason, log=log)


def _result(path: Path) -> NotebookResult | None:
    """Return what the script has written; `None` if it ended before."""
    try:
        return decode(NotebookResult, parse_json(path.read_bytes()))
    except (OSError, ValueError):
        return None
