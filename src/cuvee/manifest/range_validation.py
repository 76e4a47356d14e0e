"""Validation of version ranges: that they are well formed, and that some version satisfies them.

rattler knows the grammar and the order of versions; the reasoning about emptiness is ours, and accepts a
strange range when in doubt. The grammar is that of https://conda.org/learn/ceps/cep-0029.

Import this module only when it is needed: rattler is heavy.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from rattler import Version, VersionSpec
from rattler.exceptions import InvalidVersionError, InvalidVersionSpecError

from cuvee.manifest.documents.schema_types import ParseError

_CLAUSE = re.compile(r"(==|!=|>=|<=|~=|=|>|<)?([0-9A-Za-z_.!+\-]+?)(\.?\*)?")
_WILD_X = re.compile(r"\.[xX](?=[,|]|$)")
_OPERATORS = {"=>": ">=", "=<": "<=", "===": "==", ">>": ">", "<<": "<", "<>": "!="}
_MAX_LENGTH = 200
_MAX_PAIRS = 64


class _Bound(NamedTuple):
    version: Version
    included: bool


@lru_cache(maxsize=4096)
def parse_range(text: str) -> str:
    """Return a conda version spec that was checked.

    Raises
    ------
    ParseError
        If it is not one, or if no version can satisfy it.
    """
    if text == "*":
        return text
    if len(text) > _MAX_LENGTH:
        raise ParseError(f"it is longer than {_MAX_LENGTH} characters")
    if _WILD_X.search(text):
        likely = _WILD_X.sub(".*", text)
        advice = f'did you mean "{likely}"?' if _is_spec(likely) else ""
        raise ParseError("x is not a wildcard", advice=advice)
    if not _is_spec(text):
        raise ParseError(_reason(text), advice=_repair(text))
    if is_empty(text):
        raise ParseError(message=f'no version can satisfy "{text}"', advice=_swap(text))
    return text


def is_empty(spec: str) -> bool:
    """Whether no version at all can satisfy a well-formed spec; `False` when in doubt."""
    if any(char in spec for char in "()"):
        return False
    return all(_is_empty_conjunction(part) for part in spec.split("|"))


def contradict(one: str, other: str) -> bool:
    """Whether no version satisfies both of two well-formed specs; `False` when in doubt."""
    pairs = (one.count("|") + 1) * (other.count("|") + 1)
    if any(char in one + other for char in "()") or pairs > _MAX_PAIRS:
        return False
    return all(
        _is_empty_conjunction(",".join(part for part in (left, right) if part != "*") or "*")
        for left in one.split("|")
        for right in other.split("|")
    )


def _is_spec(text: str) -> bool:
    if not re.search("[0-9]", text) or re.search(r"\s|[/^$]", text) or not text.isascii():
        return False
    try:
        VersionSpec(text)
    except InvalidVersionSpecError:
        return False
    return True


def _is_empty_conjunction(text: str) -> bool:
    if "," not in text:
        return False  # a single clause always leaves something
    lowers: list[_Bound] = []
    uppers: list[_Bound] = []
    exact = False
    for clause in text.split(","):
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            return False
        found = _bounds(match[1] or "", match[2], prefix=match[3] is not None)
        if found is None:
            return False
        lowers += found[0]
        uppers += found[1]
        exact = exact or (found[0] != [] and found[0] == found[1])
    if not exact and not any(_apart(low, high) for low in lowers for high in uppers):
        return False
    spec = VersionSpec(text)
    return not any(spec.matches(version) for version in _candidates(lowers + uppers))


def _bounds(operator: str, text: str, *, prefix: bool) -> tuple[list[_Bound], list[_Bound]] | None:
    """Return the lower and the upper bounds that a clause states; `None` when it is beyond this reasoning."""
    version = _version(text)
    if version is None:
        return None
    if operator == "!=":
        return [], []
    if operator in {">", ">="}:
        return [_Bound(version, operator == ">=")], []
    if operator in {"<", "<="}:
        return [], [_Bound(version, operator == "<=")]
    if operator == "==" or (operator == "" and not prefix):
        return [_Bound(version, included=True)], [_Bound(version, included=True)]
    if operator == "~=":
        stem = re.fullmatch(r"((?:\d+!)?\d+(?:\.\d+)*)\.\d+", text, flags=re.ASCII)
        above = _next(stem[1]) if stem else None
    else:
        above = _next(text)
    return None if above is None else ([_Bound(version, included=True)], [_Bound(above, included=False)])


def _next(prefix: str) -> Version | None:
    """Return the first version behind all that begin with ``prefix``: 3.11 gives 3.12."""
    match = re.fullmatch(r"((?:\d+!)?(?:\d+\.)*)(\d+)", prefix, flags=re.ASCII)
    return _version(f"{match[1]}{int(match[2]) + 1}") if match else None


def _apart(low: _Bound, high: _Bound) -> bool:
    return low.version > high.version or (
        low.version == high.version and not (low.included and high.included)
    )


def _candidates(bounds: list[_Bound]) -> list[Version]:
    """Return versions at each bound and around it: a range that holds any version holds one of these."""
    texts = {str(bound.version) for bound in bounds}
    found = [_version(text + end) for text in texts for end in ("", ".0.0.1", ".0a0", "a0", "dev0")]
    return [version for version in found if version is not None]


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersionError:
        return None


def _reason(text: str) -> str:
    if not text:
        return "it is empty"
    if re.search(r"\s", text):
        return "spaces do not belong in it"
    if not re.search("[0-9]", text):
        return "it has no number in it"
    return ""


def _repair(text: str) -> str:
    """Return advice with the range that was likely meant."""
    if not text.strip():
        return 'write "*" for any version'
    if match := re.fullmatch(r"\^\s*(\d+)((?:\.\d+)*)", text, flags=re.ASCII):
        return f'did you mean ">={match[1]}{match[2]},<{int(match[1]) + 1}"?'
    build = re.fullmatch(r"(\S+)\s+([A-Za-z0-9_.*+]*_[A-Za-z0-9_.*+]*)", text, flags=re.ASCII)
    if build and _is_spec(build[1]):
        return f'write {{version: "{build[1]}", build: "{build[2]}"}}'
    likely = re.sub(r"\s*([,|])\s*", r"\1", text.strip())
    likely = re.sub(r"([=<>!~])\s+", r"\1", likely)
    likely = re.sub(r"\s+(?=[=<>!~])", ",", likely)
    likely = re.sub(r"===|=>|=<|>>|<<|<>", lambda match: _OPERATORS[match[0]], likely)
    likely = re.sub(r"([<>]=?[\w.!+\-]*?)\.\*", r"\1", likely)
    likely = re.sub(r"^~(?=\d)", "~=", likely).strip(",|")
    return f'did you mean "{likely}"?' if likely != text and _is_spec(likely) else ""


def _swap(text: str) -> str:
    """Return advice to write ``>=2,<3`` for ``>=3,<2``."""
    match = re.fullmatch(r"(>=?)([^,|]+),(<=?)([^,|]+)", text)
    if match is None:
        return ""
    likely = f"{match[1]}{match[4]},{match[3]}{match[2]}"
    return f'did you mean "{likely}"?' if not is_empty(likely) else ""
