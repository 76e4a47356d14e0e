"""The recipes of a manifest, and what builds them; what is wrong with either is said before any work."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from cuvee.build.conda_build_engine import CondaBuildEngine
from cuvee.build.engine import BuildEngine
from cuvee.build.model import Engine, Recipe
from cuvee.build.rattler_engine import RattlerEngine
from cuvee.build.recipe_files import find_recipe
from cuvee.errors import DocumentError, ToolMissingError
from cuvee.manifest.folder_lookup import find_upwards
from cuvee.manifest.model import Manifest


def engines() -> Mapping[Engine, BuildEngine]:
    """Return the engine of each kind of recipe."""
    return {"rattler-build": RattlerEngine(), "conda-build": CondaBuildEngine()}


def recipe_folders(manifest: Manifest) -> tuple[Path, ...]:
    """Return the folders of a manifest's recipes: ``recipes/`` in its folder or above it."""
    found = (find_upwards(manifest.path.parent, f"recipes/{name}") for name in manifest.recipes)
    return tuple(filter(None, found))


def read_recipes(folders: Iterable[Path], known: Mapping[Engine, BuildEngine]) -> tuple[Recipe, ...]:
    """Return the recipes in folders.

    Raises
    ------
    DocumentError
        With what is wrong with all of them, as far as it does not depend on the release.
    ToolMissingError
        If an engine that one of them needs is not installed.
    """
    recipes: list[Recipe] = []
    failed: list[DocumentError] = []
    for folder in folders:
        try:
            recipes.append(find_recipe(folder))
        except DocumentError as error:
            failed.append(error)
    for name in sorted({recipe.engine for recipe in recipes}):
        try:
            known[name].check()
        except ToolMissingError as error:
            files = ", ".join(str(recipe.file) for recipe in recipes if recipe.engine == name)
            raise ToolMissingError(f"{error.message}: {files}", hint=error.hint) from None
    for recipe in recipes:
        try:
            known[recipe.engine].read(recipe)
        except DocumentError as error:
            failed.append(error)
    if failed:
        hints = " ".join(dict.fromkeys(error.hint for error in failed if error.hint))
        raise DocumentError("\n\n".join(error.message for error in failed), hint=hints or None)
    return tuple(recipes)
