"""The selection of checks by their identifiers."""

from collections.abc import Collection, Iterable, Sequence

from cuvee.errors import UsageError
from cuvee.graph.checks.check_interface import Check
from cuvee.manifest.documents.suggestions import nearest


def left_out(checks: Sequence[Check], *, only: Collection[str], skip: Collection[str]) -> frozenset[str]:
    """Return the identifiers of the checks that a selection excludes.

    Parameters
    ----------
    only
        Run these and their prerequisites; empty means all.
    skip
        Do not run these.

    Raises
    ------
    UsageError
        If there is no such check.
    """
    known = {check.identifier for check in checks}
    for name in (*only, *skip):
        if name not in known:
            near = nearest(name, known)
            hint = f"Did you mean {near}?" if near else "`cuvee check --list` lists them."
            raise UsageError(f"there is no check {name!r}", hint=hint)
    selected = _with_prerequisites(checks, only) if only else known
    return frozenset(known - (selected - set(skip)))


def _with_prerequisites(checks: Sequence[Check], names: Iterable[str]) -> set[str]:
    prerequisites = {check.identifier: check.prerequisites for check in checks}
    selected: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in selected:
            selected.add(name)
            pending += prerequisites[name]
    return selected
