"""The order of two versions, and the first part in which they differ."""

import enum
import re
from typing import TYPE_CHECKING

from cuvee.conda.match_spec import read_version
from cuvee.errors import SourceUnreachableError

if TYPE_CHECKING:
    from rattler import Version

_YEAR = re.compile(r"(19[89]\d|20\d\d)(?:[01]\d(?:[0-3]\d)?)?")
"""What calendar versions begin with: ``2026``, ``202611`` or ``20261122``."""


UNKNOWN_VERSION = "version unknown"
"""The version of a package whose version its lock does not state: what is built from a folder or from git."""


class Level(enum.Enum):
    """Which part of the version changed, whatever the direction."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"


def order(before: str, after: str) -> int:
    """Return 1 for an upgrade, -1 for a downgrade, 0 for versions that are equal in conda's order.

    The order is https://conda.org/learn/ceps/cep-0033, as rattler implements it.

    Raises
    ------
    SourceUnreachableError
        If conda cannot read one of the versions.
    """
    if before == after:
        return 0
    old, new = parse(before), parse(after)
    return int(new > old) - int(new < old)


def level(before: str, after: str) -> Level:
    """Return the first part in which two versions differ.

    A calendar version (https://calver.org) states a date and not how much changed, so a new year counts as a
    minor change.
    """
    old, new = parse(before), parse(after)
    if old.epoch != new.epoch:
        return Level.MAJOR
    for index, name in enumerate((Level.MAJOR, Level.MINOR)):
        first, second = _number(old, index), _number(new, index)
        if first != second:
            is_date = name is Level.MAJOR and _is_year(first) and _is_year(second)
            return Level.MINOR if is_date else name
    return Level.PATCH


def parse(version: str) -> "Version":
    """Return a version for comparisons.

    Raises
    ------
    SourceUnreachableError
        If conda cannot read it.
    """
    found = read_version(version)
    if found is None:
        raise SourceUnreachableError(
            f"A lock has the version {version!r}, which conda cannot read",
            hint="Locks are generated; make this one again from its manifest.",
        )
    return found


def _is_year(number: object) -> bool:
    return _YEAR.fullmatch(str(number)) is not None


def _number(version: "Version", index: int) -> object:
    """Return the first component of a segment: ``4`` of ``4rc1``, so that ``4rc1`` to ``4`` is a patch."""
    segments = version.segments()
    return segments[index][0] if index < len(segments) else 0
