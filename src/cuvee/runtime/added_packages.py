"""Packages that somebody added to a prefix with conda or pip: which, and whether they still fit.

They are found by conda's records (`conda-meta`) and by installed wheels' metadata
(https://packaging.python.org/specifications/recording-installed-packages/). Whether one fits is said only
where its requirements and versions are simple.
"""

from __future__ import annotations

import json
import operator
import posixpath
import re
from typing import NamedTuple

from .payload_manifest import PayloadManifest
from .prefix_tree import PrefixTree

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_CLAUSE = re.compile(r"(>=|<=|==|!=|~=|>|<|=)?\s*(\d+(?:\.\d+)*)(\.\*|\*)?$")
_COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


class AddedPackage(NamedTuple):
    """A package that is not the release's; ``record`` is the file that describes it."""

    name: str
    version: str
    by: str
    record: str
    depends: list[str]


def added_packages(prefix: str, extra: list[str]) -> tuple[list[AddedPackage], set[str]]:
    """Return the packages among files that are not the release's, and the files that are theirs."""
    found: list[AddedPackage] = []
    owned: set[str] = set()
    for path in extra:
        folder, _, name = path.rpartition("/")
        try:
            if folder == "conda-meta" and name.endswith(".json"):
                package, files = _conda(prefix, path)
            elif name == "METADATA" and folder.endswith(".dist-info"):
                package, files = _wheel(prefix, path, folder)
            else:
                continue
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # a broken record owns nothing, so its files are listed one by one
        found.append(package)
        owned.update(files)
    return sorted(found), owned


def _conda(prefix: str, path: str) -> tuple[AddedPackage, list[str]]:
    record = json.loads(PrefixTree(prefix).read(path))
    depends = [str(spec) for spec in record.get("depends", ())]
    files = [str(file) for file in record["files"]]
    return AddedPackage(str(record["name"]), str(record["version"]), "conda", path, depends), files


def _wheel(prefix: str, path: str, folder: str) -> tuple[AddedPackage, list[str]]:
    head = _text(prefix, path).partition("\n\n")[0].splitlines()
    fields = [line.partition(": ")[::2] for line in head]
    values = dict(reversed(fields))
    depends = [value for key, value in fields if key == "Requires-Dist"]
    site = folder.rpartition("/")[0]
    record = _text(prefix, f"{folder}/RECORD")
    lines = [line.rsplit(",", 2)[0].strip('"') for line in record.splitlines()]
    files = [posixpath.normpath(posixpath.join(site, line)) for line in lines]
    return AddedPackage(values["Name"], values["Version"], "pip", path, depends), files


def _text(prefix: str, path: str) -> str:
    return PrefixTree(prefix).read(path).decode().replace("\r\n", "\n")


def misfits(added: list[AddedPackage], manifest: PayloadManifest) -> list[str]:
    """Return a line for each requirement of added packages that the release does not meet."""
    versions = {_plain(package.name): package.version for package in manifest.packages}
    own = {_plain(package.name) for package in added}
    folders = set(manifest.folders)
    lines = []
    for package in added:
        for need in package.depends:
            match = _NAME.match(need.strip())
            if match is None or ";" in need or match[0].startswith("__") or _plain(match[0]) in own:
                continue  # a condition or a virtual package: that cannot be evaluated here
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
    """Return whether a version meets a constraint of conda or pip; `None` if that is not simple enough."""
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
