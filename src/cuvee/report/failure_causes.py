"""Failed tests by cause: what changed under tests that newly fail, and who must act."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cuvee.integration.outcomes import TestOutcome
from cuvee.release.record import Release
from cuvee.report.actors import UNOWNED, owners_of
from cuvee.report.badges import STATES, Badge
from cuvee.report.human_units import plural
from cuvee.report.issue_text import Issue, issue_text
from cuvee.report.suspects import Suspects, involved_packages
from cuvee.report.triage import Earlier, Triage, earlier

SHOWN = 60
"""How many causes the page describes; it says how many more there are."""

SAID = 100
"""How many outcomes the evidence of a cause quotes before it only counts them."""

TELLING = 24
"""How many characters a message has at least that can be one cause for tests of different packages."""

_CAUSES = (Triage.NEWLY_FAILING, Triage.FAILING, Triage.INFRA_ERROR, Triage.STILL_FAILING)
_Key = tuple[Triage, tuple[str, ...], tuple[str, ...], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCause:
    """Failed tests that have one cause, as far as can be told.

    Attributes
    ----------
    anchor
        Its place on the page.
    title
        What failed, in a few words; with suspects, what changed.
    suspects
        What changed since the reference run, and the tests involve: ``pandas 3.0.9 → 3.1.0``.
    packages
        The suspects if there are any, else what all of the tests involve, else what any of them does.
    contacts
        Owner and contact of everybody who must act.
    tests
        ``suite: test``, each once.
    anchors
        For each of ``tests``, the place on the page of its first outcome.
    issue
        Markdown for an issue.
    """

    anchor: str
    triage: Triage
    badge: Badge
    title: str
    suspects: tuple[str, ...]
    packages: tuple[str, ...]
    platforms: tuple[str, ...]
    contacts: Mapping[str, str]
    tests: tuple[str, ...]
    anchors: Mapping[str, str]
    evidence: tuple[str, ...]
    action: str
    issue: str


def failure_causes(release: Release, anchors: Mapping[TestOutcome, str]) -> tuple[FailureCause, ...]:
    """Return the failed tests grouped by cause: in the order of triage, those with most tests first.

    Tests have one cause if the same changed packages are suspects, else if they say the same and involve
    the same packages, or say it in so many words that these need not be the same.
    """
    past, finder = earlier(release.compared), Suspects(release)
    groups: dict[_Key, list[TestOutcome]] = defaultdict(list)
    for outcome in sorted(release.outcomes, key=lambda o: (o.suite, o.test, o.platform)):
        group = past.triage(outcome)
        if group not in _CAUSES:
            continue
        suspects = finder.of(outcome) if group is Triage.NEWLY_FAILING else ()
        if suspects:
            groups[group, suspects, (), ""].append(outcome)
        else:
            telling = len(_message(outcome)) >= TELLING
            involved = () if telling else involved_packages(outcome) or (f"{outcome.suite}: {outcome.test}",)
            groups[group, (), involved, outcome.reason].append(outcome)
    ordered = sorted(groups.items(), key=lambda pair: (_CAUSES.index(pair[0][0]), -len(pair[1]), pair[0][1:]))
    writer = _Writer(release=release, past=past, anchors=anchors)
    return tuple(writer.cause(number, key, outcomes) for number, (key, outcomes) in enumerate(ordered, 1))


def _message(outcome: TestOutcome) -> str:
    """Return what a test says, without what judging has put before it, in one line."""
    return re.sub(r"^it passed in \S+: ", "", outcome.reason).partition("\n")[0].strip()


def _shared(outcomes: Iterable[TestOutcome]) -> tuple[str, ...]:
    """Return the packages that all tests involve; if there are none, all, those of most tests first."""
    involved = [set(involved_packages(outcome)) for outcome in outcomes]
    common = set.intersection(*involved)
    counts = Counter(name for names in involved for name in names)
    return tuple(sorted(common or counts, key=lambda name: (-counts[name], name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """Puts causes into words."""

    release: Release
    past: Earlier
    anchors: Mapping[TestOutcome, str]

    def cause(self, number: int, key: _Key, outcomes: Sequence[TestOutcome]) -> FailureCause:
        group, suspects, involved, reason = key
        known = {name for lock in self.release.lock.platforms for name in lock.by_name}
        packages = tuple(text.split(" ", 1)[0] for text in suspects) or involved or _shared(outcomes)
        packages = tuple(name for name in packages if name in known)
        tests = tuple(dict.fromkeys(map(_name, outcomes)))
        title, action = _words(group, suspects, tests, reason)
        evidence = tuple(dict.fromkeys(map(self._said, outcomes)))
        if len(evidence) > SAID:
            evidence = (*evidence[:SAID], f"… and {len(evidence) - SAID:,} more, which the report lists")
        platforms = tuple(dict.fromkeys(item.platform for item in outcomes))
        contacts = self._contacts(outcomes, packages if suspects else ())
        issue = Issue(
            title=title,
            kind=group.value.lower(),
            release=self.release.name,
            packages=suspects or packages,
            owners=tuple(contacts),
            platforms=platforms,
            hits=("Tests", tests),
            action=action,
            evidence=evidence,
        )
        return FailureCause(
            anchor=f"cause-{number}",
            triage=group,
            badge=next(badge for state, badge in STATES.items() if any(o.state is state for o in outcomes)),
            title=title,
            suspects=suspects,
            packages=packages,
            platforms=platforms,
            contacts=contacts,
            tests=tests,
            anchors={_name(item): self.anchors.get(item, "") for item in reversed(outcomes)},
            evidence=evidence,
            action=action,
            issue=issue_text(issue),
        )

    def _said(self, outcome: TestOutcome) -> str:
        before = self.past.said(outcome)
        state = f"{outcome.state.value}, was {before}" if before else outcome.state.value
        reason = f": {outcome.reason}" if outcome.reason else ""
        return f"{outcome.platform} {_name(outcome)}: {state}{reason}"

    def _contacts(self, outcomes: Iterable[TestOutcome], suspects: tuple[str, ...]) -> Mapping[str, str]:
        contacts = {owner.name: owner.contact for owner in self.release.manifest.owners}
        owners = dict.fromkeys(name for item in outcomes for name in _owners(self.release, item, suspects))
        return {owner: contacts.get(owner, "") for owner in owners}


def _name(outcome: TestOutcome) -> str:
    return f"{outcome.suite}: {outcome.test}"


def _owners(release: Release, outcome: TestOutcome, suspects: Iterable[str]) -> tuple[str, ...]:
    """Return the owners of suspects, else those of the packages that the test is about."""
    named = set(suspects)
    owners = {entry.owner for entry in release.manifest.packages if entry.name in named and entry.owner}
    return tuple(sorted(owners)) or owners_of(release.manifest, outcome) or (UNOWNED,)


def _words(group: Triage, suspects: tuple[str, ...], tests: tuple[str, ...], reason: str) -> tuple[str, str]:
    """Return the title, and what to do."""
    what = tests[0] if len(tests) == 1 else plural(len(tests), "test")
    fails = "fails" if len(tests) == 1 else "fail"
    if suspects:
        held = suspects[0].split(" ", 1)[0]
        title = f"{what} newly {fails} since {', '.join(suspects)}"
        return title, f"Fix it, hold {held} back in the manifest, or waive it with a reason and a last day."
    detail = f": {reason.splitlines()[0]}" if reason.strip() else ""
    if group is Triage.INFRA_ERROR:
        return f"{what} {fails} for a fault of the machine{detail}", "Repair the machine, and test again."
    word = {Triage.NEWLY_FAILING: "newly ", Triage.STILL_FAILING: "still "}.get(group, "")
    return f"{what} {word}{fails}{detail}", "Read its log; fix it, or waive it with a reason and a last day."
