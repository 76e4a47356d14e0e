"""Match specs, and the versions and records that they are held against: each is read by rattler, once."""

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rattler import MatchSpec, PackageRecord, Version

LONGEST = 10_000
DEEPEST = 100
"""What no well-meant match spec exceeds. Beyond it rattler's parser overflows its stack: the process ends."""


class Field(NamedTuple):
    """What match specs look at."""

    name: str
    version: str
    build: str
    build_number: int = 0
    subdir: str = "noarch"


def parse_spec(text: str) -> "MatchSpec | None":
    """Read a match spec; `None` if it is not one, or longer or deeper nested than anybody could mean."""
    found = _parse(text)
    return None if isinstance(found, str) else found


def spec_problem(text: str) -> str:
    """Give why a text is not a match spec, in one line; empty if it is one."""
    found = _parse(text)
    return found if isinstance(found, str) else ""


@lru_cache(maxsize=1 << 18)
def spec_name(text: str) -> str | None:
    """Give the name that a match spec asks for; `None` if it is not a spec of one name."""
    spec = parse_spec(text)
    return None if spec is None else spec.name.normalized


@lru_cache(maxsize=1 << 18)
def _parse(text: str) -> "MatchSpec | str":
    if len(text) > LONGEST or text.count("(") > DEEPEST:
        return "it is nested too deeply"
    from rattler import MatchSpec
    from rattler.exceptions import InvalidMatchSpecError

    try:
        return MatchSpec(text, strict=False)
    except (InvalidMatchSpecError, UnicodeEncodeError) as error:
        return " ".join(str(error).split())


@lru_cache(maxsize=1 << 18)
def read_record(key: Field) -> "PackageRecord | str":
    """Give rattler's record, for matching; a text says why it can not be one."""
    from rattler import BuildString, PackageRecord
    from rattler.exceptions import InvalidPackageNameError, InvalidVersionError

    try:
        return PackageRecord(key.name, key.version, BuildString(key.build), key.build_number, key.subdir)
    except (InvalidPackageNameError, InvalidVersionError, ValueError, OverflowError) as error:
        return str(error)


@lru_cache(maxsize=1 << 18)
def version_of(text: str) -> "Version | None":
    """Read a version; `None` if it is not one."""
    from rattler import Version
    from rattler.exceptions import InvalidVersionError

    try:
        return Version(text)
    except (InvalidVersionError, ValueError):
        return None


def forget() -> None:
    """Forget all that was read, for measurements."""
    for kept in (spec_name, _parse, read_record, version_of):
        kept.cache_clear()
