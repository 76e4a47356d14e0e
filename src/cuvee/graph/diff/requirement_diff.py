"""The difference between two lists of requirements: ranges that were raised, lowered or restated."""

import re
from collections.abc import Iterator

from cuvee.graph.diff.model import ChangeKind, ComparisonRow
from cuvee.graph.diff.version_order import order
from cuvee.manifest.model import Requirement

_BOUND = re.compile(r"(>=|<=|==|!=|~=|>|<|=)?\s*([0-9][\w.!+]*?)(?:\.?\*)?(?=[,|\s]|$)")


def compare_requirements(
    before: tuple[Requirement, ...], after: tuple[Requirement, ...]
) -> Iterator[ComparisonRow]:
    """Yield a row for each package whose requirement differs; these have no levels and no reasons."""
    was, now = {item.name: item for item in before}, {item.name: item for item in after}
    for name in sorted(was.keys() | now.keys()):
        old, new = was.get(name), now.get(name)
        if old is not None and new is not None and _stated(old) == _stated(new):
            continue
        shown = new or old
        yield ComparisonRow(
            package=name,
            kind=_direction(old, new),
            before=_range(old),
            after=_range(new),
            requested=True,
            level=None,
            platforms=shown.platforms if shown is not None else (),
            details=tuple(_restated(old, new)) if old is not None and new is not None else (),
        )


def _stated(item: Requirement) -> tuple[object, ...]:
    return item.version, item.build, item.owner, item.groups, item.platforms


def _range(item: Requirement | None) -> str | None:
    return None if item is None else item.spec.removeprefix(item.name).strip()


def _restated(old: Requirement, new: Requirement) -> Iterator[str]:
    for name in ("owner", "groups", "platforms"):
        first, second = getattr(old, name), getattr(new, name)
        if first != second:
            yield f"{name}: {_list(first)} → {_list(second)}"


def _list(value: str | tuple[str, ...] | None) -> str:
    return (value if isinstance(value, str) else ", ".join(value or ())) or "none"


def _direction(old: Requirement | None, new: Requirement | None) -> ChangeKind:
    """Return whether a range was raised or lowered, by its bounds; other changes are changes of metadata."""
    if old is None:
        return ChangeKind.ADDED
    if new is None:
        return ChangeKind.REMOVED
    first, second = _bounds(old.version), _bounds(new.version)
    if first.keys() == second.keys():
        for bound in ("lower", "upper"):
            moved = order(first[bound], second[bound]) if bound in first else 0
            if moved:
                return ChangeKind.UPGRADED if moved > 0 else ChangeKind.DOWNGRADED
    return ChangeKind.METADATA


def _bounds(version: str) -> dict[str, str]:
    """Return the lower and upper bound of a range, as far as it has them; of alternatives and URLs, none."""
    found: dict[str, str] = {}
    for operator, number in _BOUND.findall(version) if "|" not in version and "@" not in version else ():
        if operator in {"<", "<="}:
            found.setdefault("upper", number)
        elif operator != "!=":
            found.setdefault("lower", number)
    return found
