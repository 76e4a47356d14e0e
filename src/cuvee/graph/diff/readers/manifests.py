"""Readers of manifests and of lists of match specs."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

from cuvee.conda.match_spec import read_spec
from cuvee.graph.diff.snapshot import Snapshot, unreadable
from cuvee.manifest import load_manifest, manifest_export
from cuvee.manifest.model import Position, Requirement

_NO_SETTINGS = {"manifest", "packages", "version", "based-on", "distribution"}
"""Top-level keys that are compared by package, or that differ between any two releases."""


def read_manifest(path: Path, today: dt.date) -> Snapshot:
    """Read and evaluate a manifest."""
    manifest = load_manifest(path, today=today)
    data = {key: value for key, value in manifest_export.as_data(manifest).items() if key not in _NO_SETTINGS}
    return Snapshot(
        title=manifest.release_name,
        kind="manifest",
        requirements=manifest.packages,
        requested=frozenset(item.name for item in manifest.packages),
        settings=dict(_flat("", data)),
    )


def _flat(path: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _flat(f"{path}.{key}" if path else str(key), item)
    elif value not in (None, [], {}):
        yield path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def read_specs(path: Path, data: str) -> tuple[Requirement, ...]:
    """Read one match spec a line, the form of `conda install --file`."""
    lines = ((number, line.strip()) for number, line in enumerate(data.splitlines(), start=1))
    return tuple(
        read_requirement(path, number, line) for number, line in lines if line and not line.startswith("#")
    )


def read_requirement(path: Path, line: int, text: str) -> Requirement:
    """Read one match spec.

    Raises
    ------
    SourceUnreachableError
        If the text is not a match spec of one name.
    """
    spec = read_spec(text).matcher
    name = spec.name.normalized if spec is not None else None
    if spec is None or name is None:
        raise unreadable(path, line, f"{text[:80]!r} is not a match spec of one name")
    version = "*" if spec.version is None else str(spec.version)
    build = None if spec.build is None else str(spec.build)
    position = Position(file=path, line=line, column=1)
    return Requirement(name=name, version=version, build=build, position=position)
