"""Whether the release can go out, in words."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from cuvee.graph.findings import Verdict
from cuvee.integration.outcomes import OutcomeState, TestOutcome, blocking
from cuvee.release.artefacts import NotMade
from cuvee.release.record import Failure, Release
from cuvee.report.actors import Actor, actors
from cuvee.report.approval_state import (
    approval_headline,
    approval_notes,
    approval_sentence,
    approvers,
    is_waiting_for_people,
    missing_approvals,
)
from cuvee.report.badges import VERDICTS, Badge
from cuvee.report.human_units import plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """The release's verdict in words.

    Attributes
    ----------
    headline
        A few words: ``Blocked by 3``.
    must_act
        One sentence: must anybody act?
    blockers
        How many findings of the release's verdict, outcomes and platforms keep it from going out.
    notes
        What a reader must know besides, one sentence each.
    """

    verdict: Verdict
    badge: Badge
    headline: str
    must_act: str
    blockers: int
    actors: tuple[Actor, ...]
    notes: tuple[str, ...]


def readiness(release: Release, anchors: Mapping[TestOutcome, str]) -> Readiness:
    """Return whether the release can go out, who must act, and what else a reader must know.

    ``anchors`` gives the place on the page of outcomes that have one.
    """
    result = release.verdict
    tests = blocking(release.runs)
    again = sum(outcome.state is OutcomeState.INFRA_ERROR for outcome in tests)
    parts = {
        "finding": sum(finding.verdict is result for finding in release.findings),
        "test": len(tests) - again,
        "platform": len(release.unlocked) + len(release.failed),
    }
    blockers = sum(parts.values()) + again if result.exit_code else 0
    if is_waiting_for_people(release):
        return Readiness(
            verdict=result,
            badge=VERDICTS[result],
            headline=approval_headline(release),
            must_act=approval_sentence(release),
            blockers=missing_approvals(release),
            actors=approvers(release),
            notes=(*approval_notes(release), *_notes(release)),
        )
    return Readiness(
        verdict=result,
        badge=VERDICTS[result],
        headline=_headline(result, blockers) if release.failure is None else "Failed",
        must_act=_must_act(result, parts, again) if release.failure is None else _failed(release.failure),
        blockers=blockers,
        actors=actors(release, anchors),
        notes=(*approval_notes(release), *_notes(release)),
    )


def _failed(failure: Failure) -> str:
    where = f" in the stage {failure.stage}" if failure.stage else ""
    return f"The run failed{where}: {failure.message.splitlines()[0]}. {failure.hint}".strip()


def _headline(result: Verdict, blockers: int) -> str:
    if result is Verdict.BLOCKED:
        return f"Blocked by {blockers:,}" if blockers else "Blocked"
    if result is Verdict.NEEDS_APPROVAL:
        return f"Waiting for {plural(blockers, 'approval')}" if blockers else "Not checked"
    if result is Verdict.WAITING:
        return f"Waiting for {plural(blockers, 'thing')} to finish"
    return "Ready, with warnings" if result is Verdict.WARNING else "Ready"


def _must_act(result: Verdict, parts: Mapping[str, int], again: int) -> str:
    """Return the sentence for a verdict; ``again`` is how many tests ended with a fault of the machine."""
    what = [plural(count, noun) for noun, count in parts.items() if count]
    if result is Verdict.BLOCKED and (what or again):
        must = []
        if what:
            listed = " and ".join(filter(None, (", ".join(what[:-1]), what[-1])))
            must.append(f"{listed} must be fixed, or waived with a reason and a date")
        if again:
            must.append(f"{plural(again, 'test')} must run again, since the machine failed")
        return f"{', and '.join(must)}, before it goes out."
    if result in {Verdict.READY, Verdict.INFO}:
        return "No action is needed."
    if result is Verdict.WARNING:
        return "It can go out; the warnings should be looked at before the next release."
    return result.must_act


def _notes(release: Release) -> tuple[str, ...]:
    notes = _not_tested(release)
    if release.failure is not None:
        notes += [line.strip() for line in release.failure.message.splitlines()[1:] if line.strip()]
    for item in release.unsolved:
        notes += [line.strip() for line in item.message.splitlines() if line.strip()]
    if release.checked is None:
        notes.append("no check was run")
    handed_out = release.handed_out
    notes += [f"{absent.platform} is absent: {absent.reason}" for absent in release.absent]
    missing: dict[str, list[str]] = defaultdict(list)
    for artefact in handed_out:
        if artefact.not_made is not None:
            missing[_how_missing(artefact.not_made)].append(artefact.name)
    notes += [
        f"{len(names)} of {len(handed_out)} artefacts {how}: {', '.join(names)}"
        for how, names in missing.items()
    ]
    if release.base and release.changes is None:
        notes.append(f"what changed against {release.base} is not known: its lock is not at hand")
    notes += _comparisons(release)
    waiting = [finding for finding in release.findings if finding.verdict is Verdict.WAITING]
    notes += [f"not finished yet: {finding.cause}" for finding in waiting]
    waived = [finding for finding in release.findings if finding.verdict is Verdict.WAIVED]
    accepted = [outcome for outcome in release.outcomes if outcome.state is OutcomeState.WAIVED]
    if waived or accepted:
        notes.append(f"waived for now: {plural(len(waived), 'finding')}, {plural(len(accepted), 'test')}")
    return tuple(notes)


def _comparisons(release: Release) -> list[str]:
    """Return what the outcomes were compared with; platforms with the same answer together."""
    said: dict[str, list[str]] = defaultdict(list)
    for item in release.compared:
        if item.reason:
            said[f"was not compared with an earlier run: {item.reason}"].append(item.platform)
            continue
        gone = Counter(test.reason for test in item.gone if test.was.has_run)
        reasons = "; ".join(f"{reason} ({count:,})" for reason, count in sorted(gone.items()))
        lost = f", of which tests are gone: {reasons}" if gone else ""
        said[f"was compared with {item.reference}{lost}"].append(item.platform)
    return [f"{', '.join(platforms)} {what}" for what, platforms in said.items()]


def _not_tested(release: Release) -> list[str]:
    """Return which platforms were not tested; those with the same reason together."""
    ran = {run.platform: run for run in release.runs}
    reasons: dict[str, list[str]] = defaultdict(list)
    for platform in release.lock.by_platform:
        run = ran.get(platform)
        reason = "no run is on record" if run is None else run.not_run
        if reason is not None:
            reasons[reason].append(platform)
    return [
        f"{', '.join(names)} {'was' if len(names) == 1 else 'were'} not tested: {reason}"
        for reason, names in reasons.items()
    ]


def _how_missing(why: NotMade) -> str:
    if why.not_tried:
        return "were not made, since findings block the release"
    if why.failed:
        return "could not be built"
    return "could not be made here" if why.only_here else "cannot be made on any host"
