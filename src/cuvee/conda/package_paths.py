"""What a package says of its files: ``info/paths.json``, or the lists that were there before it.

Format: https://github.com/conda/ceps/blob/main/cep-0034.md. The older lists are ``files``, a path per line,
``has_prefix``, and ``no_link`` with ``no_softlink``; they know neither hashes nor which paths are links.
https://docs.conda.io/projects/conda-build/en/stable/resources/package-spec.html
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from cuvee.files import parse_json

PathType = Literal["hardlink", "softlink", "directory"]
FileMode = Literal["text", "binary"]

PATH_LISTS = ("paths.json", "files", "has_prefix", "no_link", "no_softlink")
"""The files of ``info/`` that `listed_paths` reads."""

DEFAULT_PLACEHOLDER = "/opt/anaconda1anaconda2anaconda3"
"""The prefix placeholder of a file for which ``has_prefix`` states none."""

_PATH_TYPES: Mapping[object, PathType] = {
    "hardlink": "hardlink",
    "softlink": "softlink",
    "directory": "directory",
}
_FILE_MODES: Mapping[object, FileMode | None] = {"text": "text", "binary": "binary", None: None}
_FIELDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PathEntry:
    """One entry of a package's list of files.

    Attributes
    ----------
    path
        As it is written: hostile until `is_safe_path` says otherwise.
    placeholder
        The prefix that a linker replaces in the file, or `None`.
    file_mode
        How the placeholder is replaced; `None` without one.
    """

    path: str
    path_type: PathType = "hardlink"
    sha256: str | None = None
    size: int | None = None
    placeholder: str | None = None
    file_mode: FileMode | None = None
    no_link: bool = False


def path_list(info: Mapping[str, bytes]) -> str:
    """Return the name of the file of ``info/`` that lists a package's paths; empty if there is none."""
    return next((name for name in PATH_LISTS[:2] if name in info), "")


def listed_paths(info: Mapping[str, bytes], found: Mapping[str, PathType]) -> tuple[PathEntry, ...]:
    """Return what a package lists, in its order.

    Parameters
    ----------
    info
        Files of ``info/`` by name, at least those of `PATH_LISTS` that the package has.
    found
        What each path is in the archive, which only ``paths.json`` says itself.

    Raises
    ------
    ValueError, TypeError, KeyError, AttributeError
        If there is no list, or if it breaks the format.
    """
    if path_list(info) == "paths.json":
        return parse_paths(info["paths.json"])
    if not path_list(info):
        raise ValueError("it has neither info/paths.json nor info/files")
    prefixes = dict(_prefixes(info.get("has_prefix", b"")))
    unlinked = {path for name in PATH_LISTS[3:] for path in _lines(info.get(name, b""))}

    def entry(path: str) -> PathEntry:
        placeholder, file_mode = prefixes.get(path, (None, None))
        return PathEntry(
            path=path,
            path_type=found.get(path, "hardlink"),
            placeholder=placeholder,
            file_mode=file_mode,
            no_link=path in unlinked,
        )

    return tuple(entry(path) for path in _lines(info["files"]))


def parse_paths(data: bytes) -> tuple[PathEntry, ...]:
    """Return the entries of a ``paths.json`` in its order; for errors see `listed_paths`."""
    return tuple(map(_path_entry, parse_json(data)["paths"]))


def _lines(data: bytes) -> Iterator[str]:
    """Yield the lines of a list as conda reads them: neither empty ones nor comments."""
    lines = (line.strip() for line in data.decode().split("\n"))
    return (line for line in lines if line and not line.startswith("#"))


def _prefixes(data: bytes) -> Iterator[tuple[str, tuple[str, FileMode | None]]]:
    """Yield each path of a ``has_prefix`` with its placeholder and mode.

    A line is a path, or a placeholder, a mode and a path, each of which may be quoted.
    """
    for line in _lines(data):
        try:
            fields = [text.strip("\"'") for text in shlex.split(line, posix=False)]
        except ValueError:  # a quotation mark in a path
            fields = [line]
        if len(fields) != _FIELDS:
            yield (fields[0] if len(fields) == 1 else line), (DEFAULT_PLACEHOLDER, "text")
            continue
        placeholder, mode, path = fields
        if mode not in _FILE_MODES:
            raise ValueError(f"info/has_prefix lists {path} with the unknown mode {mode!r}")
        yield path, (placeholder, _FILE_MODES[mode])


def _path_entry(value: Mapping[str, object]) -> PathEntry:
    path, path_type = value["_path"], value.get("path_type", "hardlink")
    sha256, size = value.get("sha256"), value.get("size_in_bytes")
    placeholder = value.get("prefix_placeholder") or None
    file_mode = value.get("file_mode", "text") if placeholder else None
    if not isinstance(path, str) or not isinstance(sha256, str | None) or not isinstance(size, int | None):
        raise TypeError(f"info/paths.json has an entry with the path {path!r} that cannot be read")
    if path_type not in _PATH_TYPES:
        raise ValueError(f"info/paths.json lists {path} with the unknown type {path_type!r}")
    if file_mode not in _FILE_MODES or not isinstance(placeholder, str | None):
        raise ValueError(f"info/paths.json lists {path} with the unknown mode {file_mode!r}")
    if any("\ud800" <= character <= "\udfff" for character in placeholder or ""):
        raise ValueError(f"info/paths.json lists {path} with a placeholder that is not Unicode")
    return PathEntry(
        path=path,
        path_type=_PATH_TYPES[path_type],
        sha256=sha256,
        size=size,
        placeholder=placeholder,
        file_mode=_FILE_MODES[file_mode],
        no_link=bool(value.get("no_link", False)),
    )
