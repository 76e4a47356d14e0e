"""Packages that somebody added to a prefix with conda or pip, read from what these leave there."""

# Stage 0 has no pathlib.
# ruff: noqa: PTH123

from __future__ import annotations

import json
import posixpath
from typing import NamedTuple


class Added(NamedTuple):
    """A package that is not the release's; ``record`` is the file that tells of it."""

    name: str
    version: str
    by: str
    record: str
    depends: list[str]


def added_packages(prefix: str, extra: list[str]) -> tuple[list[Added], set[str]]:
    """Find packages among the files that are not the release's; give them, and the files that are theirs."""
    found: list[Added] = []
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
            continue  # a broken record owns nothing, so its files are told one by one
        found.append(package)
        owned.update(files)
    return sorted(found), owned


def _conda(prefix: str, path: str) -> tuple[Added, list[str]]:
    with open(f"{prefix}/{path}", encoding="utf-8") as stream:
        record = json.load(stream)
    depends = [str(spec) for spec in record.get("depends", ())]
    return Added(str(record["name"]), str(record["version"]), "conda", path, depends), record["files"]


def _wheel(prefix: str, path: str, folder: str) -> tuple[Added, list[str]]:
    with open(f"{prefix}/{path}", encoding="utf-8") as stream:
        head = stream.read().partition("\n\n")[0].splitlines()
    fields = [line.partition(": ")[::2] for line in head]
    values = dict(reversed(fields))
    depends = [value for key, value in fields if key == "Requires-Dist"]
    site = folder.rpartition("/")[0]
    with open(f"{prefix}/{folder}/RECORD", encoding="utf-8") as stream:
        lines = [line.rsplit(",", 2)[0].strip('"') for line in stream.read().splitlines()]
    files = [posixpath.normpath(posixpath.join(site, line)) for line in lines]
    return Added(values["Name"], values["Version"], "pip", path, depends), files
