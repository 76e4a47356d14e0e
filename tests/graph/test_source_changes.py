"""What channels and the index say today of what is locked."""

from dataclasses import replace
from typing import Any

import pytest

from checked_sets import asked, lock_of, manifest_of, only, package, results, waiver
from cuvee.channel.source_comparison import ChangedPackage, NotCompared, SourceChange, SourceComparison
from cuvee.graph.checks import CheckOutcome, Status
from cuvee.graph.findings import Verdict
from cuvee.manifest.model import Support, Track

BOOK = package("book", "7.0", depends=("lab >=4,<5", "__glibc >=2.17"))
SET = lock_of(BOOK, package("lab", "4.1"))


def checked(*changed: ChangedPackage, **graph: Any) -> dict[str, CheckOutcome]:
    manifest = graph.pop("manifest", manifest_of(asked("book")))
    return results(SET, manifest, **({"sources": SourceComparison(changed=changed)} | graph))


def corrected(**changes: Any) -> ChangedPackage:
    return ChangedPackage(package=BOOK, change=SourceChange.CORRECTED, present=replace(BOOK, **changes))


def test_a_correction_that_the_set_does_not_meet_blocks() -> None:
    found = only(checked(corrected(depends=("lab >=4,<4.1.0a0",)))["corrections"])
    assert (found.kind, found.verdict) == ("unmet", Verdict.BLOCKED)
    assert (
        found.cause == "book-7.0-0 was corrected in its channel, and the set does not meet its present record"
    )
    assert found.evidence == (
        "depends: lab >=4,<4.1.0a0 was added",
        "depends: lab >=4,<5 was removed",
        "depends: __glibc >=2.17 was removed",
        "it depends on lab >=4,<4.1.0a0, and the set has lab-4.1-0",
    )


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"depends": ("other",)}, "it depends on other, and the set has no other"),
        ({"depends": ("__glibc >=2.34",)}, "it depends on __glibc >=2.34, and the set has __glibc 2.28"),
        ({"constrains": ("lab <4.1",)}, "it constrains lab <4.1, and the set has lab-4.1-0"),
        ({"depends": ("lab >=1,<",)}, "it depends on lab >=1,<, and the set has no such package"),
    ],
)
def test_why_a_set_does_not_meet_a_correction(changes: dict[str, Any], line: str) -> None:
    assert only(checked(corrected(**changes))["corrections"]).evidence[-1] == line


def test_a_correction_that_the_set_meets_is_for_information() -> None:
    found = only(checked(corrected(depends=("lab >=4,<4.2",)))["corrections"])
    assert (found.kind, found.verdict) == ("met", Verdict.INFO)


def test_a_corrected_licence_is_a_warning() -> None:
    found = only(checked(corrected(license="GPL-3.0-only"))["corrections"])
    assert (found.kind, found.verdict) == ("license", Verdict.WARNING)
    assert found.evidence == ("license: MIT became GPL-3.0-only",)


def test_another_archive_under_the_same_name_blocks() -> None:
    other = replace(BOOK, sha256="ab" * 32)
    found = only(
        checked(ChangedPackage(package=BOOK, change=SourceChange.REPLACED, present=other))["corrections"]
    )
    assert (found.kind, found.verdict) == ("replaced", Verdict.BLOCKED)
    assert found.evidence == (
        f"book-7.0-0.conda: locked with SHA-256 {BOOK.sha256}",
        f"today its SHA-256 is {'ab' * 32}",
    )


@pytest.mark.parametrize(
    ("track", "verdict"),
    [
        (Track.EDGE, Verdict.NEEDS_APPROVAL),
        (Track.STABLE, Verdict.NEEDS_APPROVAL),
        (Track.LTS, Verdict.BLOCKED),
    ],
)
@pytest.mark.parametrize("change", [SourceChange.WITHDRAWN, SourceChange.REVOKED, SourceChange.YANKED])
def test_what_was_withdrawn_binds_on_every_track(
    track: Track, verdict: Verdict, change: SourceChange
) -> None:
    manifest = manifest_of(asked("book"), support=Support(track=track))
    result = checked(ChangedPackage(package=BOOK, change=change, evidence="why"), manifest=manifest)[
        "withdrawn"
    ]
    assert (only(result).kind, only(result).verdict, only(result).evidence) == (
        change.value,
        verdict,
        ("why",),
    )
    assert only(result).owners == ("core",)


def test_what_was_withdrawn_of_the_base_explains_a_change() -> None:
    old = package("book", "6.0")
    sources = SourceComparison(base=(ChangedPackage(package=old, change=SourceChange.WITHDRAWN),))
    result = checked(sources=sources)["withdrawn"]
    assert result.status is Status.PASS
    assert (only(result).kind, only(result).verdict) == ("of-base", Verdict.INFO)
    assert only(result).cause == "The base's book-6.0-0 is no longer in its channel"
    assert only(result).evidence == ("this release has book-7.0-0",)


def test_a_waiver_accepts_what_was_withdrawn() -> None:
    manifest = manifest_of(asked("book"), waivers=(waiver("withdrawn", package="book"),))
    result = checked(ChangedPackage(package=BOOK, change=SourceChange.WITHDRAWN), manifest=manifest)
    assert only(result["withdrawn"]).verdict is Verdict.WAIVED


@pytest.mark.parametrize("check", ["corrections", "withdrawn"])
def test_what_was_not_compared_does_not_pass(check: str) -> None:
    assert checked()[check].status is Status.PASS
    assert checked(sources=None)[check].status is Status.SKIPPED
    missing = NotCompared(
        source="https://c", reason="Cannot read https://c\n  dns", packages=("a-1-0@linux-64",)
    )
    result = checked(sources=SourceComparison(not_compared=(missing,)))[check]
    assert result.status is Status.SKIPPED
    assert result.reason == "not compared with https://c: Cannot read https://c"
    sources = SourceComparison(
        changed=(
            corrected(depends=("lab <4",)),
            ChangedPackage(package=BOOK, change=SourceChange.WITHDRAWN),
        ),
        not_compared=(missing,),
    )
    result = checked(sources=sources)[check]
    assert result.status is Status.FAIL
    assert [item.kind for item in result.findings][1:] == ["not-compared"]
    assert result.findings[1].verdict is Verdict.NEEDS_APPROVAL
    assert result.findings[1].victims == ("a-1-0@linux-64",)
