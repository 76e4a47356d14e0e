"""Constraints, wheels and waivers that name nothing of the release, and waivers that end soon."""

import datetime as dt
from dataclasses import replace

from checked_sets import HERE, asked, finding, lock_of, manifest_of, only, package, results, waiver
from cuvee.graph.findings import Verdict
from cuvee.manifest.model import Waiver, WheelRequirement

SET = lock_of(package("numpy"), package("openssl"), package("numpy", platform="win-64"))
TODAY = dt.datetime(2026, 12, 18, tzinfo=dt.UTC)
UNKNOWN = lock_of(package("numpy", license="???"), package("numpy", license="???", platform="win-64"))


def test_a_constraint_with_nearly_the_name_of_a_package() -> None:
    found = finding("references", SET, manifest_of(constraints=(asked("opensll", ">=3"),)))
    assert found.verdict is Verdict.WARNING
    assert found.cause == "constraints names opensll, which is not in the release"
    assert found.action == "Did you mean openssl?"
    assert str(HERE) in found.evidence[0]


def test_a_constraint_on_what_a_later_release_may_have_is_for_information() -> None:
    assert (
        finding("references", SET, manifest_of(constraints=(asked("zlib", ">=1"),))).verdict is Verdict.INFO
    )


def test_a_wheel_that_nothing_needs() -> None:
    wheels = tuple(WheelRequirement(name=name, position=HERE) for name in ("numpi", "numpy"))
    found = finding("references", SET, manifest_of(wheels=wheels))
    assert (found.packages, found.action) == (("numpi",), "Did you mean numpy?")


def test_what_is_not_used_may_be_used_on_a_platform_that_was_not_made() -> None:
    manifest = manifest_of(constraints=(asked("opensll"),), waivers=(waiver("floor"),))
    found = results(lock_of(package("openssl")), manifest)
    assert found["references"].findings == found["waivers"].findings == ()


def test_a_waiver_that_accepts_nothing() -> None:
    manifest = manifest_of(waivers=(waiver("unknown-licenses", package="nunpy"), waiver("floor")))
    misspelt, unused = results(UNKNOWN, manifest)["waivers"].findings
    assert misspelt.verdict is Verdict.WARNING
    assert misspelt.cause == "The waiver of unknown-licenses for nunpy accepts nothing"
    assert misspelt.action == "Did you mean numpy?"
    assert unused.cause == "The waiver of floor accepts nothing"


def test_a_waiver_that_accepts_a_finding_or_whose_check_was_skipped_is_good() -> None:
    manifest = manifest_of(
        waivers=(waiver("unknown-licenses", package="numpy"), waiver("libraries"), waiver("smoke/install"))
    )
    assert results(UNKNOWN, manifest)["waivers"].findings == ()


def test_a_waiver_is_shown_in_its_last_14_days() -> None:
    good = waiver("unknown-licenses", package="numpy")

    def until(day: dt.date) -> Waiver:
        return replace(good, expires=day)

    soon = results(UNKNOWN, manifest_of(waivers=(until(dt.date(2027, 1, 1)),)), today=TODAY)["waivers"]
    assert only(soon).cause == "The waiver of unknown-licenses for numpy ends on 2027-01-01"
    later = results(UNKNOWN, manifest_of(waivers=(until(dt.date(2027, 1, 2)),)), today=TODAY)["waivers"]
    assert later.findings == ()
