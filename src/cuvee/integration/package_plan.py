"""What the smoke suite tests of a package, from the metadata in its archive."""

import re
from collections.abc import Mapping
from pathlib import Path

from packaging.utils import canonicalize_name

from cuvee.conda.package_archive import archive_errors, read_info_files
from cuvee.conda.package_info import parse_entry_points
from cuvee.conda.package_paths import PATH_LISTS, listed_paths, path_list
from cuvee.integration.model import PackagePlan
from cuvee.integration.own_tests import read_own_tests

_WANTED = {
    "tests/tests.yaml",  # rattler-build, and cuvee
    "recipe/meta.yaml",  # conda-build, rendered
    "link.json",
    *PATH_LISTS,
}
# https://packaging.python.org/en/latest/specifications/recording-installed-packages/
_DIST_INFO = re.compile(r"(?:^|/)site-packages/([^/]+?)-[^-/]+\.dist-info/METADATA$")
_PROGRAM = re.compile(r"(?:bin/([^/]+)|(?:python-scripts|Scripts)/([^/]+?)(?:\.exe)?)")
_NO_COMMANDS = ("-script.py", ".bat", ".cmd", ".ps1", ".dll", ".exe.manifest")


def read_package_plan(name: str, version: str, archive: Path) -> PackagePlan:
    """Return what the smoke suite tests of a package.

    Parameters
    ----------
    archive
        A ``.conda`` or ``.tar.bz2`` file whose hash was verified before.

    Raises
    ------
    IntegrityError
        If the archive or its metadata cannot be read.
    """
    files = read_info_files(archive, _WANTED)
    with archive_errors(archive):
        return package_plan(name, version, files)


def package_plan(name: str, version: str, files: Mapping[str, bytes]) -> PackagePlan:
    """Return the plan that follows from a package's files below ``info/``, named relative to it."""
    paths = [entry.path for entry in listed_paths(files, {})] if path_list(files) else []
    names = {canonicalize_name(match[1]) for path in paths if (match := _DIST_INFO.search(path))}
    commands: set[str] = set()
    if names:  # only programs of Python packages are expected to know --help
        entry_points = parse_entry_points(files.get("link.json"))
        names_of_points = (line.partition("=")[0].strip() for line in entry_points)
        commands.update(name for name in names_of_points if not name.startswith("."))
        for path in paths:
            match = _PROGRAM.fullmatch(path)
            program = match and (match[1] or match[2])
            # No hidden file is a command; those are scripts that conda runs when it links a package.
            if program and not program.startswith(".") and not program.endswith(_NO_COMMANDS):
                commands.add(program)
    tests = read_own_tests(files)
    return PackagePlan(
        name=name,
        version=version,
        imports=tests.imports,
        commands=tuple(sorted(commands)),
        distributions=tuple(sorted(names)),
        usages={command: tests.usages[command] for command in sorted(commands & tests.usages.keys())},
        test_needs=tests.needs,
    )
