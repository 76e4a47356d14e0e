"""The steps that a certificate's records ask for: worked out from the records alone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cuvee.conda.match_spec import read_spec
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.rattler_records import RecordKey, read_key
from cuvee.conda.url_secrets import without_secrets

if TYPE_CHECKING:
    from rattler import PackageRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofStep:
    """One step of the proof: what it must say, as JSON, and why it is not true, if so."""

    text: str
    problem: str | None = None


class _Set:
    """The records of one platform by name, for matching."""

    def __init__(self, section: Mapping[str, Any]) -> None:
        self._found: dict[str, tuple[str, PackageRecord | None]] = {}
        for item in section["virtual_packages"]:
            self._found[item["name"]] = (f"{item['name']} {item['version']}", _record(item))
        for item in section["records"]:
            self._found[item["name"]] = (stem(item), _record(item))

    def step(self, text: str, words: str, *, key: str, needed: bool, source: str | None = None) -> ProofStep:
        """Work out one step: ``text`` is a match spec, ``words`` says who states it.

        A spec that is not ``needed`` may speak of a package that is not in the set.
        """
        spec = read_spec(text).matcher
        name = "" if spec is None else spec.name.normalized
        title, record = self._found.get(name, (None, None))
        named = {} if source is None else {"from": source}
        entry = json.dumps(named | {"spec": text, key: title}, sort_keys=True)
        problem = None
        if spec is None:
            problem = f"{words} {text!r}, which is not a match spec of one name"
        elif title is None and needed:
            problem = f"{words} {text!r}, and the set has no {name}"
        elif title is not None and (record is None or not spec.matches(record)):
            problem = f"{words} {text!r}, which {title} does not meet"
        return ProofStep(text=entry, problem=problem)


def stem(record: Mapping[str, Any]) -> str:
    """Give ``name-version-build``."""
    return f"{record['name']}-{record['version']}-{record['build']}"


def as_record(package: LockedPackage) -> dict[str, Any]:
    """Give what a certificate says of a package."""
    return {
        "name": package.name,
        "version": package.version,
        "build": package.build,
        "build_number": package.build_number,
        "subdir": package.subdir,
        "sha256": package.sha256,
        "url": without_secrets(package.url),
        "depends": list(package.depends),
        "constrains": list(package.constrains),
    }


def steps(section: Mapping[str, Any]) -> Mapping[str, Sequence[ProofStep]]:
    """Work out all steps of one platform, by the key that they have in the file, in order."""
    found = _Set(section)
    return {
        "requirements": [
            found.step(item["spec"], "the manifest asks for", key="met_by", needed=True)
            for item in section["requirements"]
        ],
        "constraints": [
            found.step(item["spec"], "the manifest constrains", key="met_by", needed=False)
            for item in section["constraints"]
        ],
        "edges": [
            found.step(text, f"{stem(item)} depends on", key="to", needed=True, source=stem(item))
            for item in section["records"]
            for text in item["depends"]
        ],
        "constrains": [
            found.step(text, f"{stem(item)} constrains", key="to", needed=False, source=stem(item))
            for item in section["records"]
            for text in item["constrains"]
        ],
    }


def _record(item: Mapping[str, Any]) -> "PackageRecord | None":
    """Give rattler's record; `None` if it can't be one, which then meets nothing."""
    number, subdir = item.get("build_number", 0), item.get("subdir", "noarch")
    found = read_key(RecordKey(item["name"], item["version"], item["build"], number, subdir))
    return None if isinstance(found, str) else found
