"""Two versions: which is newer, and which part of them changed."""

import enum
import re
from typing import TYPE_CHECKING

from cuvee.conda.match_spec import read_version
from cuvee.errors import SourceUnreachableError

if TYPE_CHECKING:
    from rattler import Version

_YEAR = re.compile(r"(19[89]\d|20\d\d)(?:[01]\d(?:[0-3]\d)?)?")
"""What calendar versions begin with: ``2026``, ``202611`` or ``20261122``."""


class Level(enum.Enum):
    """Which part of the version changed, whatever the direction."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"


def order(before: str, after: str) -> int:
    """Give 1 for an upgrade, -1 for a downgrade, 0 when conda's order sees no difference.

    Raises
    ------
    SourceUnreachableError
        If conda can not read one of the versions.
    """
    if before == after:
        return 0
    old, new = parse(before), parse(after)
    return int(new > old) - int(new < old)


def level(before: str, after: str) -> Level:
    """Give the first part in which two versions differ.

    A calendar version says when, not how much changed: there a new year is a minor change, since nothing says
    that it is a major one.
    """
    old, new = parse(before), parse(after)
    if old.epoch != new.epoch:
        return Level.MAJOR
    for place, name in enumerate((Level.MAJOR, Level.MINOR)):
        first, second = _number(old, place), _number(new, place)
        if first != second:
            is_date = name is Level.MAJOR and _is_year(first) and _is_year(second)
            return Level.MINOR if is_date else name
    return Level.PATCH


def parse(version: str) -> "Version":
    """Read a version.

    Raises
    ------
    SourceUnreachableError
        If conda can not.
    """
    found = read_version(version)
    if found is None:
        raise SourceUnreachableError(
            f"A lock holds the version {version!r}, which conda can not read",
            hint="Locks are generated; make this one again from its manifest.",
        )
    return found


def _is_year(number: object) -> bool:
    return _YEAR.fullmatch(str(number)) is not None


def _number(version: "Version", place: int) -> object:
    """Give what a segment begins with: ``4`` of ``4rc1``, so that ``4rc1`` to ``4`` is a patch."""
    segments = version.segments()
    return segments[place][0] if place < len(segments) else 0
