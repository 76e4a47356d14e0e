"""Reading requirements and version specifiers that older wheels have and the specification does not allow.

What is repaired, and how it is read, is what uv repairs, since it resolves what is imported here:
https://github.com/astral-sh/uv/blob/main/crates/uv-pypi-types/src/lenient_requirement.rs
"""

import re
from collections.abc import Callable
from typing import TypeVar

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

T = TypeVar("T", Requirement, SpecifierSet)

_HEAD = re.compile(r"\s*([A-Za-z0-9][\w.-]*)\s*(\[[^\]]*\])?\s*")
_CLAUSE = re.compile(r"(!=~|===|[~=!<>]=|[<>])\s*([\w.!+*-]+)")
_PRE_RELEASE_WITH_ZERO = re.compile(r"(.*\d(?:a|b|rc|post|dev)\d+)\.0")


def lenient_requirement(text: str) -> tuple[Requirement, bool]:
    """Return a requirement, and whether it had to be repaired; raises `InvalidRequirement`."""
    return _repaired(text, Requirement, InvalidRequirement, _requirement)


def lenient_specifiers(text: str) -> tuple[SpecifierSet, bool]:
    """Return version specifiers, and whether they had to be repaired; raises `InvalidSpecifier`."""
    return _repaired(text, SpecifierSet, InvalidSpecifier, _specifiers)


def _repaired(
    text: str, parse: Callable[[str], T], error: type[ValueError], repair: Callable[[str], str]
) -> tuple[T, bool]:
    try:
        return parse(text), False
    except error as original:
        try:
            return parse(repair(text)), True
        except error:
            raise original from None


def _requirement(text: str) -> str:
    stated, semicolon, marker = text.partition(";")
    stated = _without_quotes(stated)
    head = _HEAD.match(stated)
    if head is None:
        return text
    specifiers = stated[head.end() :].strip()
    if specifiers.startswith("(") and specifiers.endswith(")"):
        specifiers = specifiers[1:-1]
    return f"{head[1]}{head[2] or ''} {_specifiers(specifiers)}{semicolon}{marker}"


def _specifiers(text: str) -> str:
    """Return specifiers with commas between them, each as PEP 440 has it; what is no specifier stays."""
    text = _without_quotes(text)
    between = _CLAUSE.sub("", text)
    if between.strip(", "):
        return text
    return ",".join(_clause(match[1], match[2]) for match in _CLAUSE.finditer(text))


def _clause(operator: str, version: str) -> str:
    if operator == "!=~":  # !=~5.0
        return f"!={version}.*"
    if version == "dev":
        return f"{operator}0.0.0dev"
    if operator in {"<", "<=", ">", ">="}:  # >=3.6.*
        version = re.sub(r"\.?\*", "", version)
    else:  # !=3.0*
        version = re.sub(r"(?<=\d)\*$", ".*", version)
    if match := _PRE_RELEASE_WITH_ZERO.fullmatch(version):  # >=9.0.0a1.0
        version = match[1]
    return f"{operator}{version}"


def _without_quotes(text: str) -> str:
    return re.sub(r"['\"]", "", text)
