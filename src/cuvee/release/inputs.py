"""What each stage's result depends on, as hashes."""

import enum
import functools
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import cuvee
from cuvee.files import fingerprint
from cuvee.manifest.model import Manifest, Position, ReleaseVersion


def plain(value: Any, *, without: frozenset[str] = frozenset()) -> Any:
    """Turn a typed value into JSON values, leaving out the attributes ``without``."""
    if is_dataclass(value) and not isinstance(value, ReleaseVersion | Position | type):
        known = [field.name for field in fields(value) if field.name not in without]
        return {name: plain(getattr(value, name), without=without) for name in known}
    if isinstance(value, Mapping):
        return {str(key): plain(item, without=without) for key, item in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [plain(item, without=without) for item in value]
    if isinstance(value, enum.Enum):
        return value.value
    return value if isinstance(value, str | int | float | None) else str(value)


def package_inputs(manifest: Manifest) -> Any:
    """Give the part of a manifest that decides which packages there are."""
    parts = (
        manifest.platforms,
        manifest.channels,
        manifest.packages,
        manifest.constraints,
        manifest.wheels,
        manifest.interpreter,
        manifest.recipes,
        manifest.exclude_newer,
    )
    return plain(parts, without=frozenset({"position", "owner", "groups"}))


def whole_manifest(manifest: Manifest) -> Any:
    """Give everything that a manifest says, but for where it says so."""
    return plain(manifest, without=frozenset({"sources", "position", "path", "base"}))


@functools.cache
def code() -> str:
    """Give a fingerprint of cuvee itself: a changed program must do its work again."""
    root = Path(cuvee.__file__).parent
    files = []
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            status = path.stat()
            files.append([path.relative_to(root).as_posix(), status.st_size, status.st_mtime_ns])
    return fingerprint(files)


def host_interpreter() -> Any:
    """Give what identifies the interpreter that this process runs on."""
    executable = Path(sys.executable).resolve()
    status = executable.stat()
    return [sys.version, str(executable), status.st_size, status.st_mtime_ns]


def folder(path: Path | None) -> Any:
    """Give a fingerprint of all files below a folder, by name, size and time."""
    if path is None or not path.is_dir():
        return None
    return [
        [file.relative_to(path).as_posix(), file.stat().st_size, file.stat().st_mtime_ns]
        for file in sorted(path.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    ]
