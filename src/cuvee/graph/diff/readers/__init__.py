"""Readers of everything that can be compared: manifests, locks, release folders, lists, environments."""

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path

from cuvee.errors import SourceUnreachableError
from cuvee.graph.diff.readers.folders import read_locked, read_prefix
from cuvee.graph.diff.readers.listings import read_explicit, read_json_listing, read_listing
from cuvee.graph.diff.readers.locks import read_conda_lock, read_environment, read_pixi
from cuvee.graph.diff.readers.manifests import read_manifest, read_specs
from cuvee.graph.diff.readers.yaml_text import read_yaml
from cuvee.graph.diff.snapshot import Snapshot, read_bytes, unreadable
from cuvee.manifest.documents.source_tree import MappingNode
from cuvee.manifest.model import Requirement

__all__ = ["read_requirements", "read_snapshot"]

MOST_BYTES = 64 << 20
_KINDS = (
    "a manifest, a pixi.lock, a conda-lock.yml, an environment.yml, a list of URLs, the output of "
    "`conda list`, a release folder, or an installed environment"
)


def read_snapshot(path: Path, *, today: dt.date, environment: str | None = None) -> Snapshot:
    """Read one side of a comparison.

    Parameters
    ----------
    path
        A file or folder; its kind is found out from its contents.
    today
        The day by which a manifest's waivers may have expired.
    environment
        Which environment of a `pixi.lock`; `None` for the default one, or the only one.

    Raises
    ------
    SourceUnreachableError
        If it does not exist, or cannot be read; the message has the line.
    ManifestError
        If it is a manifest with problems.
    """
    if path.is_dir():
        snapshot = _folder(path, environment)
    elif path.is_file():
        snapshot = _file(path, today, environment)
    else:
        raise SourceUnreachableError(f"{path} does not exist", hint=f"Name {_KINDS}.")
    return replace(snapshot, title=snapshot.title or str(path))


def read_requirements(path: Path, *, today: dt.date) -> tuple[Requirement, ...]:
    """Read what is requested: a manifest, an `environment.yml`, or one match spec a line.

    Raises
    ------
    SourceUnreachableError
        If it cannot be read.
    ManifestError
        If it is a manifest with problems.
    """
    if path.suffix.lower() in {".yaml", ".yml"}:
        requirements = read_snapshot(path, today=today).requirements
        if requirements is None:
            raise unreadable(path, None, "it does not state what is requested")
        return requirements
    if not path.is_file():
        raise SourceUnreachableError(f"{path} does not exist", hint="Name a file.")
    return read_specs(path, _text(path, read_bytes(path, MOST_BYTES)))


def _text(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise unreadable(path, None, f"it is not text: byte {error.start} is not UTF-8") from None


def _folder(path: Path, environment: str | None) -> Snapshot:
    if (path / "lock" / "pixi.lock").is_file():
        return read_locked(path)
    if (path / "conda-meta").is_dir():
        return read_prefix(path, path / "conda-meta")
    if path.name == "conda-meta":
        return read_prefix(path, path)
    if (path / "pixi.lock").is_file():
        return read_pixi(path / "pixi.lock", environment)
    raise unreadable(path, None, "it has neither lock/pixi.lock nor conda-meta", hint=f"Name {_KINDS}.")


def _file(path: Path, today: dt.date, environment: str | None) -> Snapshot:
    data = read_bytes(path, MOST_BYTES)
    if path.name == "pixi.lock" or _is_pixi(data):
        return read_pixi(path, environment)
    if path.suffix.lower() in {".yaml", ".yml"}:
        return _yaml(path, data, today)
    text = _text(path, data)
    if text.lstrip()[:1] in {"[", "{"}:
        return read_json_listing(path, text)
    if re.search(r"^@EXPLICIT\s*$", text, re.MULTILINE) or re.search(r"^\S+://", text, re.MULTILINE):
        return read_explicit(path, text)
    return read_listing(path, text)


def _is_pixi(data: bytes) -> bool:
    return (
        data.startswith(b"version:") and re.search(rb"^environments:", data[:65536], re.MULTILINE) is not None
    )


def _yaml(path: Path, data: bytes, today: dt.date) -> Snapshot:
    node = read_yaml(path, data)
    if isinstance(node, MappingNode):
        keys = {entry.key.text for entry in node.entries}
        if "manifest" in keys:
            return read_manifest(path, today)
        if "package" in keys:
            return read_conda_lock(path, node)
        if "dependencies" in keys:
            return read_environment(path, node)
    raise unreadable(
        path, 1, "it has none of the keys `manifest`, `package` and `dependencies`", hint=f"Name {_KINDS}."
    )
