import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cuvee.channel.model import Absent
from cuvee.channel.source_comparison import SourceComparison
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.graph.checks import ALL_CHECKS, ARCHIVE_CHECKS, CheckOutcome, Status, run_checks
from cuvee.graph.findings import Finding, Verdict, worst
from cuvee.graph.release_graph import build_graph
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.model import (
    Installers,
    Manifest,
    Owner,
    PlatformEntry,
    Position,
    ReleaseVersion,
    Requirement,
    Waiver,
)

HERE = Position(file=Path("tiny/2026.11.0.yaml"), line=7, column=3)
GLIBC = VirtualPackage(name="__glibc", version="2.28")


def package(
    name: str,
    version: str = "1.0",
    *,
    depends: tuple[str, ...] = (),
    constrains: tuple[str, ...] = (),
    platform: str = "linux-64",
    build: str = "0",
) -> LockedPackage:
    return LockedPackage(
        name=name,
        version=version,
        build=build,
        build_number=0,
        platform=platform,
        subdir=platform,
        url=f"channel/{platform}/{name}-{version}-{build}.conda",
        channel="channel",
        sha256="0" * 64,
        license="MIT",
        depends=depends,
        constrains=constrains,
    )


def lock_of(*packages: LockedPackage) -> Lock:
    platforms = dict.fromkeys(package.platform for package in packages)
    return Lock(
        platforms=tuple(
            PlatformLock(
                platform=platform,
                packages=tuple(package for package in packages if package.platform == platform),
                virtual_packages=(GLIBC,),
            )
            for platform in platforms
        )
    )


def manifest_of(*requirements: Requirement, **changes: Any) -> Manifest:
    manifest = Manifest(
        path=Path("tiny/2026.11.0.yaml"),
        distribution="tiny",
        version=ReleaseVersion(2026, 11, 0),
        title="Tiny",
        platforms=(PlatformEntry(name="linux-64", floor={}), PlatformEntry(name="win-64", floor={})),
        packages=requirements,
        installers=Installers(formats={}),
        owners=(Owner(name="core", contact="core@example.org"),),
    )
    return replace(manifest, **changes)


def results(
    lock: Lock, manifest: Manifest | None = None, absent: tuple[Absent, ...] = ()
) -> dict[str, CheckOutcome]:
    graph = replace(build_graph(manifest or manifest_of(), lock, absent), sources=SourceComparison())
    return {result.identifier: result for result in run_checks(graph, ALL_CHECKS)}


def only(result: CheckOutcome) -> Finding:
    assert len(result.findings) == 1
    return result.findings[0]


def test_a_good_set_passes_every_check() -> None:
    lock = lock_of(
        package("a", depends=("b >=1", "__glibc >=2.17")), package("b", constrains=("a <2", "absent >9"))
    )
    found = results(lock)
    not_opened = {check.identifier for check in ARCHIVE_CHECKS}
    asked = [result for name, result in found.items() if name not in not_opened]
    assert {result.status for result in asked} == {Status.PASS}
    assert not [finding for result in asked for finding in result.findings]


@pytest.mark.parametrize(
    ("check", "packages", "cause"),
    [
        (
            "closure",
            [package("a", depends=("gone",))],
            "No package of the set meets 'gone': there is no package of that name",
        ),
        (
            "closure",
            [package("a", depends=("b >=2",)), package("b")],
            "No package of the set meets 'b >=2': no such version, the set has b-1.0-0",
        ),
        (
            "closure",
            [package("a", depends=("b 1.0 other",)), package("b")],
            "No package of the set meets 'b 1.0 other': no such build, the set has b-1.0-0",
        ),
        (
            "constrains",
            [package("a", constrains=("b <1",)), package("b")],
            "b-1.0-0 is outside of 'b <1', which a constrains",
        ),
        (
            "floor",
            [package("a", depends=("__glibc >=2.34",))],
            "The floor does not meet '__glibc >=2.34': the floor is __glibc 2.28",
        ),
        (
            "floor",
            [package("a", depends=("__cuda",))],
            "The floor does not meet '__cuda': the floor has none",
        ),
        (
            "metadata",
            [package("a", depends=("!!",))],
            "a-1.0-0 states '!!', which is not a match spec of one name",
        ),
        ("duplicates", [package("a"), package("a", "2.0")], "a is locked 2 times on linux-64"),
    ],
)
def test_what_blocks(check: str, packages: list[LockedPackage], cause: str) -> None:
    result = results(lock_of(*packages))[check]
    assert result.status is Status.FAIL
    assert only(result).cause == cause
    assert only(result).verdict is Verdict.BLOCKED
    assert only(result).action


def test_one_cause_on_two_platforms_is_one_finding() -> None:
    lock = lock_of(
        *(
            package(name, depends=("gone",), platform=where)
            for where in ("linux-64", "win-64")
            for name in "ab"
        )
    )
    finding = only(results(lock)["closure"])
    assert finding.platforms == ("linux-64", "win-64")
    assert len(finding.victims) == 4


def test_a_failed_prerequisite_skips_and_does_not_cascade() -> None:
    found = results(lock_of(package("a", depends=("gone",)), package("a", "2.0", depends=("gone",))))
    assert found["closure"].status is Status.SKIPPED
    assert found["closure"].reason == "needs duplicates to pass first"
    assert not found["closure"].findings
    assert found["floor"].status is Status.PASS


def test_cycles_are_told_but_do_not_block() -> None:
    found = results(lock_of(package("a", depends=("b",)), package("b", depends=("a",))))
    assert only(found["cycles"]).cause == "a and b depend on each other"
    assert found["cycles"].status is Status.PASS


def test_manifest_requirements_and_constraints_hold_for_the_lock() -> None:
    wanted = Requirement(name="a", version=">=2", owner="core", platforms=("linux-64",), position=HERE)
    held = Requirement(name="a", version="<1", position=HERE)
    found = results(lock_of(package("a")), manifest_of(wanted, constraints=(held,)))
    finding = only(found["closure"])
    assert finding.owners == ("core",)
    assert "tiny/2026.11.0.yaml:7:3" in finding.evidence[0]
    assert only(found["constraints"]).cause == "a-1.0-0 is outside of the constraint 'a <1'"


def test_parity_says_who_needs_what_is_on_one_platform_only() -> None:
    lock = lock_of(
        package("click"),
        package("click", platform="win-64", depends=("colorama",)),
        package("colorama", platform="win-64"),
    )
    finding = only(results(lock)["parity"])
    assert finding.cause == "colorama is only on win-64"
    assert finding.evidence == ("colorama: required there by click",)
    assert finding.verdict is Verdict.INFO


@pytest.mark.parametrize(("there", "verdict"), [("1.0.5", Verdict.INFO), ("1.5.0", Verdict.WARNING)])
def test_parity_of_versions(there: str, verdict: Verdict) -> None:
    finding = only(results(lock_of(package("a"), package("a", there, platform="win-64")))["parity"])
    assert finding.cause == f"a differs: 1.0 on linux-64, {there} on win-64"
    assert finding.verdict is verdict


def test_absent_platforms_carry_their_reasons() -> None:
    manifest = manifest_of(platforms=(PlatformEntry(name="osx-64", floor={}, absent="no runner"),))
    absent = Absent(platform="win-64", reason="the index has no build", hint="Use a channel.")
    findings = results(lock_of(package("a")), manifest, (absent,))["absent-platform"].findings
    assert [(finding.verdict, finding.platforms) for finding in findings] == [
        (Verdict.INFO, ("osx-64",)),
        (Verdict.WARNING, ("win-64",)),
    ]
    assert findings[1].action == "Use a channel."


def test_a_waiver_covers_its_scope_only() -> None:
    lock = lock_of(*(package("a", depends=("gone",), platform=where) for where in ("linux-64", "win-64")))

    def verdict(**scope: str) -> Verdict:
        waiver = Waiver(
            **{"check": "closure"} | scope,
            reason="known",
            author="qa",
            expires=dt.date(2027, 1, 1),
            position=HERE,
        )
        result = results(lock, manifest_of(waivers=(waiver,)))["closure"]
        assert (result.status is Status.PASS) == (only(result).verdict is Verdict.WAIVED)
        return only(result).verdict

    assert verdict() is Verdict.WAIVED
    assert verdict(package="a") is Verdict.WAIVED
    assert verdict(package="b") is Verdict.BLOCKED
    assert verdict(platform="win-64") is Verdict.BLOCKED
    assert verdict(check="floor") is Verdict.BLOCKED


def test_the_worst_verdict_wins_and_gives_the_exit_code() -> None:
    assert worst([]) is Verdict.READY
    assert worst([Verdict.WARNING, Verdict.WAIVED, Verdict.INFO]) is Verdict.WARNING
    assert [verdict.exit_code for verdict in Verdict] == [0, 0, 0, 0, 1, 1, 1]
    assert all(verdict.must_act for verdict in Verdict)
