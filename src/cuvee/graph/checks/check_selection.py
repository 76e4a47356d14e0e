"""Choosing checks by their identifiers."""

from collections.abc import Collection, Iterable, Sequence

from cuvee.errors import ManifestError, UsageError
from cuvee.graph.checks.check_protocol import Check
from cuvee.manifest.documents.suggestions import nearest
from cuvee.manifest.model import Manifest


def left_out(checks: Sequence[Check], *, only: Collection[str], skip: Collection[str]) -> frozenset[str]:
    """Give the identifiers of the checks that a selection does not run.

    Parameters
    ----------
    only
        Run these and what they need; none means all.
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
    wanted = _with_prerequisites(checks, only) if only else {check.identifier for check in checks}
    return frozenset(check.identifier for check in checks) - (wanted - set(skip))


def verify_settings(manifest: Manifest, checks: Sequence[Check]) -> None:
    """Make sure that the checks whose severity a manifest states do exist.

    Raises
    ------
    ManifestError
        If one does not.
    """
    for name in manifest.policy.checks:
        problem = _unknown(name, checks)
        if problem:
            place = manifest.sources.get(f"policy.checks.{name}.severity")
            at = f"{place}: " if place else ""
            raise ManifestError(f"{at}policy.checks: {problem[0]}", hint=problem[1])


def _with_prerequisites(checks: Sequence[Check], names: Iterable[str]) -> set[str]:
    needs = {check.identifier: check.prerequisites for check in checks}
    wanted: set[str] = set()
    rest = list(names)
    while rest:
        name = rest.pop()
        if name not in wanted:
            wanted.add(name)
            rest += needs[name]
    return wanted


def _unknown(name: str, checks: Sequence[Check]) -> tuple[str, str] | None:
    known = [check.identifier for check in checks]
    if name in known:
        return None
    near = nearest(name, known)
    hint = f"Did you mean {near}?" if near else "`cuvee check --list` names them."
    return f"there is no check {name!r}", hint
