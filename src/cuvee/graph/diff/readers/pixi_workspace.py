"""What the workspace beside a `pixi.lock` requests: its `pixi.toml`, or `[tool.pixi]` of a `pyproject.toml`.

https://pixi.sh/latest/python/pyproject_toml/
"""

import contextlib
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from cuvee.files import storage_errors
from cuvee.graph.diff.snapshot import of_index, unreadable

_Table = dict[str, object]


def workspace_file(lock: Path) -> Path | None:
    """Return the file that states what a `pixi.lock` was solved for; `None` if it is not beside it.

    Raises
    ------
    SourceUnreachableError
        If a file that may be it cannot be read.
    """
    found = _workspace(lock)
    return found[0] if found is not None else None


def requested_names(lock: Path) -> frozenset[str] | None:
    """Return the names that any feature of the workspace requests; `None` if there is no workspace.

    Of a `pyproject.toml`, pixi also takes the dependencies of the project, its extras and groups as features,
    and ``requires-python`` as the package `python`.

    Raises
    ------
    SourceUnreachableError
        If the file cannot be read.
    """
    found = _workspace(lock)
    if found is None:
        return None
    _, table, project = found
    features = [table, *_tables(table.get("feature"))]
    parts = [*features, *(target for feature in features for target in _tables(feature.get("target")))]
    conda = {name.lower() for part in parts for name in _names(part.get("dependencies"))}
    python = {of_index(name) for part in parts for name in _names(part.get("pypi-dependencies"))}
    return frozenset(conda | python | set(_of_project(project)))


def _workspace(lock: Path) -> tuple[Path, _Table, _Table] | None:
    """Return the workspace's file, its table of pixi, and the document of a Python project around that."""
    own, project = lock.with_name("pixi.toml"), lock.with_name("pyproject.toml")
    if own.is_file():
        return own, _read(own), {}
    if not project.is_file():
        return None
    document = _read(project)
    tool = document.get("tool")
    table = tool.get("pixi") if isinstance(tool, dict) else None
    return (project, table, document) if isinstance(table, dict) else None


def _of_project(document: _Table) -> Iterator[str]:
    project = document.get("project")
    project = project if isinstance(project, dict) else {}
    if "requires-python" in project:
        yield "python"
    extras, groups = project.get("optional-dependencies"), document.get("dependency-groups")
    for lines in (project.get("dependencies"), *_values(extras), *_values(groups)):
        for line in lines if isinstance(lines, list) else ():
            if isinstance(line, str):  # a group may include another, which is read by itself
                with contextlib.suppress(InvalidRequirement):
                    yield of_index(Requirement(line).name)


def _read(path: Path) -> _Table:
    try:
        with storage_errors(path), path.open("rb") as stream:
            return tomllib.load(stream)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(path, None, f"it is not readable TOML: {error}") from None


def _names(table: object) -> list[str]:
    return list(table) if isinstance(table, dict) else []


def _values(table: object) -> list[object]:
    return list(table.values()) if isinstance(table, dict) else []


def _tables(value: object) -> list[_Table]:
    """Return the tables of a table of tables, without anything else."""
    return [item for item in _values(value) if isinstance(item, dict)]
