"""What is current in a subdir of a channel, for conda, which tries with ``current_repodata.json`` first."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from cuvee.conda.match_spec import read_spec, read_version
from cuvee.conda.rattler_records import RecordKey, read_key

_Records = Mapping[str, Mapping[str, Any]]


def current_records(records: _Records) -> dict[str, Mapping[str, Any]]:
    """Return the records of the newest version of each package, and what these need of older ones.

    Only needs within the subdir count. If that has no solution, conda takes the whole index.
    """
    by_name: dict[str, list[str]] = defaultdict(list)
    for file, record in records.items():
        by_name[record["name"]].append(file)
    found: set[str] = set()
    pending = [file for files in by_name.values() for file in _newest(files, records)]
    while pending:
        file = pending.pop()
        if file in found:
            continue
        found.add(file)
        for text in records[file].get("depends", ()):
            spec = read_spec(text)
            fitting = [item for item in by_name.get(spec.name, ()) if _matches(spec.matcher, records[item])]
            newest = set(_newest(by_name.get(spec.name, []), records))
            if fitting and not newest & set(fitting):
                pending += _newest(fitting, records)
    return {file: records[file] for file in sorted(found)}


def _newest(files: list[str], records: _Records) -> list[str]:
    """Return those of the highest version; versions that cannot be read are all current."""
    read = {file: read_version(str(records[file]["version"])) for file in files}
    versions = [version for version in read.values() if version is not None]
    highest = max(versions, default=None)
    return [file for file, version in read.items() if version is None or version == highest]


def _matches(matcher: Any, record: Mapping[str, Any]) -> bool:
    key = read_key(
        RecordKey(str(record["name"]), str(record["version"]), str(record["build"]), record["build_number"])
    )
    return matcher is not None and not isinstance(key, str) and matcher.matches(key)
