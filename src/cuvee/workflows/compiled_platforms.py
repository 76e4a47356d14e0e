"""The platforms for which a release needs packages of recipes that are built on a machine of theirs.

Versions of the release are not known without channels, and are not needed: only for which platforms a recipe
makes something that is not noarch.
"""

from cuvee.build.model import Output
from cuvee.build.rattler_engine import RattlerEngine
from cuvee.build.recipe_files import find_recipe
from cuvee.build.recipes import recipe_folders
from cuvee.manifest.model import Manifest


def compiled_platforms(manifest: Manifest, *, machine: str) -> tuple[str, ...]:
    """Return the platforms besides that of ``machine`` for which the manifest requests compiled packages.

    What conda-build builds cannot be taken from another machine, and does not count.

    Raises
    ------
    DocumentError
        If a recipe has problems.
    ToolMissingError
        If rattler-build is not installed, and there are recipes for it.
    """
    engine = RattlerEngine()
    recipes = [item for item in map(find_recipe, recipe_folders(manifest)) if item.engine == "rattler-build"]
    if recipes:
        engine.check()

    def made_for(platform: str) -> list[Output]:
        return [output for recipe in recipes for output in engine.render(recipe, platform, {})]

    found: list[str] = []
    for entry in manifest.present_platforms:
        requested = {item.name for item in manifest.packages if entry.name in item.platforms}
        if entry.name != machine and any(
            output.name in requested and output.subdir != "noarch" for output in made_for(entry.name)
        ):
            found.append(entry.name)
    return tuple(found)
