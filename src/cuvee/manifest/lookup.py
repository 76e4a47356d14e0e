"""Folders that a manifest speaks of."""

from pathlib import Path

from cuvee.manifest.finding import leaf_at, leaves_at
from cuvee.manifest.problems import Problems, did_you_mean, quote
from cuvee.manifest.stating import Leaf, Table


def is_folder(path: Path) -> bool:
    """Whether ``path`` is a folder; a name that can not exist is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def upwards(start: Path, relative: str) -> Path | None:
    """Give the folder ``relative`` of the nearest folder that has it, from ``start`` up to the root.

    That nearest folder is the repository's root, for which nothing else is looked at.
    """
    start = start.absolute()
    for folder in (start, *start.parents):
        if is_folder(folder / relative):
            return folder / relative
    return None


def channel(stated: str, folder: Path) -> str:
    """Give a channel as stated, or as an absolute folder when it is a path."""
    if "://" in stated:
        return stated
    folder = folder.absolute()
    if stated.startswith((".", "/")) or is_folder(folder / stated):
        try:
            return str((folder / stated).resolve())
        except (OSError, RuntimeError, ValueError):  # a name that can not exist, or a loop of links
            return str(folder / stated)
    return stated


def check_folders(tree: Table, folder: Path, problems: Problems) -> None:
    """Note recipes and branding that are not there."""
    branding = leaf_at(tree, "installers", "branding")
    if branding is not None and upwards(folder, str(branding.value)) is None:
        _absent(branding, str(branding.value), "", folder, problems)
    for recipe in leaves_at(tree, "recipes"):
        if upwards(folder, f"recipes/{recipe.value}") is None:
            _absent(recipe, str(recipe.value), "recipes/", folder, problems)


def _absent(leaf: Leaf, name: str, parent: str, folder: Path, problems: Problems) -> None:
    path = Path(parent + name)
    above = upwards(folder, str(path.parent))
    siblings = []
    if above is not None:
        try:
            siblings = sorted(other.name for other in above.iterdir() if other.is_dir())
        except OSError:
            siblings = []
    problems.add(
        leaf.place,
        f"there is no folder {quote(parent + name)} in the manifest's folder or above it",
        advice=did_you_mean(path.name, siblings),
    )
