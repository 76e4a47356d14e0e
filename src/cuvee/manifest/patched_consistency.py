"""Checks of ``patched`` across values: what is patched, with which files, and whether that can be."""

from pathlib import Path

from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.suggestions import did_you_mean, listing, quote
from cuvee.manifest.documents.validated_tree import (
    MappingValue,
    ScalarValue,
    ValidatedEntry,
    entries_at,
    scalar_at,
    scalars_at,
    text_at,
)


def check_patched(tree: MappingValue, folder: Path, problems: Problems) -> None:
    """Note what is wrong with patched packages of an evaluated tree; patches are files in ``folder``."""
    projects: dict[str, ValidatedEntry] = {}
    recipes: dict[str, ValidatedEntry] = {}
    for name, entry in entries_at(tree, "patched"):
        if not isinstance(entry.value, MappingValue):
            continue
        _check_subject(name, entry, tree, problems)
        recipe = text_at(entry.value, "recipe") or name
        first = recipes.setdefault(recipe, entry)
        if first is not entry and text_at(first.value, "recipe"):
            related = (first.key, "it has all patches of the recipe")
            problems.add(entry.key, f"the recipe {recipe} is patched twice", related=related)
        _check_wheel(name, entry, tree, projects, problems)
        for key in ("patches", "tests"):
            for path in scalars_at(entry.value, key):
                _check_file(path, folder, problems)


def _check_subject(name: str, entry: ValidatedEntry, tree: MappingValue, problems: Problems) -> None:
    """Note a package that is neither or both of recipe and wheel, and what does not go with it."""
    recipe, wheel = scalar_at(entry.value, "recipe"), scalar_at(entry.value, "wheel")
    sha256 = scalar_at(entry.value, "sha256")
    stated = dict(entries_at(entry.value))
    if not {"recipe", "wheel"} & stated.keys():
        problems.add(entry.key, f"{name} has neither recipe nor wheel", advice="name what is patched")
    if recipe is not None and wheel is not None:
        problems.add(recipe.span, f"{name} has a recipe and a wheel", advice="leave one of them out")
    if wheel is not None and "sha256" not in stated:
        problems.add(wheel.span, f"the wheel of {name} has no SHA-256", advice="add sha256:")
    if recipe is not None and sha256 is not None and wheel is None:
        problems.add(sha256.span, "a recipe states the hashes of its sources itself", advice="remove it")
    tests = next(scalars_at(entry.value, "tests"), None)
    if recipe is not None and wheel is None and tests is not None:
        problems.add(tests.span, "a recipe has tests of its own", advice="add them there")
    known = [str(item.value) for item in scalars_at(tree, "recipes")]
    if recipe is not None and recipe.value not in known:
        problems.add(
            recipe.span,
            f"{quote(str(recipe.value))} is not one of the recipes of the release",
            advice=did_you_mean(str(recipe.value), known) or "add it to recipes",
            expected=f"one of {listing(known)}" if known else "",
        )


def _check_wheel(
    name: str,
    entry: ValidatedEntry,
    tree: MappingValue,
    projects: dict[str, ValidatedEntry],
    problems: Problems,
) -> None:
    from packaging.utils import canonicalize_name, parse_wheel_filename

    from cuvee.conda.match_spec import read_version
    from cuvee.manifest.range_validation import contradict

    wheel = scalar_at(entry.value, "wheel")
    if wheel is None:
        return
    project, version, _, _ = parse_wheel_filename(str(wheel.value))
    if canonicalize_name(name) != project:
        problems.add(
            wheel.span, f"this wheel is of {project}, not of {name}", advice=f"state it below {project}"
        )
        return
    first = projects.setdefault(project, entry)
    if first is not entry:
        problems.add(entry.key, f"{name} is patched twice", related=(first.key, "the same project"))
    fixed_in = scalar_at(entry.value, "upstream-fixed-in")
    has, needs = read_version(str(version)), read_version(str(fixed_in.value if fixed_in else ""))
    if fixed_in is not None and has is not None and needs is not None and has >= needs:
        problems.add(
            fixed_in.span,
            f"the wheel has version {version}, so it has the fix of upstream",
            advice="remove the patched package",
        )
    requested = scalar_at(tree, "packages", name, "version")
    if requested is not None and contradict(str(requested.value), f"=={version}"):
        problems.add(
            wheel.span,
            f"the release requests {name} {requested.value}, and this wheel has version {version}",
            related=(requested.span, "the blessed set requires this"),
        )


def _check_file(path: ScalarValue, folder: Path, problems: Problems) -> None:
    name = str(path.value)
    if name.startswith("/"):
        problems.add(path.span, f"{quote(name)} is outside of the manifest's folder", advice="put it there")
        return
    try:
        is_file = (folder / name).is_file()
        is_inside = (folder / name).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a name that cannot exist, or a loop of links
        is_file = is_inside = False
    if not is_file:
        problems.add(path.span, f"there is no file {quote(name)} in the manifest's folder")
    elif not is_inside:
        problems.add(
            path.span, f"{quote(name)} leads out of the manifest's folder", advice="put the file itself there"
        )
