"""The parts of a release's record that questions about its lock need.

The whole record has what every stage left: reading it, and importing all its types, takes much longer than
the answer to such a question. What is not read here cannot change the answer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cuvee.channel.model import Absent
from cuvee.codec import Document
from cuvee.errors import IntegrityError
from cuvee.files import parse_json, storage_errors
from cuvee.manifest.model import Manifest

RECORD = "release.json"
"""The record's file in the release folder."""

_LOCK = "lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordParts:
    """What a record says of a release up to its lock.

    Attributes
    ----------
    absent
        The platforms that could not be made.
    locks
        The SHA-256 of the lock, by its path in the release folder.
    """

    manifest: Manifest
    absent: tuple[Absent, ...] = ()
    locks: Mapping[str, str]


_PARTS = Document(name="release", kind=RecordParts)


def read_parts(folder: Path) -> RecordParts:
    """Return what the record in a release folder says of the release up to its lock.

    Raises
    ------
    IntegrityError
        If ``release.json`` is not what cuvee writes.
    """
    path = folder / RECORD
    with storage_errors(path):
        data = path.read_bytes()
    try:
        whole = parse_json(data)
        artefacts = whole["locked"].get("artefacts", [])
        parts = {
            "release": whole["release"],
            "manifest": whole["manifest"],
            "absent": whole["channel"].get("absent", []),
            "locks": {item["path"]: item["sha256"] for item in artefacts if item["kind"] == _LOCK},
        }
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise IntegrityError(
            f"{path} cannot be read: it is not the record of a release",
            hint="It was changed, or written by another version of cuvee; make it again.",
        ) from error
    return _PARTS.from_values(parts, source=str(path))
