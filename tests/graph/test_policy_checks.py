"""Licences, owners, channels and age."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checked_sets import asked, finding, lock_of, manifest_of, only, package, results, waiver
from cuvee.graph.checks.license_policy import permits
from cuvee.graph.findings import Verdict
from cuvee.manifest.model import AgePolicy, LicensePolicy, Policy, Support, Track
from cuvee.spdx import read_license

TODAY = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
DAY = 86_400_000
BSD_ONLY = LicensePolicy(allow=("MIT", "BSD-3-Clause"))
NO_GPL = LicensePolicy(deny=("GPL-2.0-only", "AGPL-3.0-only"))
LATER = LicensePolicy(allow=("GPL-3.0-only",))


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("BSD-3-Clause", "BSD-3-Clause"),
        ("BSD 3-Clause", "BSD-3-Clause"),
        ("3-clause BSD License", "BSD-3-Clause"),
        ("MIT License", "MIT"),
        ("Apache 2.0", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("LGPL-2.1-or-later", "LGPL-2.1-or-later"),
        ("LGPL-2.1+", "LGPL-2.1-or-later"),
        ("GPL-3.0", "GPL-3.0-only"),
        ("GPL", "GPL-1.0-or-later"),
        ("PSF", "PSF-2.0"),
        ("mit and apache-2.0", "MIT AND Apache-2.0"),
        ("Apache 2.0 or BSD 3-Clause", "Apache-2.0 OR BSD-3-Clause"),
        ("(MIT License or PSF) and zlib", "(MIT OR PSF-2.0) AND Zlib"),
        ("GPL-2 | GPL-3 + file LICENSE", "GPL-2.0-only OR GPL-3.0-only"),
        ("GPL-3.0-with-GCC-exception", "GPL-3.0-only WITH GCC-exception-3.1"),
        ("LicenseRef-Ours OR MIT", "LicenseRef-Ours OR MIT"),
    ],
)
def test_spellings_of_licences(text: str, expression: str) -> None:
    assert str(read_license(text)) == expression


@pytest.mark.parametrize(
    "text", ["", " ", "BSD", "file LICENSE", "see LICENSE", "MIT OR", "MIT MIT", "a" * 3000, "\0"]
)
def test_what_names_no_licence_is_unknown(text: str) -> None:
    assert read_license(text) is None


@given(st.text(max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    expression = read_license(text)
    assert expression is None or permits(LicensePolicy(), expression)


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        ("MIT", (True, True, False)),
        ("GPL-2.0-only", (False, False, False)),
        ("MIT OR GPL-2.0-only", (True, True, False)),
        ("MIT AND GPL-2.0-only", (False, False, False)),
        ("BSD-3-Clause AND (GPL-2.0-only OR MIT)", (True, True, False)),
        ("GPL-2.0-or-later", (False, True, True)),
        ("AGPL-3.0-or-later", (False, False, False)),
        ("GPL-3.0-only WITH GCC-exception-3.1", (False, True, True)),
        ("GPL-2.0-only WITH GCC-exception-3.1", (False, False, False)),
        ("LicenseRef-Ours", (False, True, False)),
    ],
)
def test_policies_are_evaluated(text: str, verdicts: tuple[bool, ...]) -> None:
    expression = read_license(text)
    assert expression is not None
    assert tuple(permits(policy, expression) for policy in (BSD_ONLY, NO_GPL, LATER)) == verdicts


def test_an_exception_can_be_allowed_or_denied_by_name() -> None:
    expression = read_license("GPL-2.0-only WITH GCC-exception-3.1")
    assert expression is not None
    assert permits(LicensePolicy(allow=("GCC-exception-3.1",)), expression)
    assert not permits(LicensePolicy(deny=("GCC-exception-3.1",)), expression)


LICENCES = st.recursive(
    st.sampled_from(["MIT", "GPL-2.0-only", "GPL-2.0-or-later", "BSD-3-Clause", "LicenseRef-Ours"]),
    lambda parts: st.tuples(parts, st.sampled_from(["AND", "OR"]), parts).map(lambda x: f"({' '.join(x)})"),
    max_leaves=6,
)


@given(LICENCES, LICENCES, st.sampled_from([BSD_ONLY, NO_GPL, LATER]))
def test_and_needs_both_and_or_needs_one(first: str, second: str, policy: LicensePolicy) -> None:
    def good(text: str) -> bool:
        expression = read_license(text)
        assert expression is not None
        return permits(policy, expression)

    assert good(f"({first}) AND ({second})") == (good(first) and good(second))
    assert good(f"({first}) OR ({second})") == (good(first) or good(second))


def policy(**changes: Any) -> Any:
    return manifest_of(policy=Policy(**changes))


def test_a_denied_licence_blocks_with_what_the_package_said() -> None:
    lock = lock_of(package("a", license="GPL-2.0"), package("b", license="MIT"))
    found = finding("licenses", lock, policy(licenses=NO_GPL))
    assert found.cause == "a is under GPL-2.0-only, which the manifest denies"
    assert (found.kind, found.evidence) == ("denied", ("a-1.0-0 states 'GPL-2.0'",))
    assert found.verdict is Verdict.BLOCKED


def test_names_that_spdx_has_given_up_are_understood_in_policies() -> None:
    lock = lock_of(package("a", license="GPL-3.0-only"))
    assert not results(lock, policy(licenses=LicensePolicy(allow=("GPL-3.0",))))["licenses"].findings


def test_with_an_allow_list_an_unknown_licence_is_not_permitted() -> None:
    found = finding("licenses", lock_of(package("a", license=None)), policy(licenses=BSD_ONLY))
    assert found.cause == "a states no licence, which is not a licence that the manifest allows"


def test_unknown_licences_are_one_finding_and_a_waiver_of_one_leaves_the_others() -> None:
    lock = lock_of(*(package(name, license="see LICENSE") for name in "abc"))
    found = finding("unknown-licenses", lock)
    assert found.cause == "3 packages are under an unknown licence"
    assert found.evidence[0] == "a-1.0-0 states 'see LICENSE'"
    waived = results(lock, manifest_of(waivers=(waiver("unknown-licenses", package="b"),)))
    states = {item.packages: item.verdict for item in waived["unknown-licenses"].findings}
    assert states == {("a", "c"): Verdict.WARNING, ("b",): Verdict.WAIVED}


@pytest.mark.parametrize(
    ("track", "verdict"),
    [(Track.EDGE, Verdict.INFO), (Track.STABLE, Verdict.WARNING), (Track.LTS, Verdict.NEEDS_APPROVAL)],
)
def test_the_support_track_decides_how_bad_a_missing_owner_is(track: Track, verdict: Verdict) -> None:
    manifest = manifest_of(asked("a"), asked("b", owner=None), support=Support(track=track))
    found = finding("owners", lock_of(package("a"), package("b")), manifest)
    assert (found.cause, found.verdict) == ("b has no owner", verdict)


def test_where_nobody_owns_anything_it_is_only_told() -> None:
    manifest = manifest_of(asked("a", owner=None), owners=(), support=Support(track=Track.LTS))
    assert finding("owners", lock_of(package("a")), manifest).verdict is Verdict.INFO


def test_packages_of_a_channel_that_the_manifest_does_not_name() -> None:
    far = {"channel": "https://conda.anaconda.org/conda-forge"}
    near = {"channel": "https://user:secret@mirror.example.org/t/token/main"}
    lock = lock_of(
        package("a", url="https://x/a", **far), package("b", url="https://y/b", **near), package("c")
    )
    found = finding("origin", lock, manifest_of(channels=("conda-forge",)))
    assert found.packages == ("b",)
    assert "secret" not in str(found)
    assert "token" not in str(found)


def test_names_that_come_from_several_channels_are_a_warning() -> None:
    far = {"channel": "https://conda.anaconda.org/conda-forge", "url": "https://x/a"}
    lock = lock_of(package("a", **far), package("a", platform="win-64"))
    found = finding("origin", lock, manifest_of(channels=("conda-forge",)))
    assert found.verdict is Verdict.WARNING
    assert found.cause.endswith("conda-forge on linux-64, the release's own channel on win-64")


@pytest.mark.parametrize(
    ("days", "kind"), [(0, "too-new"), (6, "too-new"), (7, ""), (100, ""), (101, "too-old"), (-3, "too-new")]
)
def test_age_in_days(days: int, kind: str) -> None:
    made = int(TODAY.timestamp() * 1000) - days * DAY
    far = package("a", url="https://x/a", channel="https://x", timestamp=made)
    manifest = policy(age=AgePolicy(at_least=7, at_most=100))
    found = results(lock_of(far), manifest, today=TODAY)["age"].findings
    assert [item.kind for item in found] == ([kind] if kind else [])
    imported = replace(far, url="channel/linux-64/a.conda")
    assert not results(lock_of(imported), manifest, today=TODAY)["age"].findings


def test_age_counts_from_exclude_newer() -> None:
    made = int(TODAY.timestamp() * 1000)
    lock = lock_of(package("a", url="https://x/a", channel="https://x", timestamp=made))
    later = TODAY + dt.timedelta(days=30)
    manifest = replace(policy(age=AgePolicy(at_least=7)), exclude_newer=later)
    assert not results(lock, manifest, today=TODAY)["age"].findings


@pytest.mark.parametrize("timestamp", [-(2**62), 2**62])
def test_impossible_timestamps_do_not_break_the_age(timestamp: int) -> None:
    lock = lock_of(package("a", url="https://x/a", channel="https://x", timestamp=timestamp))
    manifest = policy(age=AgePolicy(at_least=7, at_most=100))
    assert len(results(lock, manifest, today=TODAY)["age"].findings) == 1


def test_an_age_that_is_not_known_is_not_within_the_bounds() -> None:
    manifest = policy(age=AgePolicy(at_least=7))
    timeless = lock_of(package("a", url="https://x/a", channel="https://x", timestamp=None))
    finding = only(results(timeless, manifest, today=TODAY)["age"])
    assert (finding.kind, finding.verdict) == ("unknown", Verdict.WARNING)
    assert finding.cause == "a 1.0 has no timestamp, so its age is not known"
    finding = only(results(timeless, manifest)["age"])
    assert (finding.kind, finding.verdict) == ("not-run", Verdict.WARNING)
