"""The forms of a history file: numbered SQL files, which bring an older one up to date."""

import sqlite3
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from cuvee.errors import IntegrityError, UsageError

APPLICATION = int.from_bytes(b"cuve")
"""``PRAGMA application_id`` of a history file: https://www.sqlite.org/pragma.html#pragma_application_id"""


def migrations() -> list[str]:
    """Return the names of all migrations, in order; a file's form is the number of those it has had."""
    folder = files("cuvee.history") / "migrations"
    return sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))


def form(connection: sqlite3.Connection) -> int:
    """Return the form of a history file; 0 if it has no tables yet."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise unless a file is a history, or empty, and not newer than this version of cuvee.

    Raises
    ------
    UsageError, IntegrityError
        If it belongs to another program, or to a newer version.
    """
    connection.execute("PRAGMA foreign_keys = ON")
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = form(connection)
    is_empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if application != APPLICATION and not (is_empty and application == version == 0):
        raise UsageError(
            f"{path} is a database of another program", hint="Choose another file for --history."
        )
    if version > len(migrations()):
        raise IntegrityError(
            f"{path} was written by a newer version of cuvee (form {version}; this one knows"
            f" {len(migrations())})",
            hint="Use that version, or another file for --history.",
        )


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables up to date; each migration is one transaction."""
    for number, name in enumerate(migrations(), 1):
        if number <= form(connection):
            continue
        script = (files("cuvee.history") / "migrations" / name).read_text(encoding="utf-8")
        connection.execute("BEGIN IMMEDIATE")
        if number <= form(connection):  # another process was faster
            connection.execute("ROLLBACK")
            continue
        try:
            for statement in _statements(script):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute(f"PRAGMA user_version = {number}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script; `sqlite3.Connection.executescript` would commit first."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
