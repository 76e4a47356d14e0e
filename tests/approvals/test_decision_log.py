"""The log of a site: whoever kept a head finds any rewriting."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.approvals.decision_log import (
    NOTHING,
    LogEntry,
    LogEvent,
    head_of,
    log_bytes,
    read_log,
    revoked_keys,
    with_entries,
)
from cuvee.errors import IntegrityError
from cuvee.files import sha256_bytes

NOON = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)


def entry(number: int, event: LogEvent = LogEvent.PUBLICATION, note: str = "") -> LogEntry:
    return LogEntry(
        time=NOON, event=event, release=f"lab-2026.11.{number}", digest=f"{number:064x}", note=note
    )


def log(count: int, note: str = "") -> tuple[LogEntry, ...]:
    return with_entries((), [entry(number, note=note) for number in range(count)])


def test_a_log_is_read_back_and_its_head_is_the_hash_of_its_last_line() -> None:
    entries = log(3, note="Ünï\u2028code \x1b")
    data = log_bytes(entries)
    assert read_log(data, source="log") == entries
    assert data.count(b"\n") == 3
    assert head_of(entries) == sha256_bytes(data.rstrip(b"\n").split(b"\n")[-1])
    assert (head_of(()), read_log(b"", source="log")) == (NOTHING, ())
    for kept in (NOTHING, *(item.head for item in entries)):
        assert read_log(data, source="log", kept=kept) == entries


def test_what_is_there_is_not_added_again() -> None:
    entries = log(3)
    assert with_entries(entries, [entry(1), entry(1)]) == entries
    more = with_entries(entries, [entry(1, LogEvent.REVOCATION), entry(9)])
    assert [item.number for item in more] == [0, 1, 2, 3, 4]
    assert more[:3] == entries
    assert revoked_keys(more) == {f"{1:064x}"}
    read_log(log_bytes(more), source="log", kept=head_of(entries))


@given(st.integers(1, 6), st.data())
def test_any_changed_byte_is_found_by_who_kept_the_head(count: int, data: st.DataObject) -> None:
    entries = log(count)
    text = bytearray(log_bytes(entries))
    text[data.draw(st.integers(0, len(text) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(IntegrityError):
        read_log(bytes(text), source="log", kept=head_of(entries))


@given(st.integers(2, 6), st.data())
def test_lines_that_are_moved_removed_or_repeated_are_found(count: int, data: st.DataObject) -> None:
    entries = log(count)
    lines = log_bytes(entries).splitlines(keepends=True)
    order = data.draw(st.lists(st.integers(0, count - 1), max_size=count + 1))
    text = b"".join(lines[number] for number in order)
    if order == list(range(len(order))):
        if len(order) == count:
            return
        read_log(text, source="log")  # the beginning of a log is a log: only the head shows what is gone
    with pytest.raises(IntegrityError):
        read_log(text, source="log", kept=head_of(entries))


def test_a_log_that_was_written_again_has_another_head() -> None:
    kept = head_of(log(2))
    forged = log(3, note="forged")
    assert read_log(log_bytes(forged), source="log") == forged
    with pytest.raises(IntegrityError, match="log was rewritten: none of its 3 lines has the SHA-256"):
        read_log(log_bytes(forged), source="log", kept=kept)


@pytest.mark.parametrize(
    "data", [b"{}\n", b"\n", b"[1]\n", b"\xff\n", log_bytes(log(1))[:-1], b"[" * 100_000 + b"\n"]
)
def test_what_is_no_log_is_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        read_log(data, source="log")
