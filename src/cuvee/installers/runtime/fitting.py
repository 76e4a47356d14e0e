"""Whether a package that the user added still fits: as far as its record, and simple versions, tell."""

from __future__ import annotations

import operator
import re

from .added import Added
from .manifest import Manifest

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_CLAUSE = re.compile(r"(>=|<=|==|!=|~=|>|<|=)?\s*(\d+(?:\.\d+)*)(\.\*|\*)?$")
_COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


def misfits(added: list[Added], manifest: Manifest) -> list[str]:
    """Say of each package that was added what it needs and the release does not have."""
    versions = {_plain(package.name): package.version for package in manifest.packages}
    own = {_plain(package.name) for package in added}
    folders = set(manifest.folders)
    lines = []
    for package in added:
        for need in package.depends:
            match = _NAME.match(need.strip())
            if match is None or ";" in need or match[0].startswith("__") or _plain(match[0]) in own:
                continue  # a condition, or something that this computer has: that can't be told here
            name = _plain(match[0])
            if name not in versions:
                lines.append(
                    f"{package.name} {package.version} needs {need}, which the release does not have"
                )
            elif allows(need.strip()[match.end() :], versions[name]) is False:
                lines.append(
                    f"{package.name} {package.version} needs {need}, but this is {name} {versions[name]}"
                )
        site = package.record.rpartition("/")[0].rpartition("/")[0]
        if package.by == "pip" and site not in folders:
            lines.append(f"{package.name} {package.version} is in {site}, where this Python does not look")
    return lines


def allows(constraint: str, version: str) -> bool | None:
    """Whether a version meets a constraint of conda or pip; `None` if that is not simple enough to say."""
    text = re.sub(r"\[[^]]*\]", "", constraint).strip().strip("()").strip()
    clauses = text.split(" ")[0] if re.match(r"[\d=]\S* \S+$", text) else text.replace(" ", "")
    number = _number(version)
    if number is None or "|" in clauses:
        return None
    for clause in clauses.split(",") if clauses not in {"", "*"} else ():
        match = _CLAUSE.match(clause)
        if match is None or match[1] == "~=":
            return None
        if not _meets(match[1] or "", _number(match[2]) or (), bool(match[3]), number):
            return False
    return True


def _meets(sign: str, wanted: tuple[int, ...], starred: bool, number: tuple[int, ...]) -> bool:
    width = max(len(wanted), len(number))
    padded = [part + (0,) * (width - len(part)) for part in (number, wanted)]
    if sign in _COMPARE:
        return bool(_COMPARE[sign](*padded))
    same = number[: len(wanted)] == wanted if starred or sign == "=" else padded[0] == padded[1]
    return not same if sign == "!=" else same


def _number(version: str) -> tuple[int, ...] | None:
    parts = version.partition("+")[0].split(".")
    return tuple(map(int, parts)) if all(map(str.isdigit, parts)) else None


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
