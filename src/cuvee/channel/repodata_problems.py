"""Finding the records of a local channel that cannot be read: rattler's errors do not name them."""

import json
from collections.abc import Iterator
from pathlib import Path

from cuvee.conda.rattler_records import RecordKey, read_key

_NAMED = 5
_MOST_BYTES = 512 << 20


def repodata_problems(folder: Path) -> tuple[str, ...]:
    """Return the first few records that cannot be read, each with the reason.

    Parameters
    ----------
    folder
        A channel: a folder with ``<subdir>/repodata.json``.
    """
    found = []
    for path in sorted(folder.glob("*/repodata.json")):
        for line in _problems(path):
            found.append(f"{path.parent.name}/{line}")
            if len(found) == _NAMED:
                return tuple(found)
    return tuple(found)


def _problems(path: Path) -> Iterator[str]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            return
        data = json.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        yield f"repodata.json, line {error.lineno}, column {error.colno}: {error.msg}"
        return
    except (OSError, UnicodeDecodeError, RecursionError):
        yield "repodata.json: it is not JSON"
        return
    for key in ("packages", "packages.conda"):
        records = data.get(key, {}) if isinstance(data, dict) else None
        if not isinstance(records, dict):
            yield f"repodata.json: {key} is not a mapping"
            continue
        for name, record in records.items():
            problem = _problem(record)
            if problem is not None:
                yield f"{name}: {problem}"


def _problem(record: object) -> str | None:
    """Return why a record cannot be read; `None` if it can."""
    if not isinstance(record, dict):
        return "the record is not a mapping"
    kinds = {"name": str, "version": str, "build": str, "build_number": int, "depends": list}
    for key, kind in kinds.items():
        if not isinstance(record.get(key, [] if kind is list else None), kind):
            return f"{key} is {_shown(record.get(key))}"
    for key in ("depends", "constrains"):
        items = record.get(key, [])
        wrong = [item for item in items if not isinstance(item, str)] if isinstance(items, list) else [items]
        if wrong:
            return f"{key} has {_shown(wrong[0])}"
    found = read_key(RecordKey(*(record[key] for key in ("name", "version", "build", "build_number"))))
    return found if isinstance(found, str) else None


def _shown(value: object) -> str:
    text = "missing" if value is None else json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 60 else f"{text[:60]}…"  # noqa: PLR2004 - enough to find it
