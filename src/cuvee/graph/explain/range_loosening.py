"""Versions as people speak of them, and ranges that are changed as little as possible to let one in."""

import re
from collections.abc import Sequence

from cuvee.conda.match_spec import read_version

_CLAUSE = re.compile(r"(==|!=|>=|<=|~=|=|>|<)?([0-9A-Za-z_.!+\-]+?)(\.?\*)?")


def span(versions: Sequence[str]) -> str:
    """Give ``1.0`` or ``1.0 to 2.3`` for versions in any order."""
    known = sorted(
        {text: value for text in versions if (value := read_version(text)) is not None}.items(),
        key=lambda item: item[1],
    )
    if not known:
        return ""
    first, last = known[0][0], known[-1][0]
    return first if first == last else f"{first} to {last}"


def by_distance(spec_matches: Sequence[bool], wanted: int) -> list[int]:
    """Order places by how far they are from what matches, or from ``wanted`` if nothing does.

    Parameters
    ----------
    spec_matches
        For each version, ascending, whether the range has it.
    wanted
        Where the range's number would stand.

    Returns
    -------
    list of int
        Places, the nearest first; of two as near, the newer.
    """
    inside = [place for place, matches in enumerate(spec_matches) if matches] or [wanted]
    low, high = inside[0], inside[-1]

    def distance(place: int) -> int:
        return 0 if low <= place <= high else min(abs(place - low), abs(place - high))

    return sorted(range(len(spec_matches)), key=lambda place: (distance(place), -place))


def loosened(spec: str, version: str) -> str:
    """Change a version range as little as possible, so that it has ``version``; its style stays."""
    if "|" in spec or "(" in spec:
        return f"{spec}|=={version}"
    clauses = [_clause(text.strip(), version) for text in spec.split(",")]
    return ",".join(dict.fromkeys(text for text in clauses if text)) or "*"


def _clause(text: str, version: str) -> str:
    from rattler import Version, VersionSpec
    from rattler.exceptions import InvalidVersionError, InvalidVersionSpecError

    match = _CLAUSE.fullmatch(text)
    try:
        if match is None or VersionSpec(text).matches(Version(version)):
            return text
    except (InvalidVersionError, InvalidVersionSpecError):
        return f"=={version}"
    operator, number, star = match[1] or "", match[2], match[3]
    segments = number.count(".") + 1
    if star or operator == "=":
        return f"{operator}{_prefix(version, segments)}{star or ''}"
    changed = {
        "!=": "",
        ">": f">={version}",
        "<": f"<{_behind(version, segments)}",
        "~=": f"~={_prefix(version, segments)}",
    }
    return changed.get(operator, f"{operator}{version}")


def _prefix(version: str, segments: int) -> str:
    return ".".join(version.split(".")[:segments])


def _behind(version: str, segments: int) -> str:
    """Give the first number of so many segments that is behind ``version``: 3.2 for 3.1.4 and two."""
    parts = re.findall(r"\d+", version)[: max(1, segments)]
    epoch = re.match(r"\d+!", version)
    if epoch or not parts:
        return f"{version}.0.0.1"
    return ".".join([*parts[:-1], str(int(parts[-1]) + 1)])
