"""The pages of stages, packages and platforms; each link leads to a file and a place in it."""

import dataclasses
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from changed_release import changed, page_of, write
from cuvee.conda.project_links import LinkKind, ProjectLink
from cuvee.history.over_releases import PackageInRelease, Past
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.release.record import ArchiveFacts, Release
from cuvee.report.earlier_releases import over_releases
from cuvee.report.page_names import file_name
from cuvee.report.site import site_pages
from cuvee.report.stage_matrix import StageOfUse, stage_of
from cuvee.report.writer import write_report


def test_each_relative_link_leads_to_a_page_and_a_place_on_it(sample: Release, tmp_path: Path) -> None:
    folder = tmp_path / "release" / "report"
    write(sample, folder)
    texts = {path.resolve(): path.read_text(encoding="utf-8") for path in folder.rglob("*.html")}
    assert len(texts) == 2 + 122 + 5 + 2
    broken = []
    for path, text in texts.items():
        for link in re.findall(r'href="([^"]*)"', text):
            parts = urlsplit(link)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if parts.scheme or not target.is_relative_to(folder):  # the web, logs and installers
                continue
            place = f'id="{unquote(parts.fragment)}"'
            if not target.is_file() or (parts.fragment and place not in texts[target]):
                broken.append((path.name, link))
    assert broken == []


def test_pages_of_an_earlier_report_are_removed_and_nothing_else(sample: Release, tmp_path: Path) -> None:
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "gone.html").write_text("old")
    (tmp_path / "packages" / "notes.txt").write_text("mine")
    write(sample, tmp_path)
    assert not (tmp_path / "packages" / "gone.html").exists()
    assert (tmp_path / "packages" / "notes.txt").exists()


def test_a_package_s_page_has_what_is_known_of_it(sample: Release, tmp_path: Path) -> None:
    past = {
        "numpy": (
            PackageInRelease(
                release="starter-2026.10.2", platform="linux-64", version="2.3.5", build="cp311_0",
                states={OutcomeState.PASS: 3, OutcomeState.FLAKY: 1},
            ),
        )
    }  # fmt: skip
    write_report(page_of(sample), sample, sample.graph, tmp_path, Past(packages=past))
    text = " ".join((tmp_path / "packages" / "numpy.html").read_text(encoding="utf-8").split())
    for part in (
        "numerics@example.org", "BSD-3-Clause", "numpy-2.4.1-cp311_0.conda", "2.3.5 flaky",
        "starter-2026.10.2", "numpy 2.4.1 is newer than scipy 1.16.3 accepts",
        '<a href="python.html">python &gt;=3.11</a>',
    ):  # fmt: skip
        assert part in text, part
    python = (tmp_path / "packages" / "python.html").read_text(encoding="utf-8")
    assert '<a href="numpy.html">numpy</a>' in python


def test_a_package_s_page_links_to_upstream_and_counts_files(sample: Release, tmp_path: Path) -> None:
    assert sample.checked is not None
    record = sample.lock.by_platform["linux-64"].by_name["numpy"]
    links = (
        ProjectLink(kind=LinkKind.RELEASE_NOTES, url="https://example.org/news?a=1&b=<2>"),
        ProjectLink(kind=LinkKind.HOME, url="javascript:alert(1)"),
        ProjectLink(kind=LinkKind.DOCUMENTATION, url="https://example.org/docs?a=1&b=2"),
    )
    facts = ArchiveFacts(sha256=record.sha256, files=1234, unpacked=5_600_000, links=links)
    known = changed(sample, checked=dataclasses.replace(sample.checked, archives=(facts,)))
    write(known, tmp_path)
    text = (tmp_path / "packages" / "numpy.html").read_text(encoding="utf-8")
    assert re.findall(r'<a href="([^"]*)" rel="noopener noreferrer external">([^<]*)', text) == [
        ("https://example.org/docs?a=1&amp;b=2", "documentation ")
    ]
    assert "javascript" not in text
    assert ">1,234<" in text.replace("\n", "")
    assert "5.60 MB" in text
    assert "2.3.5 → 2.4.1" in text


def test_names_that_file_systems_refuse_have_pages() -> None:
    assert file_name("numpy") == "numpy.html"
    assert file_name("con") == "con_.html"
    assert file_name("nul.x") == "nul.x_.html"
    assert file_name("../../etc/passwd") == ".._.._etc_passwd.html"


def test_a_hostile_platform_writes_nothing_outside_of_the_report(sample: Release, tmp_path: Path) -> None:
    entries = (
        dataclasses.replace(sample.manifest.platforms[3], name="../../evil"),
        *sample.manifest.platforms[:3],
    )
    hostile = changed(sample, manifest=dataclasses.replace(sample.manifest, platforms=entries))
    write(hostile, tmp_path / "a" / "report")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["report"]


STAGES = [
    ("smoke", "install", None, (), "install"), ("smoke", "verify", None, (), "install"),
    ("smoke", "import:numpy", "numpy", ("numpy",), "import"),
    ("smoke", "command:pip", "pip", ("pip",), "import"),
    ("upstream", "tests/test_a.py", "numpy", ("numpy",), "own tests"),
    ("interop", "test_sql.py::test_frame", None, ("pandas", "sqlalchemy"), "interop"),
    ("lifecycle", "upgrade", None, (), "upgrade"),
    ("lifecycle", "test_l.py::test_uninstall", None, (), "uninstall"),
    ("lifecycle", "roll-back", None, (), "upgrade"), ("lifecycle", "repair", None, (), "install"),
]  # fmt: skip


@pytest.mark.parametrize(("suite", "test", "package", "packages", "stage"), STAGES)
def test_the_stage_of_a_test(
    suite: str, test: str, package: str | None, packages: tuple[str, ...], stage: str
) -> None:
    outcome = TestOutcome(
        suite=suite,
        test=test,
        platform="linux-64",
        state=OutcomeState.PASS,
        package=package,
        packages=packages,
    )
    assert stage_of(outcome) is StageOfUse(stage)


def test_platforms_that_do_not_differ_share_a_row_and_none_is_lost(sample: Release) -> None:
    page = page_of(sample)
    for name, rows in page.stages_of_use.packages.items():
        platforms = [platform for row in rows for platform in row.platforms]
        assert sorted(platforms) == sorted(page.matrix.platforms), name
        assert all(len(row.badges) == len(StageOfUse) for row in rows)
    numpy = page.stages_of_use.packages["numpy"]
    assert [(row.platforms, row.badges[0].word) for row in numpy] == [
        (("linux-64", "linux-aarch64"), "blocked"),
        (("win-64",), "locked"),
    ]
    interop = page.stages_of_use.packages["pandas"][0].badges[4]
    assert interop.word == "regression"
    assert {badge.word for badge in page.stages_of_use.packages["pywin32"][0].badges} == {"not wanted"}


def test_the_matrix_says_each_state_in_words(sample: Release) -> None:
    page = page_of(sample)
    pages = dict(site_pages(page, sample, sample.graph, Past(), over_releases(page, sample, Past())))
    row = re.search(r'<tr id="pandas-1".*', pages["stages.html"])
    assert row is not None
    assert '<td class="bad">regression' in row[0]
    assert '<td class="good">pass' in row[0]
    with_filters = [name for name, text in pages.items() if "data-filters" in text]
    assert sorted(with_filters) == ["stages.html", "tests/linux-64.html", "tests/linux-aarch64.html"]
    assert all(text.count("<script>") == 1 for text in pages.values())
