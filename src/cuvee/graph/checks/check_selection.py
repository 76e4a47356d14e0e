"""The selection of checks by their identifiers."""

from collections.abc import Collection, Iterable, Sequence

from cuvee.errors import ManifestError, UsageError
from cuvee.graph.checks.check_interface import Check
from cuvee.manifest.documents.suggestions import nearest
from cuvee.manifest.model import Manifest


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
    for name in (*only, *skip):
        problem = _unknown(name, checks)
        if problem:
            raise UsageError(problem[0], hint=problem[1])
    known = {check.identifier for check in checks}
    selected = _with_prerequisites(checks, only) if only else known
    return frozenset(known - (selected - set(skip)))


def verify_settings(manifest: Manifest, checks: Sequence[Check]) -> None:
    """Check that every check exists whose severity a manifest states.

    Raises
    ------
    ManifestError
        If one does not exist.
    """
    for name in manifest.policy.checks:
        problem = _unknown(name, checks)
        if problem:
            position = manifest.sources.get(f"policy.checks.{name}.severity")
            at = f"{position}: " if position else ""
            raise ManifestError(f"{at}policy.checks: {problem[0]}", hint=problem[1])


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


def _unknown(name: str, checks: Sequence[Check]) -> tuple[str, str] | None:
    known = [check.identifier for check in checks]
    if name in known:
        return None
    near = nearest(name, known)
    hint = f"Did you mean {near}?" if near else "`cuvee check --list` lists them."
    return f"there is no check {name!r}", hint
