"""Who must act before the release goes out, and on what."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from cuvee.graph.findings import Verdict
from cuvee.integration.outcomes import TestOutcome, blocking
from cuvee.manifest.model import Manifest
from cuvee.release.record import Release
from cuvee.report.finding_rows import in_order

UNOWNED = "release manager"
"""Who must act on what has no owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One thing to do; ``anchor`` is the part of the page that says more, or empty."""

    text: str
    anchor: str = ""


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

    Parameters
    ----------
    anchors
        For an outcome that has a place on the page, that place.
    """
    tasks: dict[str, list[Task]] = defaultdict(list)
    for number, finding in enumerate(in_order(release.findings), 1):
        if finding.verdict >= Verdict.NEEDS_APPROVAL:
            task = Task(text=finding.action or finding.cause, anchor=f"finding-{number}")
            for owner in finding.owners or (UNOWNED,):
                tasks[owner].append(task)
    failing: dict[tuple[str, str], list[TestOutcome]] = defaultdict(list)
    for outcome in sorted(blocking(release.runs), key=lambda outcome: (outcome.suite, outcome.test)):
        for owner in owners_of(release.manifest, outcome):
            failing[owner, outcome.platform].append(outcome)
    for (owner, platform), some in failing.items():
        tests = (
            f"test {some[0].suite}: {some[0].test}" if len(some) == 1 else f"{len(some)} tests that failed"
        )
        anchor = anchors.get(some[0], "") if len(some) == 1 else "tests"
        tasks[owner].append(Task(text=f"Look at the {tests} on {platform}.", anchor=anchor))
    for platform in release.unlocked:
        tasks[UNOWNED].append(Task(text=f"Find out why there is no lock for {platform}.", anchor="platforms"))
    contacts = {owner.name: owner.contact for owner in release.manifest.owners}
    order = [*(name for name in contacts if name in tasks), *sorted(tasks.keys() - contacts.keys())]
    return tuple(Actor(name=name, contact=contacts.get(name, ""), tasks=tuple(tasks[name])) for name in order)


def owners_of(manifest: Manifest, outcome: TestOutcome) -> tuple[str, ...]:
    """Return the owners of the packages that an outcome is about; the release manager if there are none."""
    names = {outcome.package} if outcome.package else set(outcome.packages)
    owners = {entry.owner for entry in manifest.packages if entry.name in names and entry.owner}
    return tuple(sorted(owners)) or (UNOWNED,)
