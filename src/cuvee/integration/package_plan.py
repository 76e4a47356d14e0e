"""What the smoke suite tests of a package, from the metadata in its archive."""

import re
from collections.abc import Mapping
from pathlib import Path

import yaml
from packaging.utils import canonicalize_name

from cuvee.conda.package_archive import archive_errors, read_info_files
from cuvee.conda.package_info import parse_entry_points, parse_paths
from cuvee.integration.model import PackagePlan

_WANTED = {
    "tests/tests.yaml",  # rattler-build, and cuvee
    "recipe/meta.yaml",  # conda-build, rendered
    "link.json",
    "paths.json",
}
# https://packaging.python.org/en/latest/specifications/recording-installed-packages/
_DIST_INFO = re.compile(r"(?:^|/)site-packages/([^/]+?)-[^-/]+\.dist-info/METADATA$")
_PROGRAM = re.compile(r"(?:bin/([^/]+)|(?:python-scripts|Scripts)/([^/]+?)(?:\.exe)?)")


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
    paths = [entry.path for entry in parse_paths(files["paths.json"])] if "paths.json" in files else []
    names = {canonicalize_name(match[1]) for path in paths if (match := _DIST_INFO.search(path))}
    commands: set[str] = set()
    if names:  # only programs of Python packages are expected to know --help
        entry_points = parse_entry_points(files.get("link.json"))
        commands.update(line.partition("=")[0].strip() for line in entry_points)
        for path in paths:
            match = _PROGRAM.fullmatch(path)
            program = match and (match[1] or match[2])
            if program and not program.endswith(
                ("-script.py", ".bat", ".cmd", ".ps1", ".dll", ".exe.manifest")
            ):
                commands.add(program)
    return PackagePlan(
        name=name,
        version=version,
        imports=tuple(_imports(files)),
        commands=tuple(sorted(commands)),
        distributions=tuple(sorted(names)),
    )


def _imports(files: Mapping[str, bytes]) -> list[str]:
    modules: list[object] = []
    tests = _yaml(files.get("tests/tests.yaml"))
    for test in tests if isinstance(tests, list) else ():
        if isinstance(test, dict) and isinstance(test.get("python"), dict):
            modules += test["python"].get("imports") or ()
    recipe = _yaml(files.get("recipe/meta.yaml"))
    if not modules and isinstance(recipe, dict) and isinstance(recipe.get("test"), dict):
        modules += recipe["test"].get("imports") or ()
    # They become arguments of a program, so they must be names and nothing else.
    return [
        name
        for name in dict.fromkeys(map(str, modules))
        if all(part.isidentifier() for part in name.split("."))
    ]


def _yaml(data: bytes | None) -> object:
    if data is None:
        return None
    try:
        return yaml.safe_load(data)
    except yaml.YAMLError:
        return None  # a recipe that was not rendered
