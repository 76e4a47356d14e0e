"""Who must act before the release goes out, and on what."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from cuvee.graph.findings import Finding, Verdict
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.manifest.model import Manifest
from cuvee.release.record import OUTCOME_VERDICTS, Release
from cuvee.report.badges import STATES, VERDICTS
from cuvee.report.finding_rows import in_order
from cuvee.report.human_units import plural
from cuvee.report.logs import clean
from cuvee.report.suspects import Suspects
from cuvee.report.triage import Triage, earlier

UNOWNED = "release manager"
"""Who must act on what has no owner."""

NAMED = 3
"""How many packages or tests a task names before it only counts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to do.

    Attributes
    ----------
    anchor
        The part of the page that says more, or empty.
    query
        The filter of that part which shows only what the task is about, as a URL's query; empty for none.
    """

    text: str
    anchor: str = ""
    query: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Somebody who must act.

    Attributes
    ----------
    contact
        As the manifest gives it; empty when it gives none.
    """

    name: str
    contact: str
    tasks: tuple[Task, ...]


def actors(release: Release, anchors: Mapping[TestOutcome, str]) -> tuple[Actor, ...]:
    """Return who must act: owners in the manifest's order, and the release manager for what has no owner.

    If there are only warnings, these are who should look at them.

    Parameters
    ----------
    anchors
        For an outcome that has a place on the page, that place.
    """
    least = min(max(release.verdict, Verdict.WARNING), Verdict.NEEDS_APPROVAL)
    tasks: dict[str, list[Task]] = defaultdict(list)
    _add_findings(release, least, tasks)
    _add_outcomes(release, least, anchors, tasks)
    unsolved = {name: item for item in release.unsolved for name in item.platforms}
    for platform in release.unlocked:
        if platform in unsolved:
            text = f"{platform} has no solution. {unsolved[platform].hint}".strip()
        else:
            text = f"Find out why there is no lock for {platform}."
        tasks[UNOWNED].append(Task(text=text, anchor="platforms"))
    for platform in release.failed:
        tasks[UNOWNED].append(Task(text=f"Find out why {platform} could not be built.", anchor="platforms"))
    contacts = {owner.name: owner.contact for owner in release.manifest.owners}
    order = [*(name for name in contacts if name in tasks), *sorted(tasks.keys() - contacts.keys())]
    return tuple(Actor(name=name, contact=contacts.get(name, ""), tasks=tuple(tasks[name])) for name in order)


def owners_of(manifest: Manifest, outcome: TestOutcome) -> tuple[str, ...]:
    """Return who must act on an outcome: the owners of the packages that it is about.

    It is the release manager if there are none, and for faults of the machine.
    """
    if outcome.state is OutcomeState.INFRA_ERROR:
        return (UNOWNED,)
    names = {outcome.package} if outcome.package else set(outcome.packages)
    owners = {entry.owner for entry in manifest.packages if entry.name in names and entry.owner}
    return tuple(sorted(owners)) or (UNOWNED,)


def _add_findings(release: Release, least: Verdict, tasks: dict[str, list[Task]]) -> None:
    """Add a task for each action that one owner must take on findings of one check."""
    groups: dict[tuple[str, str, Verdict, str], list[tuple[int, Finding]]] = defaultdict(list)
    for number, finding in enumerate(in_order(release.findings), 1):
        if finding.verdict >= least and finding.verdict is not Verdict.WAITING:
            for owner in finding.owners or (UNOWNED,):
                if finding.action:
                    groups[owner, finding.check, finding.verdict, finding.action].append((number, finding))
                else:
                    tasks[owner].append(Task(text=finding.cause, anchor=f"finding-{number}"))
    for (owner, check, verdict, action), found in groups.items():
        tasks[owner].append(_finding_task(owner, check, verdict, action, found))


def _finding_task(
    owner: str, check: str, verdict: Verdict, action: str, found: Sequence[tuple[int, Finding]]
) -> Task:
    at_fault = None if len(found) == 1 else 1
    packages = _listed(name for _, finding in found for name in finding.packages[:at_fault])
    platforms = ", ".join(dict.fromkeys(name for _, finding in found for name in finding.platforms))
    subject = f"{packages} on {platforms}" if packages and platforms else packages or platforms or check
    if len(found) == 1:
        return Task(text=f"{subject}: {action}", anchor=f"finding-{found[0][0]}")
    query = _query(status=VERDICTS[verdict].slug, check=check, owner=owner)
    return Task(text=f"{subject}: {action} ({plural(len(found), 'finding')})", anchor="findings", query=query)


def _add_outcomes(
    release: Release, least: Verdict, anchors: Mapping[TestOutcome, str], tasks: dict[str, list[Task]]
) -> None:
    """Add a task for each owner whose tests failed or, with warnings only, were flaky."""
    groups: dict[tuple[str, bool], list[TestOutcome]] = defaultdict(list)
    for outcome in sorted(release.outcomes, key=lambda outcome: (outcome.suite, outcome.test)):
        if OUTCOME_VERDICTS[outcome.state] >= least and outcome.state is not OutcomeState.NOT_RUN:
            for owner in owners_of(release.manifest, outcome):
                groups[owner, outcome.state is OutcomeState.INFRA_ERROR].append(outcome)
    changes = _Changes(release) if groups else None
    for (owner, of_machine), some in groups.items():
        since = "" if of_machine or changes is None else changes.since(some)
        tasks[owner].append(_outcome_task(owner, some, anchors, since))


class _Changes:
    """What changed under tests that newly fail, as sentences."""

    def __init__(self, release: Release) -> None:
        self._past, self._suspects = earlier(release.compared), Suspects(release)

    def since(self, some: Sequence[TestOutcome]) -> str:
        """Return a sentence that begins with a blank; the empty text if nothing is known."""
        new = [outcome for outcome in some if self._past.triage(outcome) is Triage.NEWLY_FAILING]
        found = [changed for outcome in new if (changed := self._suspects.of(outcome))]
        if not found:
            return ""
        who = f"{len(found):,} of them" if len(found) < len(some) else "It" if len(some) == 1 else "They"
        fails = "fails" if len(found) == 1 else "fail"
        return f" {who} newly {fails} since {_listed(name for changed in found for name in changed)}."


def _outcome_task(
    owner: str, some: Sequence[TestOutcome], anchors: Mapping[TestOutcome, str], since: str
) -> Task:
    of_machine = some[0].state is OutcomeState.INFRA_ERROR
    names = _listed(f"{outcome.suite}: {outcome.test}" for outcome in some)
    platforms = list(dict.fromkeys(outcome.platform for outcome in some))
    look = "Repair the machine, and run again" if of_machine else "Look at"
    if len(some) == 1:
        text = f"{look} the test {names} on {platforms[0]}.{since}"
        return Task(text=text, anchor=anchors.get(some[0], ""))
    states = Counter(outcome.state for outcome in some)
    counts = ", ".join(f"{count:,} {state.value}" for state, count in states.items())
    # All their states: only by owner and platform, faults of the machine would be among failed tests.
    query = {"status": "|".join(STATES[state].slug for state in states)}
    if len(platforms) == 1:
        query["platform"] = platforms[0]
    query["owner"] = owner
    where = ", ".join(sorted(platforms))
    what = "tests" if len(platforms) == 1 else "outcomes"
    text = f"{look} {len(some):,} {what} on {where} ({counts}): {names}.{since}"
    return Task(text=text, anchor="tests", query=_query(**query))


def _query(**values: str) -> str:
    """Return a URL's query, of what `clean` leaves of the values: the page has only that."""
    return urlencode({key: clean(value) for key, value in values.items()})


def _listed(names: Iterable[str]) -> str:
    """Return the first names, and how many more there are."""
    unique = list(dict.fromkeys(names))
    more = len(unique) - NAMED
    return ", ".join(unique[:NAMED]) + (f" and {more} more" if more > 0 else "")
