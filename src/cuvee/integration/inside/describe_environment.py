"""Describe the installed release, its interpreter and its distributions, as JSON on stdout.

cuvee judges it, because the release may not have `packaging`.
"""

from __future__ import annotations  # for releases with an old Python

import csv
import json
import os
import platform
import re
import sys
from importlib import metadata
from pathlib import Path

_OURS_TO_IGNORE = re.compile(
    r"(\.pyc$|__pycache__|^[^/]+\.data/)"
)  # byte code; what a wheel's installer moved


def describe() -> dict[str, object]:
    version = sys.implementation.version
    return {
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "path": sys.path,
        "markers": {
            "implementation_name": sys.implementation.name,
            "implementation_version": f"{version.major}.{version.minor}.{version.micro}",
            "os_name": os.name,
            "platform_machine": platform.machine(),
            "platform_python_implementation": platform.python_implementation(),
            "platform_release": platform.release(),
            "platform_system": platform.system(),
            "platform_version": platform.version(),
            "python_full_version": platform.python_version(),
            "python_version": ".".join(platform.python_version_tuple()[:2]),
            "sys_platform": sys.platform,
        },
        "distributions": [_distribution(found) for found in metadata.distributions()],
    }


def _distribution(found: metadata.Distribution) -> dict[str, object]:
    return {
        "name": found.metadata["Name"],
        "version": found.version or "",  # None when its METADATA is damaged
        "requires": list(found.requires or ()),
        "missing": _missing(found),
        "scripts": _scripts(found),
    }


def _scripts(found: metadata.Distribution) -> dict[str, list[str]]:
    """Return the commands of a distribution, each with the extras without which it need not work.

    See https://packaging.python.org/en/latest/specifications/entry-points/#data-model.
    """
    try:
        points = [point for point in found.entry_points if point.group in ("console_scripts", "gui_scripts")]
        return {point.name: list(point.extras) for point in points}
    except (ValueError, AttributeError):
        return {}  # a file that is not of this form


def _missing(found: metadata.Distribution) -> list[str] | None:
    """Return the files of RECORD that do not exist; `None` when there is no RECORD.

    See https://packaging.python.org/en/latest/specifications/recording-installed-packages/.
    """
    text = found.read_text("RECORD")
    if text is None:
        return None
    names = (row[0] for row in csv.reader(text.splitlines()) if row)
    return [
        name
        for name in names
        if not _OURS_TO_IGNORE.search(name)
        and not _is_of_another_machine(found, name)
        and not Path(str(found.locate_file(name))).exists()
    ]


def _is_of_another_machine(found: metadata.Distribution, name: str) -> bool:
    """Whether RECORD says where a file was when the package was built, and not where it is installed.

    In a noarch package these are programs, and what is outside of the prefix: ``site-packages`` is one folder
    deeper on Unix, and programs are in ``bin`` or ``Scripts``.
    """
    if not name.startswith("../"):
        return False
    path = Path(os.path.normpath(str(found.locate_file(name))))
    return Path(sys.prefix) not in path.parents or path.parent.name in ("bin", "Scripts")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(describe()))  # ASCII, whatever the system speaks
