"""Patched packages are in the release with their patches, and are given up when upstream has the fix."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from checked_sets import HERE, asked, lock_of, manifest_of, package, results
from cuvee.conda.package_record import LockedPackage
from cuvee.graph.checks import CheckOutcome
from cuvee.graph.findings import Verdict
from cuvee.manifest.model import PatchedPackage, PlatformEntry

TODAY = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
STATED = PatchedPackage(
    name="low",
    recipe="low",
    patches=("one.patch",),
    fixes=("CVE-2026-12345",),
    why="it is wrong",
    author="Ada",
    until=dt.date(2027, 5, 31),
    position=HERE,
)
PATCHED = package("low", "1.0", "h1_patched_10000")


def outcome(locked: LockedPackage | None = PATCHED, **stated: Any) -> CheckOutcome:
    available = stated.pop("available", {})
    manifest = manifest_of(
        asked("top"),
        patched=(replace(STATED, **stated),),
        platforms=(PlatformEntry(name="linux-64", floor={}),),
    )
    packages = [package("top"), *([locked] if locked is not None else [])]
    return results(lock_of(*packages), manifest, today=TODAY, available=available)["patched"]


def test_a_patched_package_passes() -> None:
    assert not outcome().findings


@pytest.mark.parametrize(
    ("locked", "stated", "kind", "verdict"),
    [
        (PATCHED, {"until": dt.date(2026, 11, 21)}, "expired", Verdict.BLOCKED),
        (PATCHED, {"until": dt.date(2026, 12, 6)}, "ends-soon", Verdict.WARNING),
        (None, {}, "not-shipped", Verdict.WARNING),
        (package("low", "1.0", "h1_0"), {}, "not-patched", Verdict.BLOCKED),
        (
            replace(PATCHED, url="https://example.org/low-1.0-h1_patched_10000.conda"),
            {},
            "not-patched",
            Verdict.BLOCKED,
        ),
        (PATCHED, {"upstream_fixed_in": "1.0"}, "caught-up", Verdict.WARNING),
        (
            PATCHED,
            {
                "upstream_fixed_in": "1.1",
                "available": {("linux-64", "low"): (package("low", "1.0"), package("low", "1.10"))},
            },
            "fix-available",
            Verdict.WARNING,
        ),
    ],
)
def test_what_is_found(
    locked: LockedPackage | None, stated: dict[str, Any], kind: str, verdict: Verdict
) -> None:
    (finding,) = outcome(locked, **stated).findings
    assert (finding.kind, finding.verdict, finding.packages) == (kind, verdict, ("low",))
    assert "it fixes CVE-2026-12345" in finding.evidence
    assert f"stated at {HERE}" in finding.evidence
    assert finding.action


def test_the_last_day_and_older_versions_are_no_finding() -> None:
    older = {("linux-64", "low"): (package("low", "1.0"),)}
    assert not outcome(upstream_fixed_in="1.1", available=older).findings
    (last,) = outcome(until=dt.date(2026, 11, 22)).findings
    assert last.kind == "ends-soon"
