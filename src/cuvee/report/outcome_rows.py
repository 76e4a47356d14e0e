"""Suites, outcomes and their logs, in the order of triage."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cuvee.integration.outcomes import Counts, OutcomeState, PlatformRun, TestOutcome, count
from cuvee.release.record import Release
from cuvee.report.actors import owners_of
from cuvee.report.badges import STATES, Badge
from cuvee.report.logs import Excerpt, excerpt

LOG_BUDGET = 500_000
"""Characters of logs that one page carries."""


LISTED = 2000
"""How many outcomes of one quiet state, such as pass, a page lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteCell:
    """One suite on one platform: how many tests ended in each state, in the order of triage."""

    platform: str
    tests: Counts
    seconds: float
    counts: Mapping[Badge, int]
    not_run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One suite on all platforms."""

    name: str
    cells: tuple[SuiteCell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """One outcome.

    Attributes
    ----------
    anchor
        Its place on the page; empty for a pass.
    owners
        Who must act, when it blocks the release, or should look, when it is flaky.
    log
        What the page shows of its log, or `None`.
    log_anchor
        Where the page shows the log: an outcome of the same log may come first.
    """

    anchor: str
    suite: str
    test: str
    platform: str
    packages: tuple[str, ...]
    owners: tuple[str, ...]
    badge: Badge
    blocks: bool
    seconds: float
    reason: str
    log: Excerpt | None
    log_anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All outcomes.

    Attributes
    ----------
    counts
        How many ended in each state, in the order of triage.
    others
        Those that did not pass, in the order of triage.
    passes
        Those that passed.
    anchors
        For the outcome of each of `others`, its place on the page.
    """

    suites: tuple[Suite, ...]
    tests: Counts
    counts: Mapping[Badge, int]
    others: tuple[OutcomeRow, ...]
    passes: tuple[OutcomeRow, ...]
    anchors: Mapping[TestOutcome, str]


def results(release: Release, logs: Path | None) -> Results:
    """Return all outcomes in the order of triage, with excerpts of the logs of those that did not pass.

    Parameters
    ----------
    logs
        The folder ``results`` of the release; `None` to quote no logs.
    """
    order = list(STATES)
    outcomes = sorted(
        release.outcomes,
        key=lambda o: (order.index(o.state), o.suite, o.test, o.platform),
    )
    others = [outcome for outcome in outcomes if outcome.state is not OutcomeState.PASS]
    anchors = {outcome: f"outcome-{number}" for number, outcome in enumerate(others, 1)}
    reader = _LogReader(logs)
    return Results(
        suites=tuple(_suite(name, release) for name in _suite_names(release)),
        tests=count(outcomes),
        counts=_states(outcomes),
        others=tuple(_row(release, outcome, anchors[outcome], reader) for outcome in others),
        passes=tuple(
            _row(release, outcome, "", None) for outcome in outcomes if outcome.state is OutcomeState.PASS
        ),
        anchors=anchors,
    )


class _LogReader:
    """Reads each log once, as long as the page has room."""

    def __init__(self, logs: Path | None) -> None:
        self._results = logs
        self._left = LOG_BUDGET
        self._seen: dict[tuple[str, str], str] = {}

    def read(self, outcome: TestOutcome, anchor: str) -> tuple[Excerpt | None, str]:
        if self._results is None or outcome.log is None:
            return None, ""
        key = (outcome.platform, outcome.log)
        if key in self._seen:
            return None, self._seen[key]
        found = excerpt(self._results, *key)
        if len(found.text) > self._left:
            return Excerpt(path=found.path, text="", note="No room for this log on the page."), ""
        self._left -= len(found.text)
        self._seen[key] = anchor
        return found, anchor


def _row(release: Release, outcome: TestOutcome, anchor: str, reader: _LogReader | None) -> OutcomeRow:
    log, log_anchor = reader.read(outcome, anchor) if reader else (None, "")
    return OutcomeRow(
        anchor=anchor,
        suite=outcome.suite,
        test=outcome.test,
        platform=outcome.platform,
        packages=tuple(dict.fromkeys((*filter(None, [outcome.package]), *outcome.packages))),
        owners=owners_of(release.manifest, outcome) if STATES[outcome.state].tone in {"bad", "warn"} else (),
        badge=STATES[outcome.state],
        blocks=outcome.state.blocks,
        seconds=round(outcome.seconds, 3),
        reason=outcome.reason,
        log=log,
        log_anchor=log_anchor,
    )


def _suite_names(release: Release) -> list[str]:
    seen = sorted({outcome.suite for outcome in release.outcomes})
    return list(dict.fromkeys((*release.manifest.suites, *seen)))


def _suite(name: str, release: Release) -> Suite:
    runs = {run.platform: run for run in release.runs}
    platforms = dict.fromkeys((*release.lock.by_platform, *runs))
    return Suite(name=name, cells=tuple(_suite_cell(name, where, runs.get(where)) for where in platforms))


def _suite_cell(name: str, platform: str, run: PlatformRun | None) -> SuiteCell:
    outcomes = [outcome for outcome in run.outcomes if outcome.suite == name] if run else []
    not_run = ""
    if not outcomes:
        not_run = (run.not_run or "The suite gave no outcome here.") if run else "No run is on record."
    return SuiteCell(
        platform=platform,
        tests=count(outcomes),
        seconds=round(sum(outcome.seconds for outcome in outcomes), 3),
        counts=_states(outcomes),
        not_run=not_run,
    )


def _states(outcomes: list[TestOutcome]) -> Mapping[Badge, int]:
    counts = Counter(outcome.state for outcome in outcomes)
    return {badge: counts[state] for state, badge in STATES.items() if counts[state]}
