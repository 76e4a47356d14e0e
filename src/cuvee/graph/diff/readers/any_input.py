"""Reading a side of a comparison, or what it requests, whatever kind of file or folder it is."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

from cuvee.graph.diff.readers.folders import read_locked, read_prefix
from cuvee.graph.diff.readers.input_kinds import KINDS, MOST_BYTES, InputKind, kind_of
from cuvee.graph.diff.readers.listings import read_explicit, read_json_listing, read_listing
from cuvee.graph.diff.readers.locks import read_conda_lock, read_environment, read_pixi
from cuvee.graph.diff.readers.manifests import read_manifest, read_specs
from cuvee.graph.diff.readers.yaml_text import read_yaml
from cuvee.graph.diff.snapshot import Snapshot, read_bytes, unreadable
from cuvee.manifest.documents.named_files import missing_path
from cuvee.manifest.documents.source_tree import MappingNode
from cuvee.manifest.model import Requirement


def read_snapshot(
    path: Path, *, today: dt.date, environment: str | None = None, with_files: bool = False
) -> Snapshot:
    """Read one side of a comparison.

    Parameters
    ----------
    path
        A file or folder; its kind is found out from its contents.
    today
        The day by which a manifest's waivers may have expired.
    environment
        Which environment of a `pixi.lock`; `None` for the default one, or the only one.
    with_files
        Compare the files of an installed environment with its records.

    Raises
    ------
    UsageError
        If it does not exist, or has no such environment.
    SourceUnreachableError
        If it cannot be read; the message has the line.
    ManifestError
        If it is a manifest with problems.
    """
    kind = kind_of(path)
    if kind is InputKind.RELEASE:
        snapshot = read_locked(path)
    elif kind is InputKind.PREFIX:
        snapshot = read_prefix(path, with_files=with_files)
    elif kind is InputKind.PIXI:
        snapshot = read_pixi(path / "pixi.lock" if path.is_dir() else path, environment)
    elif kind in {InputKind.MANIFEST, InputKind.CONDA_LOCK, InputKind.ENVIRONMENT}:
        snapshot = _yaml(path, kind, today)
    else:
        snapshot = _listing(path, kind)
    return replace(snapshot, title=snapshot.title or str(path))


def read_requirements(path: Path, *, today: dt.date) -> tuple[Requirement, ...]:
    """Read what is requested: a manifest, an `environment.yml`, or one match spec a line.

    Raises
    ------
    UsageError
        If it does not exist.
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
        raise missing_path(path, hint="Name a manifest, an environment.yml, or a list of match specs.")
    return read_specs(path, _text(path))


def _text(path: Path) -> str:
    try:
        return read_bytes(path, MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise unreadable(path, None, f"it is not text: byte {error.start} is not UTF-8") from None


def _yaml(path: Path, kind: InputKind, today: dt.date) -> Snapshot:
    node = read_yaml(path, read_bytes(path, MOST_BYTES))
    if isinstance(node, MappingNode):
        if kind is InputKind.CONDA_LOCK:
            return read_conda_lock(path, node)
        if kind is InputKind.ENVIRONMENT:
            return read_environment(path, node)
        if "manifest" in {entry.key.text for entry in node.entries}:
            return read_manifest(path, today)
    keys = "`manifest`, `environments`, `package` and `dependencies`"
    raise unreadable(path, 1, f"it has none of the keys {keys}", hint=f"Name {KINDS}.")


def _listing(path: Path, kind: InputKind) -> Snapshot:
    text = _text(path)
    if kind is InputKind.EXPLICIT:
        return read_explicit(path, text)
    return read_json_listing(path, text) if text.lstrip()[:1] in {"[", "{"} else read_listing(path, text)
