"""Measure the history of a large distribution: adding a release, finding its reference, one test, the export.

Usage: python benchmarks/history.py [--releases 20] [--platforms 5] [--tests 20000]

The reference is the same data as JSON Lines, read with ``json.loads`` only.
"""

import argparse
import datetime as dt
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from cuvee.graph.findings import Verdict
from cuvee.history.history_file import HistoryFile
from cuvee.history.json_lines import to_lines
from cuvee.history.model import HistoryPackage, HistoryRun
from cuvee.history.queries import all_runs, find_reference, points
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.integration.reference_comparison import compare
from cuvee.manifest.model import ReleaseVersion

T = TypeVar("T")
PACKAGES = 1000


def run_of(release: int, platforms: int, tests: int) -> HistoryRun:
    """Return a release's run in which one test of a thousand fails, another one in each release."""
    names = [f"linux-{number}" for number in range(platforms)]
    return HistoryRun(
        distribution="large",
        version=ReleaseVersion(2026 + release // 12, release % 12 + 1, 0),
        made_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=30 * release),
        verdict=Verdict.READY,
        released=True,
        runs=tuple(
            PlatformRun(
                platform=name,
                runner="native",
                outcomes=tuple(
                    TestOutcome(
                        suite=f"suite-{test % 20}",
                        test=f"tests/test_{test % 400}.py::test_{test}",
                        platform=name,
                        state=OutcomeState.FAIL if test % 1000 == release else OutcomeState.PASS,
                        seconds=test % 97 / 100,
                        package=f"package-{test % PACKAGES}",
                    )
                    for test in range(tests)
                ),
            )
            for name in names
        ),
        packages=tuple(
            HistoryPackage(platform=name, name=f"package-{number}", version="1.0", build="0", sha256="")
            for name in names
            for number in range(PACKAGES)
        ),
    )


def timed(what: str, action: Callable[[], T]) -> T:
    """Run and print seconds and processor seconds."""
    wall, start = time.perf_counter(), time.process_time()
    result = action()
    print(f"{what}: {time.perf_counter() - wall:.2f} s, processor {time.process_time() - start:.2f} s")
    return result


def main() -> None:
    """Fill a history, and ask it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--releases", type=int, default=20)
    parser.add_argument("--platforms", type=int, default=5)
    parser.add_argument("--tests", type=int, default=20_000)
    options = parser.parse_args()
    runs = [run_of(release, options.platforms, options.tests) for release in range(options.releases)]
    last = runs.pop()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "history.sqlite")
        lines = Path(folder, "history.jsonl")
        with HistoryFile.open(path) as history:
            timed(f"adding {len(runs)} releases", lambda: [history.add(run) for run in runs])

        def judge() -> int:
            with HistoryFile.open(path) as history:
                found = [
                    (run, find_reference(history, "large", last.version, base="", run=run))
                    for run in last.runs
                ]
                names = frozenset(f"package-{number}" for number in range(PACKAGES))
                judged = [compare(run, reference, names)[0] for run, reference in found if reference]
                history.add(last)
            return sum(outcome.state is OutcomeState.REGRESSION for run in judged for outcome in run.outcomes)

        print(timed("comparing and adding the next one", judge), "regressions")
        with HistoryFile.open_to_read(path) as history:
            print(len(timed("one package over all releases", lambda: points(history, "package-7"))), "points")
            with lines.open("w", encoding="utf-8") as stream:
                timed("exporting all", lambda: stream.writelines(to_lines(all_runs(history))))
        with lines.open("rb") as stream:
            timed(
                "reference: json.loads of the export", lambda: sum(1 for line in stream if json.loads(line))
            )
        sizes = [file.stat().st_size / 1e6 for file in (path, lines)]
        print(f"{sizes[0]:.0f} MB, as JSON Lines {sizes[1]:.0f} MB", file=sys.stdout)


if __name__ == "__main__":
    main()
