"""Reading records from repodata: one after the other, so that half a file still gives its half.

Understood are ``repodata.json`` and the ``index.json`` of one object, file name to record.
"""

import json
import re
import sys
from collections.abc import Generator
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any

from cuvee.conda.match_spec import read_version
from cuvee.conda.record import Record, RecordProblem
from cuvee.errors import SourceUnreachableError

_SECTIONS = ("packages", "packages.conda")
_ENDINGS = (".conda", ".tar.bz2")
_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repodata:
    """What a subdir of a channel carries.

    Attributes
    ----------
    records
        In the file's order; of ``.conda`` and ``.tar.bz2`` twins the ``.conda`` alone.
    problems
        What could not be read.
    twins
        How many ``.tar.bz2`` have a ``.conda`` that takes their place.
    """

    records: tuple[Record, ...]
    problems: tuple[RecordProblem, ...]
    twins: int = 0


def read_repodata(path: Path, *, subdir: str) -> Repodata:
    """Read the file at ``path``; records that do not name their subdir are of ``subdir``.

    Raises
    ------
    SourceUnreachableError
        If there is no such file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceUnreachableError(
            f"Can not read {path}: {error.strerror}",
            hint="A channel is a URL, or a folder with <subdir>/repodata.json.",
        ) from error
    return parse_repodata(data, subdir=subdir, where=str(path))


def parse_repodata(data: bytes, *, subdir: str, where: str) -> Repodata:
    """Read the bytes of a ``repodata.json``; ``where`` names it in problems."""
    text = data.decode("utf-8", errors="replace")
    records: dict[str, Record] = {}
    problems: list[RecordProblem] = []
    try:
        for file_name, value in _entries(text):
            record = _record(file_name, value, subdir)
            if isinstance(record, RecordProblem):
                problems.append(record)
            else:
                records[file_name] = record
    except (ValueError, RecursionError) as error:
        problems.append(RecordProblem(where=where, message=_position(error)))
    twins = [name for name in records if name.endswith(".tar.bz2") and _conda(name) in records]
    for name in twins:
        del records[name]
    return Repodata(records=tuple(records.values()), problems=tuple(problems), twins=len(twins))


def _conda(file_name: str) -> str:
    return file_name.removesuffix(".tar.bz2") + ".conda"


def _position(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}; what follows is unread"
    return f"not JSON: {error or 'nested too deeply'}; what follows is unread"


def _entries(text: str) -> Generator[tuple[str, Any], None, None]:
    """Give each file name with its value, wherever the two layouts keep them."""
    decoder = json.JSONDecoder()
    start = _skip(text, 0)
    if text[start : start + 1] != "{":
        raise json.JSONDecodeError("Expecting an object", text, start)
    place = yield from _members(text, start, decoder, nested=True)
    if text[place:].strip():
        raise json.JSONDecodeError("Extra data", text, place)


def _members(
    text: str, start: int, decoder: json.JSONDecoder, *, nested: bool
) -> Generator[tuple[str, Any], None, int]:
    """Walk over the object at ``start``; give its records, and return where it ends."""
    place = _skip(text, start + 1)
    if text[place : place + 1] == "}":
        return place + 1
    while True:
        if text[place : place + 1] != '"':
            raise json.JSONDecodeError("Expecting a name in double quotes", text, place)
        key, place = scanstring(text, place + 1, True)
        place = _skip(text, place)
        if text[place : place + 1] != ":":
            raise json.JSONDecodeError("Expecting ':'", text, place)
        place = _skip(text, place + 1)
        if nested and key in _SECTIONS and text[place : place + 1] == "{":
            place = yield from _members(text, place, decoder, nested=False)
        else:
            value, place = decoder.raw_decode(text, place)
            if not nested or key in _SECTIONS or key.endswith(_ENDINGS):
                yield key, value
        place = _skip(text, place)
        if text[place : place + 1] == "}":
            return place + 1
        if text[place : place + 1] != ",":
            raise json.JSONDecodeError("Expecting ',' or '}'", text, place)
        place = _skip(text, place + 1)


def _skip(text: str, place: int) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _record(file_name: str, value: object, subdir: str) -> Record | RecordProblem:
    """Turn one entry into a record, or say what is wrong with it."""
    try:
        return _checked(file_name, value, subdir)
    except (TypeError, ValueError) as error:
        return RecordProblem(where=file_name, message=str(error))


def _checked(file_name: str, value: object, subdir: str) -> Record:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    if not file_name.endswith(_ENDINGS):
        raise ValueError("its name ends neither in .conda nor in .tar.bz2")
    version = _text(value, "version")
    if read_version(version) is None:
        raise ValueError(f"{version!r} is not a version")
    number = value.get("build_number", 0)
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise ValueError(f"build_number is {number!r}, not a number")
    timestamp = value.get("timestamp")
    return Record(
        name=sys.intern(_text(value, "name")),
        version=sys.intern(version),
        build=_text(value, "build"),
        build_number=number,
        subdir=sys.intern(_text(value, "subdir", subdir)),
        url=file_name,
        depends=_texts(value, "depends"),
        constrains=_texts(value, "constrains"),
        track_features=_features(value.get("track_features")),
        timestamp=timestamp if isinstance(timestamp, int) else None,
        license=sys.intern(_optional(value, "license")) or None,
        md5=_optional(value, "md5") or None,
        sha256=_optional(value, "sha256"),
    )


def _text(value: dict[str, Any], key: str, default: str | None = None) -> str:
    found = value.get(key, default)
    if not isinstance(found, str) or not found:
        raise TypeError(f"{key} is {found!r}, not a text" if key in value else f"it has no {key}")
    return found


def _optional(value: dict[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _texts(value: dict[str, Any], key: str) -> tuple[str, ...]:
    found = value.get(key) or []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise TypeError(f"{key} is not a list of texts")
    return tuple(sys.intern(item) for item in found)


def _features(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value.replace(",", " ").split())
    return tuple(map(str, value)) if isinstance(value, list) else ()
