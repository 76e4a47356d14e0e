"""The grouping of findings by cause."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cuvee.conda.package_record import LockedPackage
from cuvee.graph.checks.check_interface import Check
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.graph.truncation import shorten_lines


@dataclass(slots=True, kw_only=True)
class _Group:
    """The victims, platforms and evidence of one cause; dicts serve as ordered sets."""

    verdict: Verdict
    kind: str
    packages: dict[str, None] = field(default_factory=dict)
    victims: dict[str, None] = field(default_factory=dict)
    platforms: dict[str, None] = field(default_factory=dict)
    evidence: dict[str, None] = field(default_factory=dict)


class FindingCollector:
    """Collects what a check finds by cause, so that one cause is one finding on all platforms.

    A victim that a waiver of the check names gets findings of its own; otherwise the waiver would cover the
    other victims too.
    """

    def __init__(self, check: Check, release: ReleaseGraph) -> None:
        self._check = check.identifier
        self._waived = _waived(check.identifier, release)
        self._groups: dict[tuple[str, str], _Group] = {}

    def add(
        self,
        cause: str,
        *,
        victim: LockedPackage,
        at_fault: str | None = None,
        evidence: str = "",
        verdict: Verdict = Verdict.BLOCKED,
        kind: str = "",
    ) -> None:
        """Add a record that ``cause`` affects; ``at_fault`` names the package that causes it."""
        key = (cause, victim.name if victim.name in self._waived else "")
        group = self._groups.setdefault(key, _Group(verdict=verdict, kind=kind))
        if at_fault is not None:
            group.packages[at_fault] = None
        group.packages[victim.name] = None
        group.victims[victim.identifier] = None
        group.platforms[victim.platform] = None
        if evidence:
            group.evidence[evidence] = None

    def findings(self, action: str) -> Iterator[Finding]:
        """Yield a finding for each cause, in the order in which they were added."""
        for (cause, _), group in self._groups.items():
            yield Finding(
                check=self._check,
                verdict=group.verdict,
                cause=cause,
                kind=group.kind,
                packages=tuple(group.packages),
                victims=tuple(group.victims),
                platforms=tuple(group.platforms),
                evidence=shorten_lines(group.evidence),
                action=action,
            )


def by_waiver(check: Check, names: Iterable[str], release: ReleaseGraph) -> list[list[str]]:
    """Return packages in groups, one per finding, so that a waiver of one package covers no other."""
    waived = _waived(check.identifier, release)
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name if name in waived else "", []).append(name)
    return list(groups.values())


def _waived(check: str, release: ReleaseGraph) -> set[str | None]:
    return {waiver.package for waiver in release.manifest.waivers if waiver.check == check}
