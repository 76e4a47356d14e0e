"""What changed under tests that newly fail."""

from collections import defaultdict

from cuvee.graph.diff import Change, ChangeKind
from cuvee.integration.outcomes import TestOutcome
from cuvee.release.record import Release
from cuvee.report.human_units import plural

SUSPECTS = 3
"""How many changed packages are named as suspects."""


class Suspects:
    """Finds what changed since the reference run below the packages of a test."""

    def __init__(self, release: Release) -> None:
        self._graphs = {item.platform: item.graph for item in release.graph.platforms}
        self._bases = {item.platform for item in release.compared if item.reference == release.base}
        self._changed: dict[str, dict[str, Change]] = defaultdict(dict)
        for change in release.changes or ():
            if change.kind not in {ChangeKind.METADATA, ChangeKind.REMOVED}:
                for platform in change.platforms:
                    self._changed[platform][change.package] = change

    def of(self, outcome: TestOutcome) -> tuple[str, ...]:
        """Return what changed of the packages that a test involves, else of the nearest that they need."""
        changed = self._changed.get(outcome.platform)
        if not changed or outcome.platform not in self._bases:
            return ()
        graph = self._graphs[outcome.platform]
        level, seen = [name for name in involved_packages(outcome) if name in graph], set[str]()
        while level:
            found = sorted(set(level) & changed.keys())
            if found:
                more = [f"{plural(len(found) - SUSPECTS, 'more package')}"] if len(found) > SUSPECTS else []
                return (*(_change(changed[name]) for name in found[:SUSPECTS]), *more)
            seen.update(level)
            level = sorted({below for name in level for below in graph.successors(name)} - seen)
        return ()


def involved_packages(outcome: TestOutcome) -> tuple[str, ...]:
    """Return the packages that a test involves, first the one that it is about."""
    return tuple(dict.fromkeys((*filter(None, [outcome.package]), *outcome.packages)))


def _change(change: Change) -> str:
    if change.before is None:
        return f"{change.package} {change.after} (new)"
    if change.before == change.after:
        return f"{change.package} {change.after} ({change.kind.value})"
    return f"{change.package} {change.before} → {change.after}"
