"""What the checks of archives share: getting at the contents, and keeping findings short."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from cuvee.graph.checks.base import NotApplicable
from cuvee.graph.checks.causes import Causes
from cuvee.graph.contents import Contents
from cuvee.graph.findings import Finding
from cuvee.graph.release_graph import PlatformGraph, ReleaseGraph
from cuvee.lock.model import LockedPackage

_SHOWN = 20


def opened(release: ReleaseGraph) -> Iterator[tuple[PlatformGraph, Contents]]:
    """Give each platform with what its archives hold.

    Raises
    ------
    NotApplicable
        If nobody opened them.
    """
    for graph in release.platforms:
        if graph.contents is None:
            raise NotApplicable("the archives were not opened; `cuvee check --archives` does")
        yield graph, graph.contents


class Divided:
    """Causes that several packages may share; those that a waiver names have findings of their own.

    Otherwise the waiver would cover the others as well.
    """

    def __init__(self, check: str, release: ReleaseGraph) -> None:
        self._check, self._release = check, release
        self._named = {waiver.package for waiver in release.manifest.waivers if waiver.check == check}
        self._causes: dict[str, Causes] = {}

    def of(self, package: LockedPackage) -> Causes:
        """Give the causes to which one package's are to be added."""
        return self._causes.setdefault(package.name if package.name in self._named else "", Causes())

    def findings(self, *, action: str) -> Iterator[Finding]:
        """Give all findings, with no more evidence than anybody reads."""
        for causes in self._causes.values():
            for finding in causes.findings(self._check, self._release, action=action):
                yield replace(finding, evidence=shown(finding.evidence))


def shown(lines: Iterable[str]) -> tuple[str, ...]:
    """Give lines once each, as many as anybody reads, and how many more there are."""
    unique = tuple(dict.fromkeys(lines))
    if len(unique) <= _SHOWN:
        return unique
    return (*unique[:_SHOWN], f"and {len(unique) - _SHOWN} more")


def counted(items: Sequence[str]) -> str:
    """Give ``a``, or ``a and 3 more``."""
    return items[0] if len(items) == 1 else f"{items[0]} and {len(items) - 1} more"
