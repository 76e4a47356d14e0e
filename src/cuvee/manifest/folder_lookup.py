"""Folders that a manifest names: channels, recipes, branding."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.manifest.documents.named_files import names_in
from cuvee.manifest.documents.suggestions import did_you_mean, quote
from cuvee.manifest.model import ReleaseVersion

if TYPE_CHECKING:
    from cuvee.manifest.documents.problems import Problems
    from cuvee.manifest.documents.validated_tree import MappingValue, ScalarValue


def is_folder(path: Path) -> bool:
    """Whether ``path`` is a folder; a name that cannot exist is not."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def find_upwards(start: Path, relative: str) -> Path | None:
    """Return the folder ``relative`` of the nearest folder that has it, from ``start`` up to the root.

    That nearest folder is taken for the repository's root.
    """
    start = start.absolute()
    for folder in (start, *start.parents):
        if is_folder(folder / relative):
            return folder / relative
    return None


def manifests_in(folder: Path) -> list[str]:
    """Return the paths of manifests in a folder and in its folders, by folder, the newest first."""
    found = []
    for parent in (folder, *sorted(path for path in folder.glob("*") if is_folder(path))):
        for name in names_in(parent, lambda path: path.suffix == ".yaml"):
            with contextlib.suppress(ValueError):
                version = ReleaseVersion.parse(name.removesuffix(".yaml"))
                found.append((parent, version, str(parent / name)))
    found.sort(key=lambda item: item[1], reverse=True)
    return [path for _, _, path in sorted(found, key=lambda item: item[0])]


def resolve_channel(stated: str, folder: Path) -> str:
    """Return a channel as stated, or as an absolute folder when it is a path."""
    if "://" in stated:
        return stated
    folder = folder.absolute()
    if stated.startswith((".", "/")) or is_folder(folder / stated):
        try:
            return str((folder / stated).resolve())
        except (OSError, RuntimeError, ValueError):  # a name that cannot exist, or a loop of links
            return str(folder / stated)
    return stated


def check_folders(tree: MappingValue, folder: Path, problems: Problems) -> None:
    """Note recipes and branding that do not exist."""
    from cuvee.manifest.documents.validated_tree import scalar_at, scalars_at

    branding = scalar_at(tree, "installers", "branding")
    if branding is not None and find_upwards(folder, str(branding.value)) is None:
        _absent(branding, str(branding.value), "", folder, problems)
    for recipe in scalars_at(tree, "recipes"):
        if find_upwards(folder, f"recipes/{recipe.value}") is None:
            _absent(recipe, str(recipe.value), "recipes/", folder, problems)


def _absent(scalar: ScalarValue, name: str, parent: str, folder: Path, problems: Problems) -> None:
    path = Path(parent + name)
    above = find_upwards(folder, str(path.parent))
    problems.add(
        scalar.span,
        f"there is no folder {quote(parent + name)} in the manifest's folder or above it",
        advice=did_you_mean(path.name, names_in(above, Path.is_dir) if above else ()),
    )
