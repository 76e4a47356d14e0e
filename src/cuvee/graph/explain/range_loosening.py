"""Version ranges that are changed as little as possible to allow a version, and spans of versions in text."""

import re
from collections.abc import Sequence

from cuvee.conda.match_spec import read_version

_CLAUSE = re.compile(r"(==|!=|>=|<=|~=|=|>|<)?([0-9A-Za-z_.!+\-]+?)(\.?\*)?")


def span(versions: Sequence[str]) -> str:
    """Return ``1.0`` or ``1.0 to 2.3`` for versions in any order."""
    known = sorted(
        {text: value for text in versions if (value := read_version(text)) is not None}.items(),
        key=lambda item: item[1],
    )
    if not known:
        return ""
    first, last = known[0][0], known[-1][0]
    return first if first == last else f"{first} to {last}"


def by_distance(spec_matches: Sequence[bool], target: int) -> list[int]:
    """Return indexes by their distance from what matches, or from ``target`` if nothing does.

    Parameters
    ----------
    spec_matches
        For each version, ascending, whether the range has it.
    target
        The index at which the range's number would be.

    Returns
    -------
    list of int
        The nearest first; of two at the same distance, the newer.
    """
    inside = [index for index, matches in enumerate(spec_matches) if matches] or [target]
    low, high = inside[0], inside[-1]

    def distance(index: int) -> int:
        return 0 if low <= index <= high else min(abs(index - low), abs(index - high))

    return sorted(range(len(spec_matches)), key=lambda index: (distance(index), -index))


def loosened(spec: str, version: str) -> str:
    """Return a version range with as few changes as possible that has ``version``, in the same style."""
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
        "<": f"<{_above(version, segments)}",
        "~=": f"~={_prefix(version, segments)}",
    }
    return changed.get(operator, f"{operator}{version}")


def _prefix(version: str, segments: int) -> str:
    return ".".join(version.split(".")[:segments])


def _above(version: str, segments: int) -> str:
    """Return the lowest number of so many segments above ``version``: 3.2 for 3.1.4 and two."""
    parts = re.findall(r"\d+", version)[: max(1, segments)]
    epoch = re.match(r"\d+!", version)
    if epoch or not parts:
        return f"{version}.0.0.1"
    return ".".join([*parts[:-1], str(int(parts[-1]) + 1)])
