"""Findings by cause, and the waivers that accept some of them."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from cuvee.graph.findings import Finding, Verdict
from cuvee.manifest.model import Manifest, Waiver
from cuvee.release.record import Release
from cuvee.report.badges import VERDICTS, Badge
from cuvee.report.issue_text import Issue, issue_text


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverRow:
    """One waiver of the manifest.

    Attributes
    ----------
    scope
        What it accepts, in words.
    days
        Days from the release to the waiver's end; negative when it had ended.
    """

    check: str
    scope: str
    reason: str
    author: str
    expires: dt.date
    days: int
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """One cause, all who suffer from it, and what to do.

    Attributes
    ----------
    anchor
        Its place on the page.
    contacts
        Owner and contact of everybody who must act.
    waivers
        The manifest's waivers that fit, when it is waived.
    issue
        Markdown for an issue; empty if the verdict is less than a warning.
    """

    anchor: str
    check: str
    verdict: Verdict
    badge: Badge
    cause: str
    packages: tuple[str, ...]
    victims: tuple[str, ...]
    platforms: tuple[str, ...]
    contacts: Mapping[str, str]
    evidence: tuple[str, ...]
    action: str
    waived_because: str
    waivers: tuple[WaiverRow, ...]
    issue: str = ""


def in_order(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Sort findings for a reader: the worst first, then those with the most victims."""
    order = list(Verdict)
    return tuple(sorted(findings, key=lambda f: (-order.index(f.verdict), -len(f.victims), f.check, f.cause)))


def causes(release: Release, findings: tuple[Finding, ...]) -> tuple[FindingRow, ...]:
    """Make the page's rows from sorted findings."""
    contacts = {owner.name: owner.contact for owner in release.manifest.owners}
    return tuple(
        FindingRow(
            anchor=f"finding-{number}",
            check=finding.check,
            verdict=finding.verdict,
            badge=VERDICTS[finding.verdict],
            cause=finding.cause,
            packages=finding.packages,
            victims=finding.victims,
            platforms=finding.platforms,
            contacts={owner: contacts.get(owner, "") for owner in finding.owners},
            evidence=finding.evidence,
            action=finding.action,
            waived_because=finding.waived_because or "",
            waivers=tuple(
                _waiver(waiver, release.made_at.date())
                for waiver in release.manifest.waivers
                if finding.verdict is Verdict.WAIVED
                and waiver.covers(finding.check, packages=finding.packages, platforms=finding.platforms)
            ),
            issue=_issue(release, finding),
        )
        for number, finding in enumerate(findings, 1)
    )


def _issue(release: Release, finding: Finding) -> str:
    if finding.verdict < Verdict.WARNING:
        return ""
    return issue_text(
        Issue(
            title=finding.cause,
            kind=VERDICTS[finding.verdict].word,
            release=release.name,
            check=finding.check,
            packages=finding.packages,
            owners=finding.owners,
            platforms=finding.platforms,
            hits=("Hits", finding.victims),
            action=finding.action,
            evidence=finding.evidence,
        )
    )


def waivers(manifest: Manifest, today: dt.date) -> tuple[WaiverRow, ...]:
    """Return all waivers of the manifest, the next to end first."""
    rows = [_waiver(waiver, today) for waiver in manifest.waivers]
    return tuple(sorted(rows, key=lambda row: (row.expires, row.check, row.scope)))


def _waiver(waiver: Waiver, today: dt.date) -> WaiverRow:
    return WaiverRow(
        check=waiver.check,
        scope=f"{waiver.package or 'any package'} on {waiver.platform or 'any platform'}",
        reason=waiver.reason,
        author=waiver.author,
        expires=waiver.expires,
        days=(waiver.expires - today).days,
        link=waiver.link or "",
    )
