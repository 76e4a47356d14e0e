"""Readers of lists of one environment's packages: URLs, and the output of `conda list`."""

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from cuvee.conda.explicit_list import EXPLICIT, parse_explicit_line
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.url_secrets import without_secrets
from cuvee.graph.diff.readers.pip_lines import read_pip_line
from cuvee.graph.diff.snapshot import Snapshot, lock_of, of_index, package, platform_of, unreadable

_FILE = re.compile(r"(?P<name>[^/]+)-(?P<version>[^-/]+)-(?P<build>[^-/]+?)\.(?:conda|tar\.bz2)")
_PLATFORM = re.compile(r"^#\s*platform:\s*([a-z0-9]+-[a-z0-9]+)\s*$", re.MULTILINE)
_EXPORTED = re.compile(r"(?P<name>[^=\s]+)=(?P<version>[^=\s]+)(?:=(?P<build>[^=\s]+))?")
_PIP_BUILDS = {"<pip>", "pypi_0", "pypi"}
_HEADER = {"name", "version"}


def archive(path: Path, line: int | None, url: str, platform: str, **known: object) -> LockedPackage:
    """Return a record of an archive's URL, which may lack a scheme.

    Raises
    ------
    SourceUnreachableError
        If its file name is not that of a conda package.
    """
    folder, _, file = url.rpartition("/")
    match = _FILE.fullmatch(unquote(file))  # `!` and `+` may be written as `%21` and `%2B`: RFC 3986, 2.4
    if match is None:
        raise unreadable(path, line, f"{without_secrets(url)[:200]!r} is not the address of a conda package")
    channel, _, subdir = without_secrets(folder).rpartition("/")
    known = {"url": without_secrets(url), "channel": channel, "subdir": subdir} | known
    name, version, build = match["name"], match["version"], match["build"]
    return package(path, line, name=name, version=version, build=build, platform=platform, **known)


def read_explicit(path: Path, text: str) -> Snapshot:
    """Read a list of URLs with or without hashes: the output of `conda list --explicit`.

    conda-lock and micromamba state projects of the Python index as comments: ``# pip name @ URL``.
    """
    found, notes = [], []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line.startswith("# pip "):
            required = read_pip_line(path, number, line.removeprefix("# pip "))
            if isinstance(required, str):
                notes.append(required)
            else:
                found.append(required.package)
            continue
        if not line or line.startswith("#") or line == EXPLICIT:
            continue
        try:
            item = parse_explicit_line(line)
        except ValueError as error:
            raise unreadable(path, number, str(error)) from None
        found.append(archive(path, number, item.url, "", md5=item.md5 or None, sha256=item.sha256))
    stated = _PLATFORM.search(text)
    platform = stated[1] if stated else platform_of({item.subdir for item in found})
    snapshot = _one_platform(path, found, platform, kind="explicit list", knows=("channel", "subdir"))
    return replace(snapshot, notes=tuple(notes))


def read_listing(path: Path, text: str) -> Snapshot:
    """Read the output of `conda list`, `micromamba list` or `conda list --export`."""
    found = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        words = line.split()
        is_rule = bool(words) and not any(character.isalnum() for character in line)
        if not words or line.startswith("#") or is_rule or {word.lower() for word in words[:2]} == _HEADER:
            continue
        if words[0] in {"List", "Listing"} and "packages" in words:
            continue
        found.append(_row(path, number, line, words))
    if not found:
        raise unreadable(path, None, "it lists no package")
    stated = _PLATFORM.search(text)
    return _one_platform(path, found, stated[1] if stated else "", kind="listing", knows=())


def _row(path: Path, number: int, line: str, words: list[str]) -> LockedPackage:
    exported = _EXPORTED.fullmatch(line)
    if exported is not None:
        name, version, build = exported["name"], exported["version"], exported["build"] or ""
        return _installed(path, number, name, version, build, channel="")
    if len(words) not in {2, 3, 4}:
        raise unreadable(path, number, f"{line[:80]!r} is not a package with its version, build and channel")
    name, version, build, channel = (*words, "", "")[:4]
    return _installed(path, number, name, version, build, channel=channel)


def _installed(
    path: Path, number: int | None, name: str, version: str, build: str, **known: object
) -> LockedPackage:
    if build in _PIP_BUILDS or known.get("channel") == "pypi":
        return package(path, number, name=of_index(name), version=version, platform="", channel="pypi")
    return package(path, number, name=name, version=version, build=build, platform="", **known)


def read_json_listing(path: Path, text: str) -> Snapshot:
    """Read the output of `conda list --json`."""
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        raise unreadable(path, error.lineno, f"it is not JSON: {error.msg}") from None
    except RecursionError:
        raise unreadable(path, None, "it is not readable JSON: it is nested too deeply") from None
    if not isinstance(rows, list):
        raise unreadable(path, 1, "it is not a list, the output of `conda list --json`")
    found, subdirs = [], set()
    for number, row in enumerate(rows, start=1):
        values = row if isinstance(row, dict) else {}
        name, version = values.get("name"), values.get("version")
        if not isinstance(name, str) or not isinstance(version, str):
            raise unreadable(path, None, f"item {number} has no name and version")
        build, channel = str(values.get("build_string", "")), str(values.get("channel", ""))
        subdir = str(values.get("platform", ""))
        subdirs.add(subdir if channel != "pypi" else "")
        found.append(_installed(path, None, name, version, build, channel=channel, subdir=subdir))
    return _one_platform(path, found, platform_of(subdirs), kind="listing", knows=())


def _one_platform(
    path: Path, found: list[LockedPackage], platform: str, *, kind: str, knows: tuple[str, ...]
) -> Snapshot:
    packages = [replace(item, platform=platform) for item in found]
    return Snapshot(title="", kind=kind, lock=lock_of(path, packages), knows=knows)
