"""The log of a site: what was approved, waived, published and revoked. Pure: lines in, entries out.

Each line is JSON and has the SHA-256 of the line before it, so whoever keeps the hash of one line finds any
change of what was before it. It does not show that somebody got another log than others did: for that,
readers compare their hashes.
"""

import datetime as dt
import enum
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cuvee.codec import decode, encode
from cuvee.errors import IntegrityError
from cuvee.files import parse_json, sha256_bytes

LOG = "log/log.jsonl"
"""The log's file in a site."""

NOTHING = "0" * 64
"""What the first line has as the hash of the line before it."""


class LogEvent(enum.Enum):
    """What happened."""

    APPROVAL = "approval"
    WAIVER = "waiver"
    PUBLICATION = "publication"
    REVOCATION = "revocation"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One line of the log.

    Attributes
    ----------
    number
        Counted from 0.
    release
        The name of the release; empty for a revocation.
    digest
        The SHA-256 of the approval's file, of the waiver as canonical JSON, of the release's ``SHA256SUMS``,
        or of the public key in DER that is revoked.
    who
        Who approved, or decided; empty for a publication.
    note
        Why; may be empty.
    policy
        Of a publication, the SHA-256 of its policy of approvals; empty without one.
    previous
        The SHA-256 of the line before, without its end.
    """

    number: int = 0
    time: dt.datetime
    event: LogEvent
    release: str = ""
    digest: str
    who: str = ""
    note: str = ""
    policy: str = ""
    previous: str = NOTHING

    @property
    def line(self) -> bytes:
        """The entry as it is in the log, without the end of the line."""
        return json.dumps(encode(self), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode(
            errors="backslashreplace"
        )

    @property
    def head(self) -> str:
        """The SHA-256 of the line, which a reader keeps."""
        return sha256_bytes(self.line)


def read_log(data: bytes, *, source: str, kept: str = "") -> tuple[LogEntry, ...]:
    """Return the entries of a log, the chain of which holds.

    Parameters
    ----------
    kept
        The hash of a line that the reader has seen before; empty for none.

    Raises
    ------
    IntegrityError
        If a line was changed, removed, added or moved; it names the first one. Or if no line has the hash
        that was kept: what was before it was rewritten.
    """
    entries: list[LogEntry] = []
    previous = NOTHING
    lines = data.split(b"\n")
    if lines.pop():
        raise IntegrityError(f"{source} is cut short: its last line has no end", hint=_HINT)
    for number, line in enumerate(lines):
        entry = _entry(line, f"{source}:{number + 1}")
        if entry.number != number or entry.previous != previous or entry.line != line:
            raise IntegrityError(
                f"{source}:{number + 1}: this line does not follow the line before it", hint=_HINT
            )
        entries.append(entry)
        previous = sha256_bytes(line)
    if kept and kept not in {NOTHING, *(entry.head for entry in entries)}:
        raise IntegrityError(
            f"{source} was rewritten: none of its {len(entries):,} lines has the SHA-256 {kept}", hint=_HINT
        )
    return tuple(entries)


def head_of(entries: Sequence[LogEntry]) -> str:
    """Return the hash that a reader keeps of a log."""
    return entries[-1].head if entries else NOTHING


def with_entries(entries: Sequence[LogEntry], more: Iterable[LogEntry]) -> tuple[LogEntry, ...]:
    """Return a log with what happened since; what it has already is not repeated."""
    found = list(entries)
    known = {(item.event, item.release, item.digest) for item in entries}
    for item in more:
        key = (item.event, item.release, item.digest)
        if key not in known:
            known.add(key)
            found.append(replace(item, number=len(found), previous=head_of(found)))
    return tuple(found)


def log_bytes(entries: Iterable[LogEntry]) -> bytes:
    """Return the log's file."""
    return b"".join(entry.line + b"\n" for entry in entries)


def revoked_keys(entries: Iterable[LogEntry]) -> frozenset[str]:
    """Return the fingerprints of the keys that a log revokes."""
    return frozenset(item.digest for item in entries if item.event is LogEvent.REVOCATION)


def binding_publication(
    entries: Sequence[LogEntry], *, distribution: str, base: str | None
) -> LogEntry | None:
    """Return the publication whose list of approvers binds a release: that of its base, else the last one."""
    published = [item for item in entries if item.event is LogEvent.PUBLICATION]
    of_base = [item for item in published if item.release == base]
    own = [item for item in published if item.release.rpartition("-")[0] == distribution]
    return next(reversed(of_base or own), None)


def _entry(line: bytes, where: str) -> LogEntry:
    try:
        return decode(LogEntry, parse_json(line))
    except ValueError as error:
        raise IntegrityError(f"{where}: this line is not an entry of a log: {error}", hint=_HINT) from error


_HINT = "Do not trust this site; compare the log with a copy that you or others have kept."
