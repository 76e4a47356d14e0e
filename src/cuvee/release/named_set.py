"""What a user has named to ask about: a manifest, a release folder, or a set that was not cut here."""

from pathlib import Path

from cuvee.errors import UsageError
from cuvee.graph.diff.readers.input_kinds import InputKind, kind_of
from cuvee.release.manifest_of_folder import has_manifest
from cuvee.release.record_parts import RECORD

_MARKS = ("lock/pixi.lock", "conda-meta", "pixi.lock", "history")
"""What the folders have that can be read: of a release, a prefix, a workspace of pixi; and ``conda-meta``."""


def is_given_set(path: Path, environment: str | None = None) -> bool:
    """Whether a path is neither a manifest nor a release folder whose manifest is known.

    Raises
    ------
    UsageError
        If it is no `pixi.lock` although an environment was named.
    """
    if not path.exists() or (path.is_dir() and not any((path / name).exists() for name in _MARKS)):
        return False  # a manifest that is not there, or a folder of manifests
    kind = kind_of(path)
    if environment is not None and kind is not InputKind.PIXI:
        raise UsageError(
            f"{path} is {kind.value}, which has no environments", hint="Leave out --environment."
        )
    if kind is InputKind.RELEASE:
        return not (path / RECORD).is_file() and not has_manifest(path)
    return kind is not InputKind.MANIFEST
