"""What a path holds: the one place that decides it, from contents and not from names."""

import enum
import re
from collections.abc import Iterator
from pathlib import Path

from cuvee.graph.diff.snapshot import read_bytes, unreadable
from cuvee.manifest.documents.named_files import missing_path
from cuvee.manifest.documents.suggestions import listing
from cuvee.manifest.folder_lookup import manifests_in

MOST_BYTES = 64 << 20
KINDS = (
    "a manifest, a pixi.lock, a conda-lock.yml, an environment.yml, a list of URLs, the output of "
    "`conda list`, a release folder, or an installed environment"
)


class InputKind(enum.Enum):
    """A kind of input, as messages name it."""

    MANIFEST = "a manifest"
    RELEASE = "a release folder"
    PREFIX = "an installed environment"
    PIXI = "a pixi.lock"
    CONDA_LOCK = "a conda-lock.yml"
    ENVIRONMENT = "an environment.yml"
    EXPLICIT = "a list of URLs"
    LISTING = "a list of packages"


_KEYS = {
    "manifest": InputKind.MANIFEST,
    "environments": InputKind.PIXI,
    "package": InputKind.CONDA_LOCK,
    "dependencies": InputKind.ENVIRONMENT,
}


def kind_of(path: Path) -> InputKind:
    """Return what a path holds; YAML that is nothing else counts as a manifest.

    Raises
    ------
    UsageError
        If it does not exist.
    SourceUnreachableError
        If it is a folder that is nothing known, or a file that cannot be read.
    """
    if path.is_dir():
        return _kind_of_folder(path)
    if not path.is_file():
        raise missing_path(path, hint=f"Name {KINDS}.")
    if path.name == "pixi.lock":
        return InputKind.PIXI
    data = read_bytes(path, MOST_BYTES)
    found = _kind_of_mapping(data)
    if found is None and path.suffix.lower() in {".yaml", ".yml"}:
        return InputKind.MANIFEST
    if found is None and re.search(rb"^(@EXPLICIT\s*$|\S+://)", data, re.MULTILINE):
        return InputKind.EXPLICIT
    return found or InputKind.LISTING


def _kind_of_folder(path: Path) -> InputKind:
    if (path / "lock" / "pixi.lock").is_file():
        return InputKind.RELEASE
    if (path / "conda-meta").is_dir() or path.name == "conda-meta":
        return InputKind.PREFIX
    if (path / "pixi.lock").is_file():
        return InputKind.PIXI
    found = manifests_in(path)
    hint = f"It has manifests: {listing(found)}." if found else f"Name {KINDS}."
    raise unreadable(path, None, "it has neither lock/pixi.lock nor conda-meta", hint=hint)


def _kind_of_mapping(data: bytes) -> InputKind | None:
    """Return the kind of a YAML mapping by the first of its keys that only one kind has."""
    import yaml

    version = ""
    try:
        for key, value in _top_level(data):
            if key == "version":
                version = value
            elif key in _KEYS:
                # Until version 3 a pixi.lock had the keys of conda-lock's format, whose only version is 1.
                is_old_pixi = key == "package" and version in {"2", "3"}
                return InputKind.PIXI if is_old_pixi else _KEYS[key]
    except (yaml.YAMLError, ValueError, OverflowError):
        pass
    return None


def _top_level(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the keys of a YAML mapping, each with its value if that is a scalar, up to where it is broken."""
    import yaml

    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    depth, key = 0, None
    for event in yaml.parse(data, Loader=loader):
        if depth == 0 and isinstance(event, yaml.SequenceStartEvent | yaml.ScalarEvent):
            return
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
            key = None if depth == 1 else key
        elif depth == 1 and key is None and isinstance(event, yaml.ScalarEvent):
            key = event.value
            if key != "version":
                yield key, ""
        elif depth == 1 and isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
            yield key or "", getattr(event, "value", "")
            key = None
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
