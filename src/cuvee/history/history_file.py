"""The history file: one SQLite database, which any tool opens; see ``migrations/`` for its tables."""

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from cuvee.errors import IntegrityError, StorageError, UsageError
from cuvee.files import sha256_file, storage_errors
from cuvee.history.file_forms import check, form, migrate, migrations
from cuvee.history.model import HistoryRun
from cuvee.integration.outcomes import PlatformRun

HISTORY = "cuvee-history.sqlite"
"""Its name, if the user states none."""

_BUSY_SECONDS = 60.0


class HistoryFile:
    """An open history file; writers take turns, and each run is added whole or not at all."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[Self]:
        """Open a history file, or make one; one of an older form is migrated first.

        Raises
        ------
        IntegrityError
            If it is damaged, or was written by a newer version of cuvee.
        UsageError
            If it is a database of another program.
        StorageError
            If it cannot be written, or others write to it for longer than a minute.
        """
        with _clear_errors(path), storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None)
            try:
                check(connection, path)
                migrate(connection)
                yield cls(connection)
            finally:
                connection.close()

    @classmethod
    @contextmanager
    def open_to_read(cls, path: Path) -> Iterator[Self]:
        """Open a history file that is there, of which nothing is changed.

        Raises
        ------
        UsageError
            If there is none, or it is a database of another program.
        IntegrityError
            If it is damaged, or of another version of cuvee.
        """
        if not path.is_file():
            raise UsageError(
                f"There is no history at {path}",
                hint="`cuvee release` and `cuvee test` write one beside `dist`; --history names another.",
            )
        with _reading(path) as connection:
            if form(connection) != len(migrations()):
                raise IntegrityError(
                    f"{path} was written by an older version of cuvee",
                    hint="The next `cuvee release` or `cuvee test` brings it up to date.",
                )
            yield cls(connection)

    def add(self, run: HistoryRun) -> bool:
        """Add a run; return whether it was not there. One that is there gets the later time of the two."""
        with self._transaction():
            known = self.connection.execute(
                "SELECT id FROM run WHERE fingerprint = ?", (run.fingerprint,)
            ).fetchone()
            if known is not None:
                self.connection.execute(
                    # Without a change, SQLite does not wait for the disk.
                    "UPDATE run SET made_at = ? WHERE id = ? AND made_at < ?",
                    (_utc(run), known[0], _utc(run)),
                )
                return False
            self._insert(run)
        return True

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def _insert(self, run: HistoryRun) -> None:
        number = self.connection.execute(
            "INSERT INTO run (fingerprint, distribution, version, year, month, patch, base, made_at, verdict,"
            " released, failure, inputs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                run.fingerprint,
                run.distribution,
                str(run.version),
                run.version.year,
                run.version.month,
                run.version.patch,
                run.base,
                _utc(run),
                run.verdict.value,
                run.released,
                run.failure,
                run.inputs,
            ),
        ).lastrowid
        for platform_run in run.runs:
            self._insert_platform(number, platform_run)
        self.connection.executemany(
            "INSERT INTO package VALUES (?, ?, ?, ?, ?, ?)",
            ((number, p.platform, p.name, p.version, p.build, p.sha256) for p in run.packages),
        )
        self.connection.executemany(
            "INSERT INTO artefact VALUES (?, ?, ?)", ((number, a.path, a.sha256) for a in run.artefacts)
        )
        self.connection.executemany(
            "INSERT INTO finding (run, check_id, verdict, cause, packages, platforms)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                (number, f.check, f.verdict.value, f.cause, json.dumps(f.packages), json.dumps(f.platforms))
                for f in run.findings
            ),
        )

    def _insert_platform(self, run: int | None, found: PlatformRun) -> None:
        number = self.connection.execute(
            "INSERT INTO platform_run (run, platform, runner, not_run, machine) VALUES (?, ?, ?, ?, ?)",
            (
                run,
                found.platform,
                found.runner,
                found.not_run,
                json.dumps(dict(found.environment), sort_keys=True),
            ),
        ).lastrowid
        self.connection.executemany(
            "INSERT OR IGNORE INTO test (suite, name) VALUES (?, ?)",
            ((outcome.suite, outcome.test) for outcome in found.outcomes),
        )
        self.connection.executemany(
            "INSERT INTO outcome SELECT ?, id, ?, ?, ?, ?, ?, ? FROM test WHERE suite = ? AND name = ?",
            (
                (
                    number,
                    outcome.state.value,
                    outcome.seconds,
                    outcome.package,
                    json.dumps(outcome.packages),
                    outcome.reason,
                    outcome.log,
                    outcome.suite,
                    outcome.test,
                )
                for outcome in found.outcomes
            ),
        )
        self.connection.executemany(
            "INSERT INTO attempt SELECT ?, id, ?, ?, ?, ? FROM test WHERE suite = ? AND name = ?",
            (
                (number, count, item.state.value, item.seconds, item.reason, outcome.suite, outcome.test)
                for outcome in found.outcomes
                for count, item in enumerate(outcome.attempts, 1)
            ),
        )


def set_aside_if_damaged(path: Path) -> Path | None:
    """Rename a damaged history file, so that a new one can be made; return its new name, or `None`.

    Nothing is deleted: what can be read of it can be saved with the program ``sqlite3``.
    """
    if not path.is_file():
        return None
    try:
        with _reading(path) as connection:  # one of an older form may be damaged, too
            problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except IntegrityError as error:
        if not isinstance(error.__cause__, sqlite3.DatabaseError):
            return None  # of a newer version: it is not damaged
        problem = str(error)
    if problem == "ok":
        return None
    aside = path.with_name(f"{path.name}.damaged-{sha256_file(path)[:8]}")
    with storage_errors(path):
        path.rename(aside)
    return aside


def _utc(run: HistoryRun) -> str:
    return run.made_at.astimezone(dt.UTC).isoformat()


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    with _clear_errors(path):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        try:
            check(connection, path)
            yield connection
        finally:
            connection.close()


@contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise StorageError(
                f"Others write to {path}", hint="Wait until they have finished, then run the command again."
            ) from error
        raise StorageError(f"{path}: {error}", hint="`--history FILE` names another place.") from error
    except sqlite3.IntegrityError as error:
        raise IntegrityError(
            f"A run names the same thing twice, and was not added to {path}: {error}",
            hint="Look at what it was imported from; cuvee does not write such runs.",
        ) from error
    except sqlite3.DatabaseError as error:
        raise IntegrityError(
            f"{path} is damaged: {error}",
            hint="`cuvee release` sets it aside and begins a new one; `--import` reads what was exported.",
        ) from error
