"""Loading a manifest: its file and those that it is based on are read, validated, merged and evaluated."""

import contextlib
import datetime as dt
from pathlib import Path

from cuvee.errors import ManifestError
from cuvee.manifest.consistency import (
    check_base,
    check_dates,
    check_file_name,
    check_folder_name,
    check_tree,
)
from cuvee.manifest.documents.named_files import likely_path, names_in
from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.suggestions import did_you_mean, listing
from cuvee.manifest.documents.validated_tree import MappingValue, ScalarValue, scalar_at
from cuvee.manifest.documents.validation import Validator, add_missing_keys
from cuvee.manifest.documents.yaml_reader import parse_yaml, read_bytes
from cuvee.manifest.evaluate import evaluate
from cuvee.manifest.folder_lookup import check_folders
from cuvee.manifest.inheritance import merge
from cuvee.manifest.model import Manifest, ReleaseVersion
from cuvee.manifest.patched_consistency import check_patched
from cuvee.manifest.schema import MANIFEST


def load_manifest(path: Path, *, today: dt.date) -> Manifest:
    """Return the evaluated manifest at ``path``.

    Parameters
    ----------
    path
        ``<folder>/<version>.yaml``; the manifests that it is based on are in the same folder.
    today
        The day on which waivers must not have ended.

    Raises
    ------
    ManifestError
        Its message shows every problem at once, each with its line.
    """
    tree: MappingValue | None = None
    manifest: Manifest | None = None
    with Problems(path, MANIFEST) as problems:
        for stated in reversed(_read_chain(path, problems)):
            file = stated.span.source.path
            tree = merge(tree, stated, problems)
            add_missing_keys(tree, MANIFEST.content, problems)
            check_tree(tree, problems)
            check_folders(tree, file.parent, problems)
            check_patched(tree, file.parent, problems)
            if file == path:
                check_dates(tree, path, today, problems)
            manifest = None if problems else evaluate(tree, file, manifest)
    if manifest is None:
        raise AssertionError("a manifest that was not evaluated has a problem")
    return manifest


def _read_chain(path: Path, problems: Problems) -> list[MappingValue]:
    """Return a manifest and its bases, the newest first; nothing when one of them cannot be read."""
    tree = _read_file(path, _first_bytes(path), problems)
    if tree is None:
        return []
    chain = [tree]
    check_file_name(tree, path, problems)
    check_folder_name(tree, path, problems)
    seen = [path.name]
    while (stated := scalar_at(tree, "based-on")) is not None:
        base_path = path.with_name(f"{stated.value}.yaml")
        seen.append(base_path.name)
        if base_path.name in seen[:-1]:
            first = scalar_at(chain[0], "based-on") or stated
            steps = " → ".join(name.removesuffix(".yaml") for name in seen)
            problems.add(first.span, f"the manifests are based on each other: {steps}")
            return []
        base = _read_base(base_path, stated, tree, problems)
        if base is None:
            return []
        check_file_name(base, base_path, problems)
        check_base(tree, base, problems)
        _check_order(tree, stated, problems)
        chain.append(base)
        tree = base
    return chain


def _first_bytes(path: Path) -> bytes:
    """Return the content of the manifest that the user named."""
    try:
        return read_bytes(path)
    except FileNotFoundError:
        names = _siblings(path)
        likely = likely_path(path)
        hint = "A manifest is <distribution>/<version>.yaml; docs/tutorial/first-distribution.md writes one."
        if likely:
            hint = f"Did you mean {likely}?"
        elif names:
            hint = f"In that folder: {listing(names)}."
        raise ManifestError(f"There is no manifest {path}", hint=hint) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "the name cannot exist"
        raise ManifestError(
            f"The manifest {path} cannot be read: {reason}", hint="Name a file that you may read."
        ) from error


def _read_file(path: Path, data: bytes, problems: Problems) -> MappingValue | None:
    node = parse_yaml(path, data, problems)
    if node is None:
        return None
    tree = Validator(problems).validate(node, MANIFEST.content)
    return tree if isinstance(tree, MappingValue) else None


def _read_base(
    path: Path, stated: ScalarValue, child: MappingValue, problems: Problems
) -> MappingValue | None:
    try:
        data = read_bytes(path)
    except FileNotFoundError:
        others = _older_releases(child)
        problems.add(
            stated.span,
            f"there is no manifest {path} to be based on",
            advice=did_you_mean(str(stated.value), others),
            expected=f"one of {listing(others)}" if others else "",
        )
        return None
    except OSError as error:
        problems.add(stated.span, f"the base {path} cannot be read: {error.strerror}")
        return None
    return _read_file(path, data, problems)


def _older_releases(child: MappingValue) -> list[str]:
    """Return the releases that ``child`` could be based on, the newest first."""
    version = scalar_at(child, "version")
    found = []
    for name in _siblings(child.span.source.path):
        with contextlib.suppress(ValueError):
            found.append(ReleaseVersion.parse(name.removesuffix(".yaml")))
    if version is not None and isinstance(version.value, ReleaseVersion):
        limit = version.value
        found = [other for other in found if other < limit]
    return [str(other) for other in sorted(found, reverse=True)]


def _siblings(path: Path) -> list[str]:
    return names_in(path.parent, lambda other: other.suffix == ".yaml" and other != path)


def _check_order(child: MappingValue, stated: ScalarValue, problems: Problems) -> None:
    version = scalar_at(child, "version")
    if version is None or not isinstance(version.value, ReleaseVersion):
        return
    if isinstance(stated.value, ReleaseVersion) and not stated.value < version.value:
        problems.add(
            stated.span,
            f"{version.value} cannot be based on {stated.value}, which is not older",
            advice="a release is based on an earlier one",
        )
