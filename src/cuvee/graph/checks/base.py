"""The interface of a check, and running them."""

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.manifest.model import Waiver


class Check(Protocol):
    """One question that is asked of a release."""

    @property
    def identifier(self) -> str:
        """Stable; findings, waivers and documentation are keyed on it."""

    @property
    def family(self) -> str:
        """``graph``, ``metadata``, ``parity``, …: groups checks in lists and on the page."""

    @property
    def title(self) -> str:
        """The question, as a sentence that is true of a good release."""

    @property
    def prerequisites(self) -> tuple[str, ...]:
        """Checks without which this one says nothing; if one of them fails, this one is skipped."""

    def run(self, release: ReleaseGraph) -> Iterable[Finding]:
        """Look at the release, and at nothing else; give what is to be said, grouped by cause."""
        ...


class Status(enum.Enum):
    """What became of a check."""

    PASS = "pass"  # noqa: S105 - a status
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """A check's status, the reason if it was skipped, and its findings."""

    identifier: str
    title: str
    status: Status
    reason: str = ""
    findings: tuple[Finding, ...] = ()


def run_checks(release: ReleaseGraph, checks: Sequence[Check]) -> tuple[CheckResult, ...]:
    """Run ``checks`` in their order; waivers of the manifest are applied to what they find.

    A check fails if one of its findings keeps the release from going out.
    """
    failed: dict[str, str] = {}
    results = []
    for check in checks:
        missing = [name for name in check.prerequisites if name in failed]
        if missing:
            failed[check.identifier] = "skipped"
            reason = f"says nothing while {', '.join(missing)} fails"
            results.append(
                CheckResult(
                    identifier=check.identifier, title=check.title, status=Status.SKIPPED, reason=reason
                )
            )
            continue
        findings = tuple(_waived(finding, release.manifest.waivers) for finding in check.run(release))
        is_bad = any(finding.verdict.exit_code for finding in findings)
        if is_bad:
            failed[check.identifier] = "failed"
        results.append(
            CheckResult(
                identifier=check.identifier,
                title=check.title,
                status=Status.FAIL if is_bad else Status.PASS,
                findings=findings,
            )
        )
    return tuple(results)


def _waived(finding: Finding, waivers: Iterable[Waiver]) -> Finding:
    if finding.verdict <= Verdict.WAIVED:
        return finding
    for waiver in waivers:
        if (
            waiver.check == finding.check
            and (waiver.package is None or waiver.package in finding.packages)
            and (waiver.platform is None or set(finding.platforms) <= {waiver.platform})
        ):
            reason = f"{waiver.reason} ({waiver.author}, until {waiver.expires})"
            return replace(finding, verdict=Verdict.WAIVED, waived_because=reason)
    return finding
