"""The page: it says what its twin says, and is sound as a document."""

import base64
import hashlib
import itertools
import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from changed_release import page_of
from cuvee.graph.findings import Verdict
from cuvee.release.record import ChannelResult, LockResult, Release, judge
from cuvee.report.data_json import page_json
from cuvee.report.html import release_path, safe_url
from cuvee.report.outcome_rows import LISTED

Reader = Callable[[Release], Any]


def test_page_and_twin_name_the_same_packages_outcomes_findings_artefacts_and_changes(
    sample: Release, read_page: Reader
) -> None:
    page, data = read_page(sample), json.loads(page_json(page_of(sample)))
    rows = data["matrix"]["requested"] + data["matrix"]["indirect"]
    identifiers = [cell["identifier"] for row in rows for cell in row["cells"] if cell["identifier"]]
    locked = [package.identifier for lock in sample.lock.platforms for package in lock.packages]
    assert sorted(identifiers) == sorted(locked)
    shown = [(a["data-name"], a["data-platform"]) for _, a in page.elements if "data-name" in a]
    places = {(name, platform) for name, found in shown for platform in found.split("|")[:-1]}
    assert places == {(p.name, p.platform) for lock in sample.lock.platforms for p in lock.packages}
    tests = data["results"]["tests"]
    outcomes = len(data["results"]["others"]) + len(data["results"]["passes"])
    assert outcomes == tests["run"] + tests["not_run"]
    counted = len(data["results"]["passes"]) - LISTED
    assert len(page.values("data-outcome")) == outcomes - counted
    assert outcomes == sum(len(run.outcomes) for run in sample.runs)
    anchors = [anchor for anchor in page.values("id") if anchor.startswith("finding-")]
    assert anchors == [row["anchor"] for row in data["findings"]]
    assert len(anchors) == len(sample.findings)
    assert page.values("data-artefact") == [artefact["path"].split("/")[-1] for artefact in data["artefacts"]]
    tiles = [a["data-platform"] for _, a in page.elements if a.get("class") == "tile"]
    assert tiles == [row["name"] for row in data["platforms"]]
    assert page.values("data-change") == [row["package"] for row in data["changes"]["rows"]]


def test_page_and_twin_tell_the_same_words(sample: Release, read_page: Reader) -> None:
    text = re.sub(r"\s+", " ", read_page(sample).text)
    data = json.loads(page_json(page_of(sample)))
    said = [data["readiness"]["headline"], data["readiness"]["must_act"], *data["readiness"]["notes"]]
    said += [task["text"] for actor in data["readiness"]["actors"] for task in actor["tasks"]]
    for row in data["findings"]:
        said += [row["cause"], row["action"], row["waived_because"], *row["victims"], *row["evidence"]]
    for row in data["results"]["others"]:
        said += [f"{row['suite']}: {row['test']}", row["reason"]]
    missing = [row["not_made"] for row in data["artefacts"] if row["not_made"]]
    said += [part for row in missing for part in (row["reason"], row["remedy"])]
    said += [part for row in data["platforms"] for part in (row["note"], row["hint"])]
    said += [f"{name}{version}" for name, version in data["tools"].items()]
    said += [data["inputs_hash"], *(row["sha256"] for row in data["artefacts"])]
    assert [piece for piece in said if re.sub(r"\s+", " ", piece) not in text] == []


def test_the_twin_is_versioned_and_a_status_is_its_word(sample: Release) -> None:
    data = json.loads(page_json(page_of(sample)))
    assert data["report"] == 1
    assert data["readiness"]["verdict"] == data["readiness"]["badge"] == "blocked"
    assert data["results"]["counts"]["regression"] == 1
    assert data["made_at"] == "2026-11-22T11:40:00+00:00"


def test_each_link_into_the_page_leads_somewhere_and_each_place_is_there_once(
    sample: Release, read_page: Reader
) -> None:
    page = read_page(sample)
    places = Counter(page.values("id"))
    assert max(places.values()) == 1
    inside = {link[1:] for link in page.values("href") if link.startswith("#")}
    assert inside <= set(places)
    assert {"finding-1", "outcome-1", "tests"} <= inside


def test_it_needs_nothing_from_elsewhere_and_allows_nothing_but_its_own_code(
    sample: Release, read_page: Reader
) -> None:
    page = read_page(sample)
    tags = Counter(tag for tag, _ in page.elements)
    assert (tags["script"], tags["style"]) == (1, 1)
    assert not tags.keys() & {"img", "iframe", "object", "embed", "form", "base", "audio", "video"}
    assert page.values("src") == []
    assert page.values("style") == []
    assert [attributes["href"] for tag, attributes in page.elements if tag == "link"] == ["data:,"]
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    for kind, code in page.code.items():
        digest = base64.b64encode(hashlib.sha256("".join(code).encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"url\(|@import|@font-face", "".join(page.code["style"]))


def test_it_can_be_read_without_eyes(sample: Release, read_page: Reader) -> None:
    page = read_page(sample)
    assert ("html", {"lang": "en"}) in page.elements
    assert all("scope" in attributes for tag, attributes in page.elements if tag == "th")
    assert all(a.get("aria-hidden") == "true" for tag, a in page.elements if tag == "svg")
    labelled = page.values("aria-labelledby")
    assert len(labelled) >= 7
    assert set(labelled) <= set(page.values("id"))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    assert page.elements[[tag for tag, _ in page.elements].index("body") + 1][1]["class"] == "skip-link"


def test_newly_failing_comes_first_and_each_log_says_what_it_leaves_out(
    sample: Release, read_page: Reader
) -> None:
    page = page_of(sample)
    assert [row.badge.word for row in page.results.others][:5] == [
        "regression", "fail", "timeout", "infra-error", "flaky",
    ]  # fmt: skip
    regression, fail = page.results.others[:2]
    assert regression.log is not None
    assert regression.log.note == "first 30 and last 90 of 400 lines"
    assert fail.log is not None
    assert fail.log.note == ""
    text = read_page(sample).text
    assert "280 lines left out" in text
    assert "results/linux-64/logs/plot-to-pixels.log" in text


def test_a_release_without_anything_is_still_a_page(ready: Release, read_page: Reader) -> None:
    import dataclasses

    from cuvee.lock.model import Lock

    manifest = dataclasses.replace(ready.manifest, platforms=(), packages=(), suites=(), support=None)
    bare = Release(
        manifest=manifest,
        channel=ChannelResult(),
        locked=LockResult(lock=Lock(platforms=())),
        made_at=ready.made_at,
    )
    page = read_page(bare)
    assert bare.verdict is judge(bare) is Verdict.BLOCKED
    assert "The checks found nothing." in page.text
    assert "no check was run" in page.text
    assert "changes" not in page.values("id")


def test_a_long_list_says_where_it_ends(
    ready: Release, read_page: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cuvee.report.html.LISTED", 100)
    page = read_page(ready)
    assert len(page.values("data-outcome")) == 100
    assert (
        "The first 100 of 856; all are on the pages of linux-64, linux-aarch64, win-64, and in outcomes.csv."
        in page.text
    )


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("https://example.org/a?b=c", "https://example.org/a?b=c"),
        ("ada@example.org", "mailto:ada@example.org"),
        ("javascript:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        (" JavaScript://example.org/%0aalert(1)", ""),
        ("data:text/html,<script>", ""),
        ("file:///etc/passwd", ""),
        ("https://", ""),
        ("https://[broken", ""),
        ('https://example.org/"onclick=', ""),
        ("room 4.12", ""),
        ("ada@example.org?cc=all", ""),
    ],
)
def test_only_web_and_mail_addresses_are_linked(text: str, link: str) -> None:
    assert safe_url(text) == link


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("installers/a b.sh", "../installers/a%20b.sh"),
        ("lock/pixi.lock", "../lock/pixi.lock"),
        ("../../etc/passwd", ""),
        ("/etc/passwd", ""),
        ("javascript:alert(1)", ""),
        ("a\\b", ""),
        ("", ""),
    ],
)
def test_only_paths_inside_the_release_are_linked(path: str, link: str) -> None:
    assert release_path(path) == link
