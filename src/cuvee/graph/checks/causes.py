"""Grouping what a check finds: one cause is one finding, with all who suffer from it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.release_graph import ReleaseGraph
from cuvee.lock.model import LockedPackage


@dataclass(slots=True, kw_only=True)
class _Group:
    """The victims, platforms and evidence of one cause; dicts, since those keep the order."""

    verdict: Verdict
    kind: str
    packages: dict[str, None] = field(default_factory=dict)
    victims: dict[str, None] = field(default_factory=dict)
    platforms: dict[str, None] = field(default_factory=dict)
    evidence: dict[str, None] = field(default_factory=dict)


class Causes:
    """Collects what was found by cause, so that one cause is one finding on all platforms."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}

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
        """Add a record that suffers from ``cause``; ``at_fault`` names the package that causes it."""
        group = self._groups.setdefault(cause, _Group(verdict=verdict, kind=kind))
        if at_fault is not None:
            group.packages[at_fault] = None
        group.packages[victim.name] = None
        group.victims[victim.identifier] = None
        group.platforms[victim.platform] = None
        if evidence:
            group.evidence[evidence] = None

    def findings(self, check: str, release: ReleaseGraph, *, action: str) -> Iterator[Finding]:
        """Give a finding for each cause, in the order in which they were found."""
        for cause, group in self._groups.items():
            yield Finding(
                check=check,
                verdict=group.verdict,
                cause=cause,
                kind=group.kind,
                packages=tuple(group.packages),
                victims=tuple(group.victims),
                platforms=tuple(group.platforms),
                owners=release.owners_of(group.packages),
                evidence=tuple(group.evidence),
                action=action,
            )
