"""The manifest that a user has named, or what was named instead of one."""

import datetime as dt
from pathlib import Path

from cuvee.errors import CuveeError, ManifestError, UsageError
from cuvee.manifest import load_manifest
from cuvee.manifest.documents.suggestions import listing
from cuvee.manifest.folder_lookup import manifests_in
from cuvee.manifest.model import Manifest

_CONSTRUCTOR = "construct.yaml"


def named_manifest(path: Path, *, today: dt.date) -> Manifest:
    """Return the evaluated manifest at ``path``; of another kind of file or folder, say what it is.

    Raises
    ------
    ManifestError
        If the manifest has problems, or does not exist.
    UsageError
        If it is a folder, or a file of another kind.
    """
    try:
        return load_manifest(path, today=today)
    except ManifestError:
        if path.is_dir():
            raise _is_folder(path) from None
        other = _is_other_file(path) if path.is_file() else None
        if other is None:
            raise
        raise other from None


def _is_folder(path: Path) -> UsageError:
    from cuvee.graph.diff.readers.input_kinds import kind_of
    from cuvee.release.manifest_of_folder import manifest_of

    found = manifests_in(path)
    if found:
        return UsageError(f"{path} is a folder, not a manifest", hint=f"In it: {listing(found)}.")
    try:
        kind = kind_of(path).value
    except CuveeError:
        return UsageError(
            f"{path} is a folder without manifests", hint="Name a manifest: <distribution>/<version>.yaml."
        )
    try:
        hint = f"It was made from {manifest_of(path)}."
    except CuveeError:
        hint = "Name its manifest."
    return UsageError(f"{path} is {kind}, not a manifest", hint=hint)


def _is_other_file(path: Path) -> UsageError | None:
    """Return the error for a file of another kind; `None` if it may be meant as a manifest."""
    from cuvee.graph.diff.readers.input_kinds import InputKind, kind_of

    if path.name == _CONSTRUCTOR:
        return UsageError(
            f"{path} is a project of constructor, not a manifest",
            hint=f"Make its installers with `cuvee installers --from {path}`.",
        )
    try:
        kind = kind_of(path)
    except CuveeError:
        return None
    if kind in {InputKind.MANIFEST, InputKind.LISTING}:
        return None
    if kind is InputKind.ENVIRONMENT:
        hint = (
            "State its packages in a manifest, as docs/tutorial/first-distribution.md shows. "
            f"`cuvee diff {path} OTHER` compares it as it is."
        )
    else:
        hint = f"Name the manifest that it was made from. `cuvee diff {path} OTHER` compares it as it is."
    return UsageError(f"{path} is {kind.value}, not a manifest", hint=hint)
