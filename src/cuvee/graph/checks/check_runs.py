"""The run of all checks in order, with the manifest's severities and waivers."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from cuvee.conda.package_record import LockedPackage
from cuvee.errors import CuveeError
from cuvee.graph.checks.check_interface import LEFT_OUT, NOT_RUN, Check, CheckOutcome, NotApplicable, Status
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph, build_graph
from cuvee.lock.model import Lock
from cuvee.manifest.model import Waiver

_MOST_CULPRITS = 3


def run_checks(
    release: ReleaseGraph, checks: Sequence[Check], *, left_out: Collection[str] = ()
) -> tuple[CheckOutcome, ...]:
    """Run ``checks`` in their order, and apply severities and waivers of the manifest to their findings.

    A check fails if one of its findings keeps the release from being published. A check that raises fails
    with a finding that names the record at which it did, and the others still run. A check that lacks what it
    compares with is skipped, and that is a finding, too: what was not checked has not passed.

    Parameters
    ----------
    left_out
        Identifiers of checks that the caller excludes; checks that have them as prerequisites still run.
    """
    failed: set[str] = set()
    results: list[CheckOutcome] = []
    for check in checks:
        result = _run(check, replace(release, earlier=tuple(results)), failed, left_out)
        if result.status is Status.FAIL or (
            result.status is Status.SKIPPED and failed.intersection(check.prerequisites)
        ):
            failed.add(check.identifier)
        results.append(result)
    return tuple(results)


def _run(
    check: Check, release: ReleaseGraph, failed: Collection[str], left_out: Collection[str]
) -> CheckOutcome:
    missing = [name for name in check.prerequisites if name in failed]
    reason = LEFT_OUT if check.identifier in left_out else ""
    if missing:
        reason = f"needs {', '.join(missing)} to pass first"
    if reason:
        return CheckOutcome(
            identifier=check.identifier, title=check.title, status=Status.SKIPPED, reason=reason
        )
    found: list[Finding] = []
    try:
        found.extend(check.run(release))
    except NotApplicable as error:
        return replace(
            _judged(check, release, [*found, _not_run(check, release, error)]),
            status=Status.SKIPPED,
            reason=error.reason,
        )
    except Exception as error:  # noqa: BLE001 - hostile data must neither end the run nor hide other findings
        return _judged(check, release, [_broken(check, release, error)], is_graded=False)
    return _judged(check, release, found)


def _not_run(check: Check, release: ReleaseGraph, error: NotApplicable) -> Finding:
    """Return the finding that a check was not run; how much it matters is for the severity to say."""
    return Finding(
        check=check.identifier,
        verdict=Verdict.NEEDS_APPROVAL,
        kind=NOT_RUN,
        cause=f"Not checked: {error.reason}",
        platforms=error.platforms or tuple(release.lock.by_platform),
        action=error.action,
    )


def _judged(
    check: Check, release: ReleaseGraph, found: list[Finding], *, is_graded: bool = True
) -> CheckOutcome:
    stated = release.manifest.policy.checks.get(check.identifier)
    support = release.manifest.support
    most = Verdict(stated) if stated else check.severity.on(support.track if support else None)
    if is_graded:
        found = [replace(finding, verdict=min(finding.verdict, most)) for finding in found]
    found = [replace(item, owners=item.owners or release.owners_of(item.packages)) for item in found]
    findings = tuple(_waived(finding, release.manifest.waivers) for finding in found)
    is_bad = any(finding.verdict.exit_code for finding in findings)
    return CheckOutcome(
        identifier=check.identifier,
        title=check.title,
        status=Status.FAIL if is_bad else Status.PASS,
        findings=findings,
    )


def _broken(check: Check, release: ReleaseGraph, error: Exception) -> Finding:
    message = error.message if isinstance(error, CuveeError) else f"{type(error).__name__}: {error}"
    culprits = [] if isinstance(error, CuveeError) else list(_culprits(check, release, type(error)))
    at = f" at {', '.join(sorted({package.stem for package in culprits}))}" if culprits else ""
    hint = error.hint if isinstance(error, CuveeError) else None
    return Finding(
        check=check.identifier,
        verdict=Verdict.BLOCKED,
        cause=f"The check {check.identifier} could not be finished{at}",
        packages=tuple(dict.fromkeys(package.name for package in culprits)),
        victims=tuple(package.identifier for package in culprits),
        platforms=tuple(dict.fromkeys(package.platform for package in culprits)),
        evidence=(message,),
        action=hint or "Ask for the record to be fixed. If nothing is wrong with it, report a bug in cuvee.",
    )


def _culprits(check: Check, release: ReleaseGraph, kind: type[Exception]) -> Iterator[LockedPackage]:
    """Yield records at which the check raises even if the lock has no other."""
    found = 0
    for platform in release.lock.platforms:
        for package in platform.packages:
            if found == _MOST_CULPRITS:
                return
            single = Lock(platforms=(replace(platform, packages=(package,)),))
            try:
                graph = build_graph(release.manifest, single)
                for _ in check.run(replace(release, lock=single, platforms=graph.platforms)):
                    pass
            except kind:
                found += 1
                yield package
            except Exception:  # noqa: BLE001, S112 - another error says nothing about this one
                continue


def _waived(finding: Finding, waivers: Iterable[Waiver]) -> Finding:
    for waiver in waivers if finding.verdict > Verdict.WAIVED else ():
        if waiver.covers(finding.check, packages=finding.packages, platforms=finding.platforms):
            reason = f"{waiver.reason} ({waiver.author}, until {waiver.expires})"
            return replace(finding, verdict=Verdict.WAIVED, waived_because=reason)
    return finding
