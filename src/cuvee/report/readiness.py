"""Can the release go out?"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from cuvee.graph.findings import Finding, Verdict, worst
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome, blocking
from cuvee.report.actors import Actor, actors
from cuvee.report.model import ReportInput
from cuvee.report.units import plural
from cuvee.report.words import GRAVITY, VERDICTS, Badge


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


def verdict(
    findings: Iterable[Finding], runs: Iterable[PlatformRun], *, platforms: Collection[str] = ()
) -> Verdict:
    """Give the worst of findings and outcomes.

    A platform that was not run, or that ``platforms`` names and ``runs`` lacks, is a warning: not-run is
    not pass.
    """
    runs = tuple(runs)
    untested = {run.platform for run in runs if run.not_run is not None}
    untested |= set(platforms) - {run.platform for run in runs}
    return worst(
        [
            *(finding.verdict for finding in findings),
            *(GRAVITY[outcome.state] for run in runs for outcome in run.outcomes),
            *(Verdict.WARNING for _ in untested),
        ]
    )


def unlocked(data: ReportInput) -> tuple[str, ...]:
    """Name the platforms that the manifest wants, that have no lock, and that nothing declares absent."""
    known = {*data.lock.by_platform, *(absent.platform for absent in data.absent)}
    return tuple(entry.name for entry in data.manifest.present_platforms if entry.name not in known)


def readiness(data: ReportInput, anchors: Mapping[TestOutcome, str]) -> Readiness:
    """Say whether the release can go out, who must act, and what else a reader must know.

    ``anchors`` gives the place on the page of outcomes that have one.
    """
    lacking = unlocked(data)
    result = verdict(data.findings, data.runs, platforms=data.lock.by_platform)
    result = Verdict.BLOCKED if lacking else result
    parts = {
        "finding": sum(finding.verdict is result for finding in data.findings),
        "test": len(blocking(data.runs)),
        "platform": len(lacking),
    }
    blockers = sum(parts.values()) if result.exit_code else 0
    return Readiness(
        verdict=result,
        badge=VERDICTS[result],
        headline=_headline(result, blockers),
        must_act=_must_act(result, parts),
        blockers=blockers,
        actors=actors(data, lacking, anchors),
        notes=_notes(data),
    )


def _headline(result: Verdict, blockers: int) -> str:
    if result is Verdict.BLOCKED:
        return f"Blocked by {blockers:,}"
    if result is Verdict.NEEDS_APPROVAL:
        return f"Waiting for {plural(blockers, 'approval')}"
    if result is Verdict.WAITING:
        return f"Waiting for {plural(blockers, 'thing')} to finish"
    return "Ready, with warnings" if result is Verdict.WARNING else "Ready"


def _must_act(result: Verdict, parts: Mapping[str, int]) -> str:
    if result is Verdict.BLOCKED:
        what = [plural(count, noun) for noun, count in parts.items() if count]
        listed = " and ".join(filter(None, (", ".join(what[:-1]), what[-1])))
        return f"{listed} must be mended, or waived with a reason and a date, before it goes out."
    if result in {Verdict.READY, Verdict.INFO}:
        return "Nobody needs to act."
    if result is Verdict.WARNING:
        return "It can go out; the warnings should be looked at before the next release."
    return result.must_act


def _notes(data: ReportInput) -> tuple[str, ...]:
    notes = []
    ran = {run.platform: run for run in data.runs}
    for platform in data.lock.by_platform:
        run = ran.get(platform)
        reason = "no run is on record" if run is None else run.not_run
        if reason is not None:
            notes.append(f"{platform} was not tested: {reason}")
    notes += [f"{absent.platform} is absent: {absent.reason}" for absent in data.absent]
    for only_here, what in ((True, "could not be made here"), (False, "can not be made on any host")):
        missing = [
            artefact.name
            for artefact in data.artefacts
            if artefact.missing is not None and artefact.missing.only_here == only_here
        ]
        if missing:
            notes.append(f"{len(missing)} of {len(data.artefacts)} artefacts {what}: {', '.join(missing)}")
    base = data.base or (data.manifest.base.release_name if data.manifest.base else None)
    if base and data.changes is None:
        notes.append(f"what changed against {base} is not known: its lock is not at hand")
    waiting = [finding for finding in data.findings if finding.verdict is Verdict.WAITING]
    notes += [f"not finished yet: {finding.cause}" for finding in waiting]
    waived = [finding for finding in data.findings if finding.verdict is Verdict.WAIVED]
    accepted = [o for run in data.runs for o in run.outcomes if o.state is OutcomeState.WAIVED]
    if waived or accepted:
        notes.append(f"waived for now: {plural(len(waived), 'finding')}, {plural(len(accepted), 'test')}")
    return tuple(notes)
