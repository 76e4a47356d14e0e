"""What an erratum states is compared with the locks, and nothing that is not known counts as true."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from cuvee.errata.model import FlawStatus
from made_errata import BOTH, ERRATUM, FIXED, NEW, OLD, Contents, checked

TRUE = {"2026.10.0": BOTH, "2026.10.1": FIXED}


def messages(folder: Path, text: str, releases: Mapping[str, Contents | str]) -> list[str]:
    return [item.message for item in checked(folder, text, releases).findings]


def test_what_is_true_has_no_findings(tmp_path: Path) -> None:
    found = checked(tmp_path, ERRATUM, TRUE)
    assert found.findings == ()
    assert [(str(item.version), item.platform, item.status) for item in found.stated()] == [
        ("2026.10.0", "linux-64", FlawStatus.AFFECTED),
        ("2026.10.0", "win-64", FlawStatus.AFFECTED),
        ("2026.10.1", "linux-64", FlawStatus.FIXED),
        ("2026.10.1", "win-64", FlawStatus.FIXED),
    ]
    assert [package.identifier for package in found.statuses[0].affected] == ["zlab-1.2-0@linux-64"]


@pytest.mark.parametrize(
    ("releases", "expected"),
    [
        (
            {"2026.10.0": BOTH, "2026.10.1": {"linux-64": NEW, "win-64": OLD}},
            ["tiny-2026.10.1 is not fixed on win-64: it has zlab 1.2 0"],
        ),
        (
            {"2026.10.0": {"linux-64": NEW, "win-64": OLD}, "2026.10.1": FIXED},
            ["tiny-2026.10.0 is not affected on linux-64: it has zlab 1.3 0"],
        ),
        ({"2026.10.0": BOTH}, ["there is no release tiny-2026.10.1"]),
        (
            {"2026.10.0": BOTH, "2026.10.1": "the disk is gone"},
            ["tiny-2026.10.1 is not checked: the disk is gone"],
        ),
        (
            {**TRUE, "2026.9.0": {"linux-64": OLD}},
            ["tiny-2026.9.0 is affected on linux-64, and not stated: it has zlab 1.2 0"],
        ),
        (
            {**TRUE, "2026.10.2": {"linux-64": NEW, "win-64": OLD}},
            ["the flaw is back in tiny-2026.10.2 on win-64, though 2026.10.1 has the fix: it has zlab 1.2 0"],
        ),
        (
            {**TRUE, "2027.1.0": {"win-64": OLD}},
            ["the flaw is back in tiny-2027.1.0 on win-64, though 2026.10.1 has the fix: it has zlab 1.2 0"],
        ),
        (
            {**TRUE, "2026.10.0": {"linux-64": {"six": "1.17"}}},
            ["tiny-2026.10.0 has no zlab on any platform", "no affected release has a zlab <1.3"],
        ),
        ({**TRUE, "2026.10.0": {"linux-64": OLD, "win-64": {"six": "1"}}}, []),
        ({**TRUE, "2026.10.2": {"linux-64": {"six": "1.17"}}}, []),
        ({}, ["no release of tiny is known"]),
    ],
)
def test_each_finding(tmp_path: Path, releases: Mapping[str, Contents | str], expected: list[str]) -> None:
    assert messages(tmp_path, ERRATUM, releases) == expected


def test_a_statement_that_could_not_be_checked_is_told_from_a_wrong_one(tmp_path: Path) -> None:
    found = checked(tmp_path, ERRATUM, {"2026.10.0": "no lock", "2026.10.1": BOTH}).findings
    assert [item.unchecked for item in found] == [True, False, False]
    assert found[0].advice == "make tiny-2026.10.0 again, or name its folder with --dist"


def test_platforms_that_are_stated_are_those_that_have_the_flaw(tmp_path: Path) -> None:
    text = ERRATUM + "platforms: [linux-64]\n"
    half = {"2026.10.0": {"linux-64": OLD, "win-64": NEW}, "2026.10.1": FIXED}
    assert messages(tmp_path, text, half) == []
    assert messages(tmp_path, text, TRUE) == ["tiny-2026.10.0 is affected on win-64, too: it has zlab 1.2 0"]
    assert messages(tmp_path, text, {**half, "2026.10.1": {"linux-64": NEW, "win-64": OLD}}) == [
        "tiny-2026.10.1 has the flaw on win-64: it has zlab 1.2 0"
    ]
    assert messages(tmp_path, text, {**half, "2026.10.1": {"win-64": NEW}}) == [
        "tiny-2026.10.1 has no lock for linux-64"
    ]
    gone = {**half, "2026.10.1": {"linux-64": {"six": "1.17"}, "win-64": NEW}}
    assert messages(tmp_path, text, gone) == [
        "tiny-2026.10.1 is not fixed on linux-64: it has none of the packages"
    ]


def test_a_fixed_build_of_the_same_version_is_a_fix(tmp_path: Path) -> None:
    text = ERRATUM.replace(
        '{affected: "<1.3", fixed: ">=1.3"}', '{affected: "==1.2", fixed: "==1.2", fixed-build: "*_fix1"}'
    )
    patched = {"linux-64": {"zlab": "1.2 py_fix1"}}
    assert messages(tmp_path, text, {"2026.10.0": BOTH, "2026.10.1": patched}) == []
    assert messages(tmp_path, text, {"2026.10.0": BOTH, "2026.10.1": {"linux-64": OLD}}) == [
        "tiny-2026.10.1 is not fixed on linux-64: it has zlab 1.2 0"
    ]


def test_a_version_outside_of_both_ranges_is_not_a_fix(tmp_path: Path) -> None:
    text = ERRATUM.replace('"<1.3"', '">=1.2,<1.3"')
    older = {"linux-64": {"zlab": "1.1"}}
    assert messages(tmp_path, text, {"2026.10.0": BOTH, "2026.10.1": older}) == [
        "tiny-2026.10.1 is not fixed on linux-64: it has zlab 1.1 0"
    ]
    assert messages(tmp_path, text, {**TRUE, "2026.9.0": older}) == []


def test_every_package_must_be_fixed(tmp_path: Path) -> None:
    two = '{affected: "<1.3", fixed: ">=1.3"}\n  six: {affected: "<2", fixed: ">=2"}'
    text = ERRATUM.replace('{affected: "<1.3", fixed: ">=1.3"}', two)
    assert messages(tmp_path, text, {"2026.10.0": BOTH, "2026.10.1": {"linux-64": NEW}}) == [
        "tiny-2026.10.1 is not fixed on linux-64: it has zlab 1.3 0, six 1.17 0"
    ]


def test_a_series_may_be_fixed_after_a_later_one_was_made(tmp_path: Path) -> None:
    text = ERRATUM.replace('["2026.10.0"]', '["2026.10.0", "2026.11.0"]')
    text = text.replace('["2026.10.1"]', '["2026.10.1", "2026.11.1"]')
    both = {**TRUE, "2026.11.0": BOTH, "2026.11.1": FIXED}
    assert messages(tmp_path, text, both) == []
    assert messages(tmp_path, text, {**both, "2026.11.2": {"linux-64": OLD}}) == [
        "the flaw is back in tiny-2026.11.2 on linux-64, though 2026.11.1 has the fix: it has zlab 1.2 0"
    ]


def test_a_name_that_resembles_a_known_one_is_suggested(tmp_path: Path) -> None:
    text = ERRATUM.replace("  zlab:", "  zlib:")
    found = checked(tmp_path, text, TRUE).findings
    assert {item.keys: item.advice for item in found}["packages", "zlib"] == 'did you mean "zlab"?'
    gone = checked(tmp_path, ERRATUM.replace('["2026.10.1"]', '["2026.10.2"]'), TRUE).findings
    assert gone[0].advice == 'did you mean "2026.10.1"?'
