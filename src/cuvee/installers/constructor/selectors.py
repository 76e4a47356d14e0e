"""The selectors of ``construct.yaml``: a line with ``# [linux]`` at its end is only for some platforms.

Constructor evaluates the brackets as Python. Here they are parsed, and only names, ``not``, ``and``, ``or``
and truth values are allowed.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cuvee.errors import UsageError

_BRACKETS = re.compile(r"\[([^\[\]]+)\]")
_LINUX_MACHINES = ("linux32", "linux64", "armv7l", "aarch64", "ppc64le", "s390x")
_DEEPEST = 20


class _UnknownError(Exception):
    """A selector is not allowed."""


def names(platform: str) -> Mapping[str, bool]:
    """Return the value of each name on a platform, as constructor 3.16 defines them."""
    system, _, machine = platform.partition("-")
    found = {name: system == "linux" and machine == name.removeprefix("linux") for name in _LINUX_MACHINES}
    return found | {
        "linux": system == "linux",
        "osx": system == "osx",
        "win": system == "win",
        "unix": system in {"linux", "osx"},
        "arm64": platform == "osx-arm64",
        "x86": machine in {"32", "64"},
        "x86_64": machine == "64",
        "win32": platform == "win-32",
        "win64": platform == "win-64",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Selector:
    """A line without its selector, the selector's condition, and whether it is in a comment."""

    line: str
    condition: str
    in_comment: bool


def select(text: str, platform: str, *, source: Path) -> str:
    """Return the lines for a platform, without selectors and, as in constructor, without comment lines.

    Raises
    ------
    UsageError
        As `numbered`.
    """
    return numbered(text, platform, source=source)[0]


def numbered(text: str, platform: str, *, source: Path) -> tuple[str, tuple[int, ...]]:
    """Return what `select` does, and the number that each of its lines has in ``text``.

    Raises
    ------
    UsageError
        If a selector is not allowed; the message has the line of ``source``.
    """
    known = names(platform)
    kept: list[tuple[str, int]] = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.rstrip()
        if line.lstrip().startswith("#"):
            continue
        selector = _find(line)
        if selector is None:
            kept.append((line, number))
            continue
        try:
            holds = _holds(selector.condition, known)
        except _UnknownError as error:
            raise _wrong(f"{source}:{number}", line, selector, str(error)) from error
        if holds:
            # A comment that ends with a quote is part of a text, which needs its closing quote.
            kept.append((selector.line + (line[-1] if line[-1] in "'\"" else ""), number))
    return "\n".join(line for line, _ in kept) + "\n", tuple(number for _, number in kept)


def _find(line: str) -> _Selector | None:
    """Return the selector of a line: the last brackets in a comment, or those that end the line.

    As in constructor, these include a list that ends a line, and brackets in a text behind a ``#``.
    """
    comment = line.find("#", 1)
    if comment > 0:
        found = list(_BRACKETS.finditer(line, comment + 1))
        if found and not set("()") & set(line[found[-1].end() :]):
            return _Selector(line=line[:comment].rstrip(), condition=found[-1][1], in_comment=True)
    match = _BRACKETS.fullmatch(line, max(line.rfind("["), 0))
    if match is None or match.start() == 0:
        return None
    return _Selector(line=line[: match.start()].rstrip(), condition=match[1], in_comment=False)


def _wrong(location: str, line: str, selector: _Selector, reason: str) -> UsageError:
    hint = f"A selector may have {', '.join(sorted(names('linux-64')))}, not, and, or."
    if not selector.in_comment:
        hint = "Brackets at the end of a line are a selector: write such a list over several lines."
    return UsageError(
        f"{location}: [{selector.condition}] is not a selector: {reason}\n  {line.strip()}", hint=hint
    )


def _holds(condition: str, known: Mapping[str, bool]) -> bool:
    try:
        tree = ast.parse(condition.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise _UnknownError("it is not an expression") from None
    return _value(tree.body, known, 0)


def _value(node: ast.expr, known: Mapping[str, bool], depth: int) -> bool:
    if depth > _DEEPEST:
        raise _UnknownError("it is nested too deep")
    match node:
        case ast.Name(id=name) if name in known:
            return known[name]
        case ast.Name(id=name):
            raise _UnknownError(f"there is no {name}")
        case ast.Constant(value=bool() as value):
            return value
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand, known, depth + 1)
        case ast.BoolOp(op=operator, values=values):
            found = [_value(value, known, depth + 1) for value in values]
            return all(found) if isinstance(operator, ast.And) else any(found)
        case _:
            raise _UnknownError("it has more than names, not, and, or")
