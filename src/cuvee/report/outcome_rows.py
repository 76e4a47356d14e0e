"""Suites, outcomes and their logs, in the order of triage."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cuvee.integration.outcomes import Counts, OutcomeState, PlatformRun, TestOutcome, count
from cuvee.integration.reference_comparison import GoneTest, RunComparison
from cuvee.release.record import Release
from cuvee.report.actors import owners_of
from cuvee.report.badges import STATES, Badge
from cuvee.report.logs import Excerpt, excerpt
from cuvee.report.page_names import outcome_places
from cuvee.report.triage import LOUD, Earlier, Triage, earlier

LOG_BUDGET = 500_000
"""Characters of logs that one page carries."""

LISTED = 400
"""How many outcomes of one quiet group, such as those that pass, a page lists."""

DETAILED = 100
"""How many outcomes of one loud group, such as those that newly fail, have more than a line of a table."""


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
        Its place on the report's page; empty if it is in the group `PASSING`, or if that page only counts it.
    place
        Its place on the pages of its platform, which have every outcome: ``tests/linux-64.html#t0123456789``.
    before
        What it was in the reference run, such as ``pass in starter-2026.10.2``; empty if nothing is known.
    owners
        Who must act, when it blocks the release, or should look, when it is flaky.
    log
        What the page shows of its log, or `None`.
    log_anchor
        Where the page shows the log: an outcome of the same log may come first.
    """

    anchor: str
    place: str
    suite: str
    test: str
    platform: str
    packages: tuple[str, ...]
    owners: tuple[str, ...]
    badge: Badge
    triage: Triage
    before: str
    blocks: bool
    seconds: float
    reason: str
    log: Excerpt | None
    log_anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneRow:
    """A test of the reference run that is not in this one: its state then, and why it is gone.

    ``place`` is its place on the pages of its platform.
    """

    place: str
    suite: str
    test: str
    platform: str
    badge: Badge
    before: str
    reason: str


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
    gone
        The tests of the reference runs that these runs do not have.
    anchors
        For each outcome that is news, its place on the page.
    """

    suites: tuple[Suite, ...]
    tests: Counts
    counts: Mapping[Badge, int]
    others: tuple[OutcomeRow, ...]
    passes: tuple[OutcomeRow, ...]
    gone: tuple[GoneRow, ...]
    anchors: Mapping[TestOutcome, str]

    @property
    def rows(self) -> tuple[OutcomeRow, ...]:
        """All outcomes, in the order of triage."""
        return self.others + self.passes

    @property
    def pages(self) -> Mapping[str, str]:
        """By path in the report's folder, the titles of the pages that have every outcome."""
        found: dict[str, str] = {}
        numbers: Counter[str] = Counter()
        every: list[OutcomeRow | GoneRow] = [*self.rows, *self.gone]
        for row in every:
            path = row.place.partition("#")[0]
            if path not in found:
                numbers[row.platform] += 1
                number = numbers[row.platform]
                found[path] = row.platform if number == 1 else f"{row.platform} ({number})"
        return found

    @property
    def groups(self) -> Mapping[Triage, tuple[OutcomeRow, ...]]:
        """All outcomes, each in one group; empty groups too, and `Triage.GONE`, which has none, is empty."""
        found: dict[Triage, list[OutcomeRow]] = {group: [] for group in Triage}
        for row in self.rows:
            found[row.triage].append(row)
        return {group: tuple(rows) for group, rows in found.items()}

    @property
    def sizes(self) -> Mapping[Triage, int]:
        """How many are in each group; groups that say something only if they are not empty may be missing."""
        counts = {group: len(rows) for group, rows in self.groups.items()} | {Triage.GONE: len(self.gone)}
        always = set(Triage) - {Triage.FAILING, Triage.INFRA_ERROR}
        return {group: size for group, size in counts.items() if size or group in always}


def results(release: Release, logs: Path | None) -> Results:
    """Return all outcomes in the order of triage, with excerpts of the logs of those that did not pass.

    Parameters
    ----------
    logs
        The folder ``results`` of the release; `None` to quote no logs.
    """
    order = {state: number for number, state in enumerate(STATES)}
    outcomes = sorted(release.outcomes, key=lambda o: (order[o.state], o.suite, o.test, o.platform))
    past = earlier(release.compared)
    news = _listed(outcomes, past)
    anchors = {outcome: f"outcome-{number}" for number, outcome in enumerate(news, 1)}
    reader = _LogReader(logs)
    gone = [(item, test) for item in release.compared for test in item.gone]
    gone.sort(key=lambda pair: (pair[1].suite, pair[1].test, pair[0].platform))
    places = outcome_places(
        (
            *((outcome.platform, outcome.suite, outcome.test) for outcome in outcomes),
            *((item.platform, test.suite, test.test) for item, test in gone),
        )
    )
    rows = [
        _row(release, outcome, (anchors.get(outcome, ""), next(places)), past, reader) for outcome in outcomes
    ]
    return Results(
        suites=tuple(_suite(name, release) for name in _suite_names(release)),
        tests=count(outcomes),
        counts=_states(outcomes),
        others=tuple(row for row in rows if row.badge is not STATES[OutcomeState.PASS]),
        passes=tuple(row for row in rows if row.badge is STATES[OutcomeState.PASS]),
        gone=tuple(_gone_row(item, test, next(places)) for item, test in gone),
        anchors=anchors,
    )


class _LogReader:
    """Reads each log once, as long as the page has room."""

    def __init__(self, logs: Path | None) -> None:
        self._results = logs
        self._left = LOG_BUDGET
        self._seen: dict[tuple[str, str], str] = {}

    def read(self, outcome: TestOutcome, anchor: str) -> tuple[Excerpt | None, str]:
        if self._results is None or outcome.log is None or outcome.state is OutcomeState.PASS:
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


def _row(
    release: Release, outcome: TestOutcome, where: tuple[str, str], past: Earlier, reader: _LogReader
) -> OutcomeRow:
    anchor, place = where
    log, log_anchor = reader.read(outcome, anchor)
    return OutcomeRow(
        anchor=anchor,
        place=place,
        suite=outcome.suite,
        test=outcome.test,
        platform=outcome.platform,
        packages=tuple(dict.fromkeys((*filter(None, [outcome.package]), *outcome.packages))),
        owners=owners_of(release.manifest, outcome) if STATES[outcome.state].tone in {"bad", "warn"} else (),
        badge=STATES[outcome.state],
        triage=past.triage(outcome),
        before=past.said(outcome),
        blocks=outcome.state.blocks,
        seconds=round(outcome.seconds, 3),
        reason=outcome.reason,
        log=log,
        log_anchor=log_anchor,
    )


def _listed(outcomes: list[TestOutcome], past: Earlier) -> list[TestOutcome]:
    """Return the outcomes that are not just passing and that the page has a line for."""
    seen: Counter[Triage] = Counter()
    found = []
    for outcome in outcomes:
        group = past.triage(outcome)
        seen[group] += 1
        if group is not Triage.PASSING and seen[group] <= LISTED + (DETAILED if group in LOUD else 0):
            found.append(outcome)
    return found


def _gone_row(item: RunComparison, test: GoneTest, place: str) -> GoneRow:
    return GoneRow(
        place=place,
        suite=test.suite,
        test=test.test,
        platform=item.platform,
        badge=STATES[test.was],
        before=f"{test.was.value} in {item.reference}",
        reason=test.reason,
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
