"""The link plan of a package: the files that it puts into a prefix, as rattler would link them.

The package format is https://conda.org/learn/ceps/cep-0034. A differential test compares the plan with a
prefix that py-rattler has linked.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import chain, pairwise
from pathlib import Path

from cuvee.conda.link_targets import OUTSIDE, by_key, link_end
from cuvee.conda.package_info import PackageInfo, check_path
from cuvee.conda.package_paths import PathEntry
from cuvee.conda.reserved_paths import reserved_for
from cuvee.errors import BlockedError, IntegrityError
from cuvee.files import sha256_bytes
from cuvee.image.model import FileKind, PlannedFile
from cuvee.image.python_paths import PythonPaths
from cuvee.platforms import Platform, System

ENTRY_POINT_PLACEHOLDER = "/opt/cuvee_entry_point_prefix"
"""The prefix placeholder in the entry points that linking makes."""

_ENTRY_POINT = re.compile(
    r"^\s*([\w.+\-](?:[\w.+\- ]*[\w.+\-])?)\s*=\s*([\w.]+)\s*:\s*([\w.]+)\s*(?:\[.*\])?\s*$"
)

# The text that conda and rattler write: entry points are the same whichever client made the prefix.
# https://github.com/conda/conda/blob/main/conda/gateways/disk/create.py
_ENTRY_POINT_TEXT = """{shebang}
# -*- coding: utf-8 -*-
import re
import sys

from {module} import {imported}

if __name__ == '__main__':
\tsys.argv[0] = re.sub(r'(-script\\.pyw?|\\.exe)?$', '', sys.argv[0])
\tsys.exit({function}())
"""


def plan_package(
    info: PackageInfo, python: PythonPaths, *, launcher: bytes | None
) -> tuple[PlannedFile, ...]:
    """Return the files that a package puts into a prefix, sorted by path.

    Parameters
    ----------
    launcher
        The program that starts entry points; needed only on Windows.

    Raises
    ------
    IntegrityError
        If an entry point is malformed, or two of the package's files would go to one path.
    """
    is_noarch_python = info.index.noarch == "python"
    files = [
        _plan_entry(entry, python.target(entry.path) if is_noarch_python else entry.path, python)
        for entry in info.paths
    ]
    if is_noarch_python:
        for line in info.entry_points:
            files += _plan_entry_point(line, python, info.archive, launcher)
    files.sort(key=lambda file: file.path)
    for first, second in pairwise(files):
        if first.path == second.path:
            raise IntegrityError(f"{info.archive.name} puts two files at {first.path}")
    return tuple(files)


def refuse_reserved(
    package: str, files: Iterable[PlannedFile], *, distribution: str, platform: Platform
) -> None:
    """Raise `BlockedError` if a package has a path that belongs to the installer, or to Python."""
    for file in files:
        owner = reserved_for(file.path, package, distribution=distribution, platform=platform)
        if owner is not None and file.kind is not FileKind.DIRECTORY:
            raise BlockedError(
                f"{package} has {file.path}, which only {owner} may have",
                hint="Such files run in the installer, often as root. Leave the package out.",
            )


def refuse_escapes(links: Mapping[str, Mapping[str, str]], system: System) -> None:
    """Raise `IntegrityError` if a link leaves the prefix through others, also those of other packages.

    ``links`` are the targets of each package's links, by the package's name and the link's path.
    """
    known = by_key(chain.from_iterable(of_package.items() for of_package in links.values()), system)
    for package, of_package in links.items():
        for path, target in of_package.items():
            if link_end(path, known, system) == OUTSIDE:
                raise IntegrityError(
                    f"{package} links {path} out of the prefix, through other links, to {target!r}",
                    hint="The package is broken or hostile; take it from another source.",
                )


def _plan_entry(entry: PathEntry, target: str, python: PythonPaths) -> PlannedFile:
    if entry.path_type == "directory":
        kind = FileKind.DIRECTORY
    elif entry.path_type == "softlink":
        kind = FileKind.LINK
    elif entry.placeholder is None:
        kind = FileKind.PLAIN
    elif entry.file_mode == "text":
        kind = FileKind.TEXT
    else:
        # As in conda, binary files are not relocated on Windows, where programs find their files by
        # relative paths.
        kind = FileKind.PLAIN if python.platform.is_windows else FileKind.BINARY
    return PlannedFile(
        path=target,
        source=entry.path,
        kind=kind,
        path_type=entry.path_type,
        sha256=entry.sha256,
        size=entry.size,
        placeholder=entry.placeholder,
        file_mode=entry.file_mode,
        no_link=entry.no_link,
    )


def _plan_entry_point(
    line: str, python: PythonPaths, archive: Path, launcher: bytes | None
) -> list[PlannedFile]:
    match = _ENTRY_POINT.match(line)
    if match is None:
        raise IntegrityError(f"{archive.name} has a malformed entry point: {line!r}")
    name, module, function = match.groups()
    path = check_path(f"{python.scripts}/{name}", archive)
    windows = python.platform.is_windows
    shebang = "" if windows else f"#!{ENTRY_POINT_PLACEHOLDER}/{python.interpreter}"
    text = _ENTRY_POINT_TEXT.format(
        shebang=shebang, module=module, imported=function.partition(".")[0], function=function
    ).encode()
    made = [(path, text, "unix_python_entry_point")]
    if windows:
        if launcher is None:
            raise IntegrityError(f"{archive.name} has entry points, but there is no launcher for Windows")
        made = [
            (f"{path}-script.py", text, "windows_python_entry_point_script"),
            (f"{path}.exe", launcher, "windows_python_entry_point_exe"),
        ]
    return [
        PlannedFile(
            path=target,
            source=None,
            kind=FileKind.PLAIN if windows else FileKind.TEXT,
            path_type=path_type,
            sha256=sha256_bytes(content),
            size=len(content),
            placeholder=None if windows else ENTRY_POINT_PLACEHOLDER,
            content=content,
        )
        for target, content, path_type in made
    ]
