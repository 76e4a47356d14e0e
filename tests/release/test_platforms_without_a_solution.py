"""A platform that has no solution: the run ends, or goes on without it if it is to keep going."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import tiny_index
from changed_release import page_of
from cuvee.errors import BlockedError, UnsolvableError
from cuvee.graph.findings import Verdict
from cuvee.integration.outcomes import OutcomeState
from cuvee.manifest import load_manifest
from cuvee.release.pipeline import check_release
from cuvee.release.record import Release
from cuvee.release.session import Options, Session
from cuvee.report.summary import summary_lines
from tiny_distribution import NOW, Distribution, Recorder

PLATFORMS = 'linux-64: {floor: {glibc: "2.28"}}\nwin-64: {floor: {win: "10"}}\nosx-64: {floor: {osx: "11.0"}}'
GOOD = 'app: "*"'
HALF = 'app: "*"\nonly: {version: ">=2", platforms: [win-64]}\nhalf: {version: "*", platforms: [osx-64]}'


def session(root: Path, packages: str, *wanted: str, keep_going: bool = True) -> Session:
    lines = ("app 1", "only 1", "half 1: gone")
    names = ("linux-64", "win-64", "osx-64")
    channel = tiny_index.write_index(root / "channel", map(tiny_index.entry, lines), platforms=names)
    path = tiny_index.write_manifest(root / "manifests", channel, packages, platforms=PLATFORMS)
    options = Options(
        dist=root / "dist", cache=root / "cache", now=NOW, platforms=wanted, keep_going=keep_going
    )
    return Session(load_manifest(path, today=NOW.date()), options, Recorder())


def test_the_others_are_locked_and_checked(tmp_path: Path) -> None:
    made = session(tmp_path, HALF)
    release = check_release(made)
    assert tuple(release.lock.by_platform) == ("linux-64",)
    assert release.unlocked == ("win-64", "osx-64")
    assert release.absent == (), "nobody has chosen to leave them out"
    assert release.verdict is Verdict.BLOCKED
    (item,) = release.unsolved
    assert item.platforms == ("win-64", "osx-64")
    assert made.workspace.conflict_file.exists()
    said = "\n".join(made.reporter.lines)  # type: ignore[attr-defined]
    assert "This run goes on without win-64, osx-64." in said
    release.save()
    assert Release.open(release.folder).unsolved == release.unsolved


def test_the_page_says_why_and_what_to_do(tmp_path: Path) -> None:
    release = check_release(session(tmp_path, HALF))
    page = page_of(release)
    rows = {row.name: row for row in page.platforms}
    assert "only" in rows["win-64"].note
    assert rows["win-64"].hint == release.unsolved[0].hint != ""
    text = "\n".join(summary_lines(page))
    assert "2 platforms must be fixed" in text
    assert f"win-64 has no solution. {release.unsolved[0].hint}" in text
    assert "no channel has" in text


def test_without_keep_going_nothing_is_made_of_what_was(tmp_path: Path) -> None:
    check_release(session(tmp_path, HALF))
    with pytest.raises(UnsolvableError) as caught:
        check_release(session(tmp_path, HALF, keep_going=False))
    assert caught.value.platforms == ("win-64", "osx-64")
    mended = session(tmp_path, GOOD)
    assert check_release(mended).unsolved == ()
    assert not mended.workspace.conflict_file.exists()


@pytest.mark.parametrize("wanted", [(), ("osx-64",)])
def test_without_any_platform_the_run_ends(tmp_path: Path, wanted: tuple[str, ...]) -> None:
    packages = 'gone: "*"' if not wanted else HALF
    with pytest.raises(UnsolvableError):
        check_release(session(tmp_path, packages, *wanted))


@pytest.mark.parametrize("error", [BlockedError("no", platforms=["linux-aarch64"]), BlockedError("no")])
def test_an_error_about_no_platform_of_the_run_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BlockedError
) -> None:
    def refuse(made: Session) -> None:
        raise error

    monkeypatch.setattr("cuvee.release.pipeline.make_channel", refuse)
    with pytest.raises(BlockedError):
        check_release(session(tmp_path, GOOD))


@pytest.mark.real
def test_wheels_that_one_platform_lacks_cost_only_that_platform(
    copied: Callable[[], Distribution], tiny_text: str, host_platform: str
) -> None:
    distribution = copied()
    text = tiny_text.replace(
        "packages:\n", 'packages:\n  pywin32: {version: "==1.0", platforms: [win-64], owner: core}\n'
    )
    path = distribution.write(text.replace("wheels: [", "wheels: [pywin32, "))
    with pytest.raises(BlockedError, match="the wheels for win-64 cannot be resolved"):
        distribution.cut(path)
    release = distribution.cut(path, keep_going=True)
    assert release.unlocked == ("win-64",)
    assert release.verdict is Verdict.BLOCKED
    (run,) = release.runs
    assert {outcome.state for outcome in run.outcomes} == {OutcomeState.PASS}
    assert all(item.not_made is None for item in release.handed_out)
    assert "pywin32" in (release.folder / "report" / "index.html").read_text(encoding="utf-8")
    assert Release.open(release.folder) == replace(release, folder=release.folder)
