"""What a package says of itself in ``info/``: the one reader of its ``index`` and ``link``.

Format: https://github.com/conda/ceps/blob/main/cep-0034.md
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cuvee.conda.package_archive import archive_errors, is_safe_path, members, read_info_files
from cuvee.conda.package_paths import PATH_LISTS, PathEntry, PathType, listed_paths, path_list
from cuvee.conda.printable_text import printable, text_or_none
from cuvee.errors import IntegrityError
from cuvee.files import parse_json

_LINK_SCRIPT = re.compile(r"^(bin|Scripts)/\.[^/]+-(pre-link|post-link|pre-unlink)\.(sh|bat)$")
"""Paths of scripts that conda runs when it links or unlinks a package:
https://docs.conda.io/projects/conda-build/en/stable/resources/link-scripts.html."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexJson:
    """What ``info/index.json`` says; `None` for what it does not say.

    Attributes
    ----------
    build_number
        -1 if the package states something that is not a number.
    timestamp
        Milliseconds since 1970 UTC.
    arch, platform, features, license_family, track_features
        Deprecated keys, which records of installed packages carry on.
    """

    name: str
    version: str
    build: str
    build_number: int = 0
    subdir: str | None = None
    noarch: Literal["python", "generic"] | None = None
    depends: tuple[str, ...] = ()
    constrains: tuple[str, ...] = ()
    license: str | None = None
    timestamp: int | None = None
    python_site_packages_path: str | None = None
    arch: str | None = None
    platform: str | None = None
    features: str | None = None
    license_family: str | None = None
    track_features: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageInfo:
    """The metadata of a package.

    Attributes
    ----------
    entry_points
        ``name = module:function`` lines of ``info/link.json``.
    paths
        Their paths are safe, and none is there twice.
    """

    archive: Path
    index: IndexJson
    entry_points: tuple[str, ...]
    paths: tuple[PathEntry, ...]


def read_info(archive: Path) -> PackageInfo:
    """Read the metadata of the package at ``archive`` (``.conda`` or ``.tar.bz2``).

    Raises
    ------
    IntegrityError
        If it cannot be read, or if its metadata breaks the format.
    """
    files = read_info_files(archive, ("index.json", "link.json", *PATH_LISTS))
    with archive_errors(archive):
        info = PackageInfo(
            archive=archive,
            index=parse_index(files["index.json"]),
            entry_points=parse_entry_points(files.get("link.json")),
            paths=listed_paths(files, {} if "paths.json" in files else _kinds(archive)),
        )
    for entry in info.paths:
        check_path(entry.path, archive)
    if len({entry.path for entry in info.paths}) != len(info.paths):
        raise IntegrityError(f"{archive.name} lists a path twice in info/{path_list(files)}")
    return info


def _kinds(archive: Path) -> dict[str, PathType]:
    """Return the paths of an archive that are links or folders."""
    kinds: dict[str, PathType] = {}
    for _, member in members(archive, "pkg"):
        if not member.isreg() and not member.islnk():
            kinds[member.name] = "directory" if member.isdir() else "softlink"
    return kinds


def read_index(archive: Path) -> IndexJson:
    """Read only the ``info/index.json`` of a package; for errors see `read_info`."""
    files = read_info_files(archive, ("index.json",))
    with archive_errors(archive):
        return parse_index(files["index.json"])


def is_link_script(path: str) -> bool:
    """Whether conda runs the file at ``path`` when it links or unlinks the package."""
    return _LINK_SCRIPT.match(path) is not None


def check_path(path: str, archive: Path) -> str:
    """Return ``path`` if it stays below the folder that it is relative to, on every platform.

    Raises
    ------
    IntegrityError
        For absolute paths, ``..``, drive letters, backslashes, and control characters.
    """
    if not is_safe_path(path):
        raise IntegrityError(
            f"{archive.name} holds a path that is not allowed: {path!r}",
            hint="The package is broken or hostile; take it from another source.",
        )
    return path


def parse_index(data: bytes) -> IndexJson:
    """Return what an ``index.json`` says; its texts are made printable.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError
        If it breaks the format; `archive_errors` turns them into one error that names the archive.
    """
    value = parse_json(data)
    number, timestamp, noarch = value.get("build_number", 0), value.get("timestamp"), value.get("noarch")
    return IndexJson(
        name=printable(str(value["name"])),
        version=printable(str(value["version"])),
        build=printable(str(value["build"])),
        build_number=number if isinstance(number, int) else -1,
        noarch="python" if noarch == "python" else "generic" if noarch else None,
        depends=tuple(map(printable, value.get("depends", ()))),
        constrains=tuple(map(printable, value.get("constrains", ()))),
        timestamp=timestamp if isinstance(timestamp, int) else None,
        track_features=features_of(value.get("track_features")),
        subdir=text_or_none(value.get("subdir")),
        license=text_or_none(value.get("license")),
        python_site_packages_path=text_or_none(value.get("python_site_packages_path")),
        arch=text_or_none(value.get("arch")),
        platform=text_or_none(value.get("platform")),
        features=text_or_none(value.get("features")),
        license_family=text_or_none(value.get("license_family")),
    )


def parse_entry_points(data: bytes | None) -> tuple[str, ...]:
    """Return the ``name = module:function`` lines of a ``link.json``, which few packages have.

    For errors see `parse_index`.
    """
    link = parse_json(data or b"{}")
    return tuple(map(printable, link.get("noarch", {}).get("entry_points", ())))


def parse_irregularities(data: bytes | None) -> tuple[str, ...]:
    """Return where the wheel that cuvee made a package from breaks its format, by its ``about.json``.

    Nothing else depends on this file, so that one that cannot be read says nothing.
    """
    try:
        lines = parse_json(data or b"{}")["cuvee"]["irregularities"]
    except (ValueError, KeyError, TypeError, IndexError):
        return ()
    return tuple(map(printable, map(str, lines))) if isinstance(lines, list) else ()


def features_of(value: object) -> tuple[str, ...]:
    """Return the names in a ``track_features``, which is a text or a list."""
    if isinstance(value, str):
        return tuple(value.replace(",", " ").split())
    return tuple(map(str, value)) if isinstance(value, list) else ()
