"""Questions to a history file."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

from cuvee.graph.findings import Verdict
from cuvee.history.history_file import HistoryFile
from cuvee.history.model import (
    FlipRate,
    HistoryArtefact,
    HistoryFinding,
    HistoryPackage,
    HistoryRun,
    Point,
)
from cuvee.integration.outcomes import Attempt, OutcomeState, PlatformRun, TestOutcome
from cuvee.integration.reference_comparison import Reference
from cuvee.manifest.model import ReleaseVersion

_RAN = f"state IN ({', '.join(repr(state.value) for state in OutcomeState if state.has_run)})"
_FLIPPED = (
    "(state = 'flaky' OR (SELECT count(DISTINCT attempt.state = 'pass') FROM attempt"
    " WHERE attempt.platform_run = outcome.platform_run AND attempt.test = outcome.test) = 2)"
)
"""Whether a test failed and passed in one run; older files have no attempts."""


def find_reference(
    history: HistoryFile, distribution: str, version: ReleaseVersion, *, base: str, run: PlatformRun
) -> Reference | None:
    """Return the run that ``run`` is compared with, or `None` if there is none.

    It is the last run, on the same platform and with the same runner, of the release that this one is based
    on; without a base, that of the last earlier version that was released.

    Parameters
    ----------
    base
        The release that this one is based on, such as ``starter-2026.10.2``; may be empty.
    """
    which = (
        "AND run.distribution || '-' || run.version = :base"
        if base
        else (
            "AND run.distribution = :distribution AND run.released"
            " AND (year, month, patch) < (:year, :month, :patch)"
        )
    )
    found = history.connection.execute(
        "SELECT platform_run.id, run.id, run.distribution || '-' || run.version, run.released FROM run"  # noqa: S608 - two constants
        " JOIN platform_run ON platform_run.run = run.id"
        f" WHERE platform = :platform AND runner IS :runner AND not_run IS NULL {which}"
        " ORDER BY year DESC, month DESC, patch DESC, made_at DESC, run.id DESC LIMIT 1",
        {
            "base": base,
            "distribution": distribution,
            "year": version.year,
            "month": version.month,
            "patch": version.patch,
            "platform": run.platform,
            "runner": run.runner,
        },
    ).fetchone()
    if found is None:
        return None
    platform_run, number, release, released = found
    names = history.connection.execute(
        "SELECT name FROM package WHERE run = ? AND platform = ?", (number, run.platform)
    )
    return Reference(
        release=release,
        released=bool(released),
        run=_platform_run(history, platform_run),
        packages=frozenset(name for (name,) in names),
    )


def points(history: HistoryFile, name: str) -> tuple[Point, ...]:
    """Return what became of a test, or of all tests of a package, in the last run of each release.

    Parameters
    ----------
    name
        A test, with its suite before it (``smoke/import:numpy``) or without, or a package that tests involve.

    Returns
    -------
    tuple of Point
        By suite, test, platform and runner, then by version.
    """
    rows = history.connection.execute(
        "SELECT suite, test.name, platform, runner, distribution || '-' || version, max(made_at), state,"  # noqa: S608 - constants
        f" seconds, package, reason, sum({_RAN}), sum({_FLIPPED})"
        " FROM outcome JOIN test ON test.id = outcome.test"
        " JOIN platform_run ON platform_run.id = outcome.platform_run JOIN run ON run.id = platform_run.run"
        " WHERE (suite || '/' || test.name = :name OR test.name = :name OR package = :name"
        " OR instr(packages, :quoted))"
        " AND runner IS NOT NULL"
        " GROUP BY suite, test.name, platform, runner, distribution, year, month, patch"
        " ORDER BY distribution, suite, test.name, platform, runner, year, month, patch",
        {"name": name, "quoted": json.dumps(name)},
    )
    return tuple(
        Point(
            suite=suite,
            test=test,
            platform=platform,
            runner=runner,
            release=release,
            made_at=dt.datetime.fromisoformat(made_at),
            state=OutcomeState(state),
            seconds=seconds,
            package=package,
            reason=reason,
            flips=FlipRate(runs=flips[0], flipped=flips[1]),
        )
        for suite, test, platform, runner, release, made_at, state, seconds, package, reason, *flips in rows
    )


def flip_rate(
    history: HistoryFile,
    distribution: str,
    outcome: TestOutcome,
    *,
    runner: str | None,
    before: ReleaseVersion | None = None,
) -> FlipRate:
    """Return how often a test failed and passed in the same run, over the runs of a distribution.

    Parameters
    ----------
    outcome
        Of the test, on the platform that is meant; its result does not count.
    before
        If stated, only runs of earlier versions count, so that the answer does not depend on how often this
        version was tested.
    """
    last = before or ReleaseVersion(9999, 0, 0)
    row = history.connection.execute(
        f"SELECT coalesce(sum({_RAN}), 0), coalesce(sum({_FLIPPED}), 0)"  # noqa: S608 - constants
        " FROM outcome JOIN test ON test.id = outcome.test"
        " JOIN platform_run ON platform_run.id = outcome.platform_run JOIN run ON run.id = platform_run.run"
        " WHERE distribution = ? AND suite = ? AND test.name = ? AND platform = ? AND runner IS ?"
        " AND (year, month, patch) < (?, ?, ?)",
        (
            distribution,
            outcome.suite,
            outcome.test,
            outcome.platform,
            runner,
            last.year,
            last.month,
            last.patch,
        ),
    ).fetchone()
    return FlipRate(runs=row[0], flipped=row[1])


def last_durations(
    history: HistoryFile, distribution: str, *, platform: str, runner: str
) -> Mapping[tuple[str, str], float]:
    """Return the seconds of each test in the last run in which it ran, by suite and test."""
    rows = history.connection.execute(
        # The other columns are those of the row with the maximum: https://sqlite.org/lang_select.html
        "SELECT suite, test.name, seconds, max(made_at)"
        " FROM outcome JOIN test ON test.id = outcome.test"
        " JOIN platform_run ON platform_run.id = outcome.platform_run JOIN run ON run.id = platform_run.run"
        " WHERE distribution = ? AND platform = ? AND runner = ? AND seconds > 0"
        " GROUP BY suite, test.name",
        (distribution, platform, runner),
    )
    return {(suite, test): seconds for suite, test, seconds, _ in rows}


def similar_names(history: HistoryFile) -> list[str]:
    """Return all names that `points` knows, for suggestions."""
    rows = history.connection.execute(
        "SELECT name FROM test UNION SELECT suite || '/' || name FROM test"
        " UNION SELECT DISTINCT package FROM outcome WHERE package IS NOT NULL"
    )
    return [name for (name,) in rows]


def all_runs(history: HistoryFile) -> Iterator[HistoryRun]:
    """Yield every run, in the order in which they were added."""
    runs = history.connection.execute(
        "SELECT id, distribution, version, base, made_at, verdict, released, failure, inputs FROM run"
        " ORDER BY id"
    ).fetchall()
    for number, distribution, version, base, made_at, verdict, released, failure, inputs in runs:
        yield HistoryRun(
            distribution=distribution,
            version=ReleaseVersion.parse(version),
            base=base,
            made_at=dt.datetime.fromisoformat(made_at),
            verdict=Verdict(verdict),
            released=bool(released),
            failure=failure,
            inputs=inputs,
            runs=tuple(
                _platform_run(history, row)
                for (row,) in _rows(history, "SELECT id FROM platform_run", number)
            ),
            packages=tuple(
                HistoryPackage(platform=row[0], name=row[1], version=row[2], build=row[3], sha256=row[4])
                for row in _rows(
                    history, "SELECT platform, name, version, build, sha256 FROM package", number
                )
            ),
            artefacts=tuple(
                HistoryArtefact(path=path, sha256=sha256)
                for path, sha256 in _rows(history, "SELECT path, sha256 FROM artefact", number)
            ),
            findings=tuple(
                HistoryFinding(
                    check=row[0],
                    verdict=Verdict(row[1]),
                    cause=row[2],
                    packages=tuple(json.loads(row[3])),
                    platforms=tuple(json.loads(row[4])),
                )
                for row in _rows(
                    history, "SELECT check_id, verdict, cause, packages, platforms FROM finding", number
                )
            ),
        )


def _rows(history: HistoryFile, select: str, run: int) -> list[Any]:
    return history.connection.execute(f"{select} WHERE run = ?", (run,)).fetchall()


def _platform_run(history: HistoryFile, number: int) -> PlatformRun:
    platform, runner, not_run, machine = history.connection.execute(
        "SELECT platform, runner, not_run, machine FROM platform_run WHERE id = ?", (number,)
    ).fetchone()
    attempts: dict[tuple[str, str], list[Attempt]] = {}
    for suite, name, state, seconds, reason in history.connection.execute(
        "SELECT suite, name, state, seconds, reason FROM attempt JOIN test ON test.id = attempt.test"
        " WHERE platform_run = ? ORDER BY number",
        (number,),
    ):
        attempt = Attempt(state=OutcomeState(state), seconds=seconds, reason=reason)
        attempts.setdefault((suite, name), []).append(attempt)
    rows = history.connection.execute(
        "SELECT suite, name, state, seconds, package, packages, reason, log FROM outcome"
        " JOIN test ON test.id = outcome.test WHERE platform_run = ? ORDER BY suite, name",
        (number,),
    )
    return PlatformRun(
        platform=platform,
        runner=runner,
        not_run=not_run,
        environment=json.loads(machine),
        outcomes=tuple(
            TestOutcome(
                suite=suite,
                test=name,
                platform=platform,
                state=OutcomeState(state),
                seconds=seconds,
                package=package,
                packages=tuple(json.loads(packages)),
                reason=reason,
                log=log,
                attempts=tuple(attempts.get((suite, name), ())),
            )
            for suite, name, state, seconds, package, packages, reason, log in rows
        ),
    )
