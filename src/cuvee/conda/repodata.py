"""Read records from repodata: ``repodata.json``, or an ``index.json`` that maps file names to records.

Format: https://github.com/conda/ceps/blob/main/cep-0036.md
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from cuvee.conda.garbage_collection import gc_paused
from cuvee.conda.match_spec import read_version
from cuvee.conda.package_info import features_of
from cuvee.conda.package_record import Record, RecordProblem

_SECTIONS = ("packages", "packages.conda")
_ENDINGS = (".conda", ".tar.bz2")
_NAME = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repodata:
    """The records of a subdir of a channel.

    Attributes
    ----------
    records
        In the file's order; of ``.conda`` and ``.tar.bz2`` twins only the ``.conda``.
    problems
        What could not be read.
    twins
        How many ``.tar.bz2`` are left out because there is a ``.conda`` of the same record.
    """

    records: tuple[Record, ...]
    problems: tuple[RecordProblem, ...]
    twins: int = 0


@gc_paused()
def parse_repodata(data: bytes, *, subdir: str, where: str) -> Repodata:
    """Return the records of a ``repodata.json``; ``where`` names it in problems.

    A truncated or malformed document has no records, and one problem with line and column.
    """
    records: dict[str, Record] = {}
    problems: list[RecordProblem] = []
    try:
        document = json.loads(data.decode("utf-8", errors="replace"))
    except (ValueError, RecursionError) as error:
        return Repodata(records=(), problems=(RecordProblem(where=where, message=_reason(error)),))
    if not isinstance(document, dict):
        return Repodata(records=(), problems=(RecordProblem(where=where, message="not an object"),))
    for file_name, value in _entries(document):
        record = _record(file_name, value, subdir)
        if isinstance(record, RecordProblem):
            problems.append(record)
        else:
            records[file_name] = record
    twins = [name for name in records if name.endswith(".tar.bz2") and _conda(name) in records]
    for name in twins:
        del records[name]
    return Repodata(records=tuple(records.values()), problems=tuple(problems), twins=len(twins))


def _conda(file_name: str) -> str:
    return file_name.removesuffix(".tar.bz2") + ".conda"


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _entries(document: dict[str, object]) -> Iterator[tuple[str, object]]:
    """Yield each file name with its value, wherever the two layouts keep them."""
    for key, value in document.items():
        if key in _SECTIONS and isinstance(value, dict):
            yield from value.items()
        elif key in _SECTIONS or key.endswith(_ENDINGS):
            yield key, value


def _record(file_name: str, value: object, subdir: str) -> Record | RecordProblem:
    """Return the record of one entry, or what is wrong with it."""
    try:
        return _checked(file_name, value, subdir)
    except (TypeError, ValueError) as error:
        return RecordProblem(where=file_name, message=str(error))


def _checked(file_name: str, value: object, subdir: str) -> Record:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    if not file_name.endswith(_ENDINGS):
        raise ValueError("its name ends neither in .conda nor in .tar.bz2")
    name, version = _text(value, "name"), _text(value, "version")
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is not a package name")
    if read_version(version) is None:
        raise ValueError(f"{version!r} is not a version")
    number = value.get("build_number", 0)
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise ValueError(f"build_number is {number!r}, not a number")
    timestamp = value.get("timestamp")
    return Record(
        name=sys.intern(name),
        version=sys.intern(version),
        build=_text(value, "build"),
        build_number=number,
        subdir=sys.intern(_text(value, "subdir", subdir)),
        url=file_name,
        depends=_texts(value, "depends"),
        constrains=_texts(value, "constrains"),
        track_features=features_of(value.get("track_features")),
        timestamp=timestamp if isinstance(timestamp, int) else None,
        license=sys.intern(_optional(value, "license")) or None,
        md5=_optional(value, "md5") or None,
        sha256=_optional(value, "sha256"),
    )


def _text(value: dict[str, object], key: str, default: str | None = None) -> str:
    found = value.get(key, default)
    if not isinstance(found, str) or not found:
        raise TypeError(f"{key} is {found!r}, not a text" if key in value else f"it has no {key}")
    return found


def _optional(value: dict[str, object], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""


def _texts(value: dict[str, object], key: str) -> tuple[str, ...]:
    found = value.get(key) or []
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise TypeError(f"{key} is not a list of texts")
    return tuple(sys.intern(item) for item in found)
