"""Choosing units of work: by identifier, package, owner, what has changed, and what failed."""

import fnmatch
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cuvee.errors import UsageError
from cuvee.integration.model import has_package
from cuvee.integration.planned_outcomes import wholes
from cuvee.integration.units import Unit
from cuvee.manifest.documents.suggestions import did_you_mean, listing, quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which units to run. What is stated must all hold; of several patterns, packages or owners, one.

    Attributes
    ----------
    patterns
        Glob patterns of identifiers, or of parts of them: see `is_named`.
    packages, owners
        Names: units that are about the package, or whose suite or packages belong to the owner.
    changed
        Only those that need what has changed since the base.
    failed
        Only those that failed in the last recorded run.
    fail_fast
        Start no more units after the first failure.
    """

    patterns: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    changed: bool = False
    failed: bool = False
    fail_fast: bool = False

    @property
    def is_partial(self) -> bool:
        """Whether a run with it may leave tests out."""
        return self != Selection()


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionFacts:
    """What a selection is compared with on one platform.

    ``known_packages`` are those of the release; ``changed`` those that differ from the base, and all
    that need them; ``failed`` the tests that failed, by suite and name.
    """

    known_packages: frozenset[str] = frozenset()
    known_owners: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    failed: frozenset[tuple[str, str]] = field(default=frozenset())


def select_units(
    units: Sequence[Unit], selection: Selection, facts: Mapping[str, SelectionFacts]
) -> tuple[Unit, ...]:
    """Return the selected units, whether they can run or not, in their order.

    Parameters
    ----------
    units
        Those of all platforms.
    facts
        By platform.

    Raises
    ------
    UsageError
        If a pattern, package or owner selects nothing anywhere, with what was likely meant; or if nothing is
        left.
    """
    _check_names(units, selection, facts)
    found = tuple(unit for unit in units if _is_selected(unit, selection, facts[unit.platform]))
    if not found:
        raise UsageError(_nothing(selection), hint="`cuvee test --plan` lists all units.")
    return found


def demand_work(selected: Iterable[Unit]) -> None:
    """Raise if nothing of what was selected can run here.

    Raises
    ------
    UsageError
        With the reasons.
    """
    units = tuple(selected)
    if all(unit.not_run for unit in units):
        reasons = sorted({f"{unit.platform}: {unit.not_run}" for unit in units})
        raise UsageError(
            f"There is nothing to run: none of the {len(units)} selected units can run here\n"
            + "\n".join(f"  {reason}" for reason in reasons),
            hint="`cuvee test --plan` says it of each unit.",
        )


def is_named(unit: Unit, pattern: str) -> bool:
    """Whether a glob pattern is about a unit.

    It matches the identifier, or the suite, target, platform or runner; or two parts with ``@`` between them:
    what is tested, and where.
    """
    what = (unit.name, unit.suite, unit.target)
    where = (f"{unit.platform}/{unit.runner}", unit.platform, unit.runner)
    if any(fnmatch.fnmatchcase(text, pattern) for text in (unit.identifier, *what, *where)):
        return True
    before, at, after = pattern.rpartition("@")
    return bool(at) and all(
        not part or any(fnmatch.fnmatchcase(text, part) for text in texts)
        for part, texts in ((before, what), (after, where))
    )


def _is_selected(unit: Unit, selection: Selection, facts: SelectionFacts) -> bool:
    return (
        _any(selection.patterns, lambda pattern: is_named(unit, pattern))
        and _any(selection.packages, lambda name: _is_about(unit, name))
        and _any(selection.owners, lambda name: name in unit.owners)
        and (not selection.changed or _has_changed(unit, facts.changed))
        and (not selection.failed or any(_is_part(failed, unit) for failed in facts.failed))
    )


def _any(stated: Collection[str], matches: Callable[[str], bool]) -> bool:
    return not stated or any(map(matches, stated))


def _is_about(unit: Unit, package: str) -> bool:
    return has_package(package, unit.packages) or any(has_package(name, {package}) for name in unit.packages)


def _has_changed(unit: Unit, changed: frozenset[str]) -> bool:
    """Whether a unit needs something that has changed; one that does not say what it needs may."""
    return bool(changed) and (not unit.needs or any(has_package(name, changed) for name in unit.needs))


def _is_part(failed: tuple[str, str], unit: Unit) -> bool:
    """Whether a test that failed belongs to a unit: it is in it, or a part of one of its tests."""
    suite, test = failed
    names = {unit.target, *(planned.test for planned in unit.tests)}
    return suite == unit.suite and not names.isdisjoint(wholes(test))


def _check_names(units: Sequence[Unit], selection: Selection, facts: Mapping[str, SelectionFacts]) -> None:
    """Raise if a name or pattern is about nothing at all: it is misspelt."""
    for pattern in selection.patterns:
        if not any(is_named(unit, pattern) for unit in units):
            parts = {part for unit in units for part in (unit.suite, unit.target, unit.name, unit.platform)}
            raise _unknown("No unit of work is", pattern, parts, sorted({unit.suite for unit in units}))
    packages = {name for fact in facts.values() for name in fact.known_packages}
    for name in selection.packages:
        if not has_package(name, packages):
            raise _unknown("The release has no package", name, packages)
    owners = {name for fact in facts.values() for name in fact.known_owners}
    for name in selection.owners:
        if name not in owners:
            raise _unknown("The manifest has no owner", name, owners, sorted(owners))


def _unknown(what: str, name: str, known: Collection[str], listed: Sequence[str] = ()) -> UsageError:
    likely = did_you_mean(name, known)
    others = f"Known are: {listing(listed)}." if listed else "`cuvee test --plan` lists all units."
    return UsageError(f"{what} {quote(name)}", hint=likely.capitalize() if likely else others)


def _nothing(selection: Selection) -> str:
    if selection.failed and selection == Selection(failed=True, fail_fast=selection.fail_fast):
        return "There is nothing to run: no test failed in the last recorded run"
    if selection.changed and selection == Selection(changed=True, fail_fast=selection.fail_fast):
        return "There is nothing to run: no test needs a package that has changed since the base"
    return "There is nothing to run: no unit of work is selected by all that was stated"
