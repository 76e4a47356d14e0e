"""Wishes: manifests, and lists of match specs."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

from cuvee.conda.match_spec import read_spec
from cuvee.graph.diff.snapshot import Snapshot, unreadable
from cuvee.manifest import load_manifest, manifest_export
from cuvee.manifest.model import Position, Requirement

_ELSEWHERE = {"manifest", "packages", "version", "based-on", "distribution"}
"""Top-level keys that are compared package by package, or that differ between any two releases."""


def read_manifest(path: Path, today: dt.date) -> Snapshot:
    """Read and evaluate a manifest."""
    manifest = load_manifest(path, today=today)
    data = {key: value for key, value in manifest_export.as_data(manifest).items() if key not in _ELSEWHERE}
    return Snapshot(
        title=manifest.release_name,
        kind="manifest",
        wishes=manifest.packages,
        direct=frozenset(item.name for item in manifest.packages),
        settings=dict(_flat("", data)),
    )


def _flat(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flat(f"{path}.{key}" if path else str(key), item)
    elif value not in (None, [], {}):
        yield path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def read_wishes(path: Path, data: str) -> tuple[Requirement, ...]:
    """Read one match spec a line, as lists of requirements for conda have them."""
    lines = ((number, line.strip()) for number, line in enumerate(data.splitlines(), start=1))
    return tuple(wish(path, number, line) for number, line in lines if line and not line.startswith("#"))


def wish(path: Path, line: int, said: str) -> Requirement:
    """Read one match spec.

    Raises
    ------
    SourceUnreachableError
        If it is none.
    """
    spec = read_spec(said).matcher
    name = spec.name.normalized if spec is not None else None
    if spec is None or name is None:
        raise unreadable(path, line, f"{said[:80]!r} is not a match spec of one name")
    version = "*" if spec.version is None else str(spec.version)
    build = None if spec.build is None else str(spec.build)
    position = Position(file=path, line=line, column=1)
    return Requirement(name=name, version=version, build=build, position=position)
