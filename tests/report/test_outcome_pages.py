"""The pages with every outcome: none is lost between pages, and an address is that of the test."""

import re
from collections.abc import Iterator

import pytest

from changed_release import changed, page_of
from cuvee.history.over_releases import Past
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.release.record import Release
from cuvee.report.earlier_releases import over_releases
from cuvee.report.outcome_pages import outcome_pages
from cuvee.report.page_names import outcome_places
from cuvee.report.site import site_pages


def test_the_address_of_a_test_is_its_own_whatever_comes_before_it() -> None:
    first, second = outcome_places([("linux-64", "smoke", "a"), ("linux-64", "smoke", "b")])
    (alone,) = outcome_places([("linux-64", "smoke", "b")])
    assert second == alone != first
    assert re.fullmatch(r"tests/linux-64\.html#t[0-9a-f]{10}", alone)
    assert list(outcome_places([("win-64", "s", "a\udcff")])) != list(outcome_places([("win-64", "s", "a")]))


def test_equal_tests_have_different_addresses() -> None:
    places = list(outcome_places([("linux-64", "s", "t")] * 3))
    assert len(set(places)) == 3
    assert places[1] == f"{places[0]}-2"


def outcomes() -> Iterator[TestOutcome]:
    for number in range(25):
        yield TestOutcome(suite="s", test=f"t{number}", platform="linux-64", state=OutcomeState.PASS)


def test_a_platform_with_many_tests_has_several_pages_that_lose_none(
    ready: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cuvee.report.page_names.OUTCOMES_PER_PAGE", 10)
    run = PlatformRun(platform="linux-64", runner="native", outcomes=tuple(outcomes()))
    release = changed(ready, runs=(run,))
    page = page_of(release)
    found = list(outcome_pages(page))
    assert [(item.path, len(item.rows), item.elsewhere) for item in found] == [
        ("tests/linux-64.html", 10, 15), ("tests/linux-64.2.html", 10, 15), ("tests/linux-64.3.html", 5, 20),
    ]  # fmt: skip
    over = over_releases(page, release, Past())
    texts = dict(site_pages(page, release, release.graph, Past(), over))
    for item in found:
        places = set(re.findall(r'<tr id="([^"]+)"', texts[item.path]))
        assert places == {row.place.partition("#")[2] for row in item.rows}
        assert "of this platform are on other pages" in texts[item.path]
    assert list(page.results.pages.values()) == ["linux-64", "linux-64 (2)", "linux-64 (3)"]
