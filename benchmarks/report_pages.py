"""Measure the report of a large release: writing it, how large its pages are, and when they are open.

Usage: python benchmarks/report_pages.py [--packages 1000] [--platforms 5] [--broken]

One test of each stage is about each package. ``--broken`` makes every seventh of them fail. Opening is
measured with headless Chromium, if Playwright and a browser are there: until the page and its script are
done, the median of three. The reference is an HTML file of the same size that says nothing.
"""

import argparse
import datetime as dt
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cuvee.conda.package_record import LockedPackage
from cuvee.graph.checks import CheckOutcome
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.model import (
    Installers,
    Manifest,
    Owner,
    PlatformEntry,
    Position,
    ReleaseVersion,
    Requirement,
)
from cuvee.platforms import PLATFORMS
from cuvee.release.record import ChannelResult, CheckResult, LockResult, Release, TestResult, judge
from cuvee.report.page import build_page
from cuvee.report.writer import write_report

CHROMIUM = Path("/usr/bin/chromium")


def outcomes(platform: str, packages: int, *, broken: bool) -> Iterator[TestOutcome]:
    """Yield the outcomes of one platform: import, metadata, own tests, and tests with two packages."""
    yield TestOutcome(suite="smoke", test="install", platform=platform, state=OutcomeState.PASS, seconds=3.0)
    for name in ("upgrade", "uninstall"):
        yield TestOutcome(
            suite="lifecycle", test=name, platform=platform, state=OutcomeState.PASS, seconds=9.0
        )
    for number in range(packages):
        package = f"package-{number}"
        tests = (
            ("smoke", f"import:{package}", package, (package,)),
            ("smoke", f"metadata:{package}", package, (package,)),
            ("packaged", f"{package}::test_all", package, (package,)),
            (
                "interop",
                f"test_{number}.py::test_pair",
                None,
                (package, f"package-{(number + 1) % packages}"),
            ),
        )
        for place, (suite, test, about, involved) in enumerate(tests):
            fails = broken and (number * 4 + place + len(platform)) % 7 == 0
            yield TestOutcome(
                suite=suite, test=test, platform=platform, package=about, packages=involved,
                seconds=number % 97 / 100,
                state=OutcomeState.FAIL if fails else OutcomeState.PASS,
                reason=f"AssertionError: {number % 50} is not {place}" if fails else "",
            )  # fmt: skip


def release_of(packages: int, platforms: int, *, broken: bool) -> Release:
    """Return a made-up release."""
    names = tuple(PLATFORMS)[:platforms]
    locks = tuple(
        PlatformLock(
            platform=platform,
            packages=tuple(
                LockedPackage(
                    name=f"package-{number}", version=f"{number % 9}.{number % 7}.0", build="py_0",
                    build_number=0,
                    platform=platform, subdir="noarch", url=f"channel/noarch/package-{number}-1.0-py_0.conda",
                    channel="channel", sha256=f"{number:064x}", size=1000 * number, license="MIT",
                    depends=tuple(f"package-{below}" for below in range(max(0, number - 3), number)),
                )
                for number in range(packages)
            ),
            virtual_packages=(),
        )
        for platform in names
    )  # fmt: skip
    position = Position(file=Path("large.yaml"), line=1, column=1)
    manifest = Manifest(
        path=Path("large.yaml"), distribution="large", version=ReleaseVersion(2026, 11, 0), title="Large",
        platforms=tuple(PlatformEntry(name=name, floor={}) for name in names),
        packages=tuple(
            Requirement(
                name=f"package-{n}", version="*", owner=f"team-{n % 9}", platforms=names, position=position
            )
            for n in range(0, packages, 5)
        ),
        installers=Installers(formats={}),
        owners=tuple(Owner(name=f"team-{n}", contact="") for n in range(9)),
    )  # fmt: skip
    release = Release(
        manifest=manifest,
        channel=ChannelResult(stage="channel"),
        locked=LockResult(stage="lock", lock=Lock(platforms=locks)),
        checked=CheckResult(stage="check", outcomes=tuple[CheckOutcome, ...]()),
        tests=tuple(
            TestResult(
                stage=f"test-{name}",
                run=PlatformRun(
                    platform=name, runner="native", outcomes=tuple(outcomes(name, packages, broken=broken))
                ),
            )
            for name in names
        ),
        made_at=dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
    )
    return replace(release, verdict=judge(release))


def open_times(files: list[Path]) -> dict[Path, float]:
    """Return the median seconds until each page is open; empty without a browser."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return {}
    if not CHROMIUM.exists():
        return {}
    found = {}
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        for file in files:
            times = []
            for _ in range(3):
                page = browser.new_page()
                start = time.perf_counter()
                page.goto(file.as_uri(), wait_until="load")
                page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
                times.append(time.perf_counter() - start)
                page.close()
            found[file] = statistics.median(times)
        browser.close()
    return found


def main() -> None:
    """Write the report of a made-up release, and print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--packages", type=int, default=1000)
    parser.add_argument("--platforms", type=int, default=5)
    parser.add_argument("--broken", action="store_true")
    options = parser.parse_args()
    release = release_of(options.packages, options.platforms, broken=options.broken)
    with tempfile.TemporaryDirectory() as name:
        folder, start = Path(name, "report"), time.perf_counter()
        page = build_page(release)
        built = time.perf_counter()
        write_report(page, release, release.graph, folder)
        print(
            f"{len(release.outcomes):,} outcomes: page {built - start:.1f} s, "
            f"writing {time.perf_counter() - built:.1f} s"
        )
        first = release.lock.platforms[0].platform
        pages = ("index", "stages", f"tests/{first}", f"platforms/{first}", "packages/package-7")
        files = [folder / f"{name}.html" for name in pages]
        empty = Path(name, "empty.html")
        empty.write_text(f"<!doctype html><title>x</title><p>{'x ' * (files[0].stat().st_size // 2)}")
        times = open_times([*files, empty])
        for file in (*files, empty):
            opened = f", open in {times[file]:.2f} s" if file in times else ""
            print(f"{file.relative_to(name)}: {file.stat().st_size / 1e6:.2f} MB{opened}")
        largest = max(folder.rglob("*.html"), key=lambda path: path.stat().st_size)
        print(f"largest page: {largest.relative_to(name)}, {largest.stat().st_size / 1e6:.2f} MB")
        everything = [path for path in folder.rglob("*") if path.is_file()]
        print(
            f"all {len(everything):,} files: {sum(path.stat().st_size for path in everything) / 1e6:.1f} MB"
        )


if __name__ == "__main__":
    main()
