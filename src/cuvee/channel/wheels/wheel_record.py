"""Reading the RECORD of a wheel: the hash that it states for each member, and where it breaks its format.

Installers do not mind how RECORD is written, so a wheel is refused only for a hash that differs. The hash of
the whole wheel has been compared with the index's before.
https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import base64
import csv
import hashlib
import io
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cuvee.errors import IntegrityError

_STRONG = {"sha256", "sha384", "sha512"}
_KNOWN = {name for name in hashlib.algorithms_guaranteed if not name.startswith("shake")}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEntry:
    """A line of RECORD: the hash of a member, and its size if that is stated and right."""

    algorithm: str
    digest: str
    size: int | None

    @property
    def is_strong(self) -> bool:
        """Whether the hash protects against more than accidents."""
        return self.algorithm in _STRONG

    def agrees(self, data: bytes) -> bool:
        """Whether the hash is that of a member's bytes."""
        return self.digest == record_digest(data, self.algorithm)


@dataclass(slots=True)
class WheelRecord:
    """The hashes by member, in the order of the lines, and the lines that break the format."""

    entries: dict[str, list[RecordEntry]] = field(default_factory=dict)
    irregularities: list[str] = field(default_factory=list)

    def of(self, member: str) -> RecordEntry | None:
        """Return the first strong hash of a member, to be stated again when it is installed."""
        return next((entry for entry in self.entries.get(member, ()) if entry.is_strong), None)


def record_digest(data: bytes, algorithm: str = "sha256") -> str:
    """Return a hash as RECORD has it: in URL-safe base64, without padding."""
    digest = hashlib.new(algorithm, data, usedforsecurity=algorithm in _STRONG).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def parse_record(data: bytes, sizes: Mapping[str, int], unsigned: set[str], *, where: str) -> WheelRecord:
    """Read RECORD.

    Parameters
    ----------
    sizes
        Of all members, by path.
    unsigned
        The members that have no hash by the specification.

    Raises
    ------
    IntegrityError
        If it is not text.
    """
    try:
        rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    except (csv.Error, UnicodeDecodeError) as error:
        raise IntegrityError(f"{where}: RECORD cannot be read: {error}") from None
    record = WheelRecord()
    for row in filter(None, rows):
        path = _member(row[0], sizes, record)
        if path is not None and path not in unsigned:
            _add(path, row, sizes[path], record)
    missing = sizes.keys() - record.entries.keys() - unsigned
    record.irregularities += [f"RECORD does not list {path}" for path in sorted(missing)]
    return record


def _member(path: str, sizes: Mapping[str, int], record: WheelRecord) -> str | None:
    if path in sizes:
        return path
    normal = posixpath.normpath(path.replace("\\", "/"))
    if normal in sizes:
        record.irregularities.append(f"RECORD has {path!r} for {normal}")
        return normal
    is_folder = normal == "." or any(member.startswith(f"{normal}/") for member in sizes)
    why = "is a folder" if is_folder else "does not exist"
    record.irregularities.append(f"RECORD lists {path!r}, which {why}")
    return None


def _add(path: str, row: Sequence[str], size: int, record: WheelRecord) -> None:
    if path in record.entries:
        record.irregularities.append(f"RECORD lists {path} twice")
    stated, length = (*row[1:], "", "")[:2]
    name, _, digest = stated.partition("=")
    algorithm = name.lower()
    entries = record.entries.setdefault(path, [])
    if algorithm not in _KNOWN or not digest:
        record.irregularities.append(f"RECORD has no hash of {path} that is known: {stated!r}")
        return
    if algorithm != name:
        record.irregularities.append(f"RECORD has {name}= for {path}, instead of {algorithm}=")
    if algorithm not in _STRONG:
        record.irregularities.append(f"RECORD has the weak hash {algorithm} of {path}")
    is_right = length == str(size)
    if not is_right and length:
        record.irregularities.append(f"RECORD has the size {length!r} of {path}, which has {size:,} bytes")
    entries.append(
        RecordEntry(
            algorithm=algorithm,
            digest=digest.rstrip("=").translate(str.maketrans("+/", "-_")),
            size=size if is_right else None,
        )
    )
