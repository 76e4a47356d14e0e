"""What an archive says of itself: summary, licence texts, addresses, maintainers, recipe and tests."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from cuvee.conda.package_archive import archive_errors, members, read_info_files
from cuvee.conda.printable_text import printable
from cuvee.conda.project_links import links_of_about
from cuvee.files import parse_json
from cuvee.inclusion.model import PackageClaims
from cuvee.integration.carried_tests import TEST_FILES, carried_tests

_RECIPES = (
    "recipe/recipe.yaml",
    "recipe/meta.yaml",
    "recipe/rendered_recipe.yaml",
    "recipe/meta.yaml.template",
)
_MOST_NAMES = 20
_LICENSES = "info/licenses/"


def read_claims(archive: Path, *, windows: bool) -> PackageClaims:
    """Return what the package at ``archive`` says of itself.

    Raises
    ------
    IntegrityError
        If it cannot be read.
    """
    files = read_info_files(archive, {"about.json", *_RECIPES, *TEST_FILES})
    about = _about(files.get("about.json"))
    carried = carried_tests(files, windows=windows)
    made_of = about.get("cuvee")
    return PackageClaims(
        summary=_text(about.get("summary")),
        license_files=_license_files(archive),
        links=tuple(f"{link.kind.value}: {link.url}" for link in links_of_about(files.get("about.json"))),
        maintainers=_maintainers(about.get("extra")),
        recipe=next((name for name in _RECIPES if name in files), ""),
        tests=tuple(test.name for test in carried if not test.unsupported and not test.broken),
        unsupported_tests=tuple(
            f"{test.name}: {test.broken or test.unsupported}"
            for test in carried
            if test.broken or test.unsupported
        ),
        wheel=_text(made_of.get("wheel")) if isinstance(made_of, dict) else "",
    )


def _about(data: bytes | None) -> Mapping[str, object]:
    try:
        about = parse_json(data or b"{}")
    except ValueError:
        return {}
    return about if isinstance(about, dict) else {}


def _license_files(archive: Path) -> tuple[str, ...]:
    with archive_errors(archive):
        names = [member.name for _, member in members(archive, "info") if member.isreg()]
    found = (name for name in names if name.startswith(_LICENSES) or name == "info/LICENSE.txt")
    return tuple(sorted(printable(str(PurePosixPath(name).name)) for name in found))[:_MOST_NAMES]


def _maintainers(extra: object) -> tuple[str, ...]:
    """Return the people that the recipe names: https://conda-forge.org/docs/maintainer/adding_pkgs/#maintainer-role."""
    names = extra.get("recipe-maintainers") if isinstance(extra, dict) else None
    return (
        tuple(_text(name) for name in names if _text(name))[:_MOST_NAMES] if isinstance(names, list) else ()
    )


def _text(value: object) -> str:
    return " ".join(printable(value).split())[:500] if isinstance(value, str) else ""
