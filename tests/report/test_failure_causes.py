"""Failed tests by cause: the package that changed is named, and the text for an issue is complete."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from changed_release import changed, page_of
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.integration.reference_comparison import Reference, compare
from cuvee.release.record import Release
from cuvee.report.failure_causes import SAID, SHOWN
from cuvee.report.issue_text import HITS, Issue, issue_text
from cuvee.report.page import Page

LINUX = "linux-64"
BASE = "starter-2026.10.2"


def outcome(
    test: str, state: str, *packages: str, platform: str = LINUX, reason: str = "boom"
) -> TestOutcome:
    return TestOutcome(
        suite="interop",
        test=test,
        platform=platform,
        state=OutcomeState(state),
        packages=packages,
        reason=reason,
    )


def page(sample: Release, *outcomes: TestOutcome, reference: str = BASE) -> Page:
    """Return the page of the sample with only these outcomes, all of which passed before."""
    run = PlatformRun(platform=LINUX, runner="native", outcomes=outcomes)
    before = replace(run, outcomes=tuple(replace(item, state=OutcomeState.PASS) for item in outcomes))
    judged, comparison = compare(run, Reference(release=reference, released=True, run=before), frozenset())
    return page_of(replace(changed(sample, runs=(judged,)), compared=(comparison,)))


def test_tests_that_newly_fail_have_the_changed_package_as_their_cause(sample: Release) -> None:
    (cause,) = page(
        sample, outcome("a", "fail", "pandas", "scipy"), outcome("b", "fail", "pandas", reason="another")
    ).causes
    assert cause.title == "2 tests newly fail since pandas 3.0.9 → 3.1.0"
    assert (cause.packages, cause.suspects) == (("pandas",), ("pandas 3.0.9 → 3.1.0",))
    assert dict(cause.contacts) == {"numerics": "numerics@example.org"}
    assert "hold pandas back" in cause.action
    assert (
        cause.evidence[0] == f"linux-64 interop: a: regression, was pass in {BASE}: it passed in {BASE}: boom"
    )


def test_who_must_act_is_told_what_changed_under_the_tests(sample: Release) -> None:
    def tasks(*outcomes: TestOutcome) -> list[str]:
        (found,) = [actor for actor in page(sample, *outcomes).readiness.actors if actor.name == "numerics"]
        return [task.text.partition(": ")[2] for task in found.tasks if "interop" in task.text]

    newly, other = outcome("a", "fail", "pandas"), outcome("b", "fail", "scipy")
    again = outcome("c", "fail", "pandas", reason="another")
    assert tasks(newly) == ["a on linux-64. It newly fails since pandas 3.0.9 → 3.1.0."]
    assert tasks(newly, again) == [
        "interop: a, interop: c. They newly fail since pandas 3.0.9 → 3.1.0.",
    ]
    assert tasks(newly, other) == [
        "interop: a, interop: b. 1 of them newly fails since pandas 3.0.9 → 3.1.0.",
    ]


def test_what_a_package_needs_is_suspected_if_the_package_itself_is_as_it_was(sample: Release) -> None:
    lock = sample.lock.by_platform[LINUX]
    packages = tuple(
        replace(item, depends=("numpy",)) if item.name == "xarray" else item for item in lock.packages
    )
    locked = replace(sample.lock, platforms=(replace(lock, packages=packages),))
    (cause,) = page(changed(sample, lock=locked), outcome("a", "fail", "xarray")).causes
    assert cause.suspects == ("numpy 2.3.5 → 2.4.1",)


def test_changes_against_another_release_than_the_reference_are_no_suspects(sample: Release) -> None:
    (cause,) = page(sample, outcome("a", "fail", "pandas"), reference="starter-2026.9.0").causes
    assert cause.suspects == ()
    assert cause.title.startswith("interop: a newly fails: it passed in starter-2026.9.0: boom")


def test_failures_that_say_the_same_of_the_same_packages_are_one_cause(sample: Release) -> None:
    outcomes = (
        outcome("a", "fail", "scipy"),
        outcome("b", "fail", "scipy"),
        outcome("c", "fail", "scipy", reason="other"),
        outcome("d", "infra-error", "scipy", reason="no space left"),
        outcome("e", "flaky", "scipy"),
        outcome("f", "waived", "scipy"),
    )
    found = [(cause.triage.slug, cause.tests) for cause in page(sample, *outcomes).causes]
    assert found == [
        ("newly-failing", ("interop: a", "interop: b")),
        ("newly-failing", ("interop: c",)),
        ("infra-errors", ("interop: d",)),
    ]


def test_the_same_long_message_is_one_cause_and_names_what_all_tests_involve(sample: Release) -> None:
    said = "ImportError: cannot import name 'trapz' from 'scipy'"
    found = page(
        sample,
        outcome("a", "fail", "scipy", "xarray", reason=said),
        outcome("b", "fail", "scipy", "seaborn", reason=said),
        outcome("c", "fail", "scipy", reason=said),
        outcome("d", "fail", "seaborn", reason="boom"),
        outcome("e", "fail", "xarray", reason="boom"),
        reference="starter-2026.9.0",
    ).causes
    assert [(cause.packages, len(cause.tests)) for cause in found] == [
        (("scipy",), 3),
        (("seaborn",), 1),
        (("xarray",), 1),
    ]


def test_a_cause_of_very_many_tests_is_not_as_long_as_they_are(
    sample: Release, read_page: Callable[[Release], Any]
) -> None:
    said = "ImportError: cannot import name 'trapz' from 'scipy'"
    outcomes = tuple(outcome(f"t{number:04}", "fail", "scipy", reason=said) for number in range(SAID + 900))
    release = changed(sample, runs=(PlatformRun(platform=LINUX, runner="native", outcomes=outcomes),))
    (cause,) = page_of(release).causes
    assert len(cause.tests) == SAID + 900
    assert len(cause.evidence) == SAID + 1
    assert cause.evidence[-1] == "… and 900 more, which the report lists"
    assert "The first 100 of 1,000; all are in data.json" in read_page(release).text


def test_without_a_package_in_common_all_are_named_the_most_frequent_first(sample: Release) -> None:
    said = "OSError: the file zoneinfo/Europe/Berlin is missing"
    tests = (("a", ("xarray", "dask")), ("b", ("dask",)), ("c", ("bokeh",)))
    outcomes = (outcome(name, "fail", *packages, reason=said) for name, packages in tests)
    (cause,) = page(sample, *outcomes, reference="starter-2026.9.0").causes
    assert cause.packages == ("dask", "bokeh", "xarray")


def test_an_issue_has_everything_in_markdown_that_nothing_breaks_out_of() -> None:
    text = issue_text(
        Issue(
            title="a*b\n# c <img> @team", kind="blocked", release="starter-2026.11.0", check="constrains",
            packages=("num`py",), owners=("web",), platforms=(LINUX,),
            hits=("Hits", tuple(map(str, range(60)))),
            action="Lower it.", evidence=("one", "````\n# two"),
        )
    )  # fmt: skip
    assert text.splitlines()[0] == r"### a\*b \# c \<img\> \@team"
    assert "- Packages: `num'py`" in text
    assert f"`49`, and {60 - HITS} more, which the report lists\n" in text
    assert "\n`````\none\n````\n# two\n`````\n" in text


def test_the_page_has_a_text_for_each_blocker(sample: Release, read_page: Callable[[Release], Any]) -> None:
    html, found = read_page(sample), page_of(sample)
    texts = [cause.issue for cause in found.causes] + [row.issue for row in found.findings if row.issue]
    assert len(texts) == 4 + 4
    assert len([label for label in html.values("data-copy") if label.startswith("text for an issue")]) == len(
        texts
    )
    for text in texts:
        assert text in html.text


def test_the_page_says_what_its_data_is_from(sample: Release, read_page: Callable[[Release], Any]) -> None:
    said = " ".join(read_page(sample).text.split())
    assert "Made 2026-11-22 11:40 UTC from 2026.11.0.yaml, based on starter-2026.10.2, locked from" in said
    assert "From an earlier run, since their inputs are the same: channel." in said
    assert "linux-64: tested with the runner native, not compared" in said
    assert "win-64: not tested: no runner for Windows on this host" in said


def test_the_page_says_how_many_causes_it_does_not_describe(
    sample: Release, read_page: Callable[[Release], Any]
) -> None:
    outcomes = tuple(
        outcome(f"t{number}", "fail", "scipy", reason=f"r{number}") for number in range(SHOWN + 7)
    )
    run = PlatformRun(platform=LINUX, runner="native", outcomes=outcomes)
    html = read_page(changed(sample, runs=(run,)))
    assert len(html.values("data-cause")) == SHOWN
    assert f"The first {SHOWN} of {SHOWN + 7} causes" in html.text
