"""Commands that only ask: they change nothing of a release, whatever has happened around it."""

import datetime as dt
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import tiny_index
from cuvee.cli.main import run
from cuvee.files import sha256_file
from cuvee.lock.pixi_lock import read_lock
from cuvee.manifest import load_manifest
from cuvee.progress import SILENT
from cuvee.release.pipeline import check_release
from cuvee.release.report_stage import make_report
from cuvee.release.session import Options, Session
from cuvee.release.stage import StageRunner
from cuvee.release.workspace import Workspace

INDEX = ["app 1: lib", "app 2: lib; extra", "lib 1", "extra 1", "other 1: lib"]
PACKAGES = 'app: "*"\nother: "*"'

QUESTIONS = (
    ["why", "lib"],
    ["needs", "lib"],
    ["impact", "lib=1"],
    ["graph"],
    ["check"],
    ["check", "--only", "closure"],
    ["report"],
    ["show"],
    ["diff"],
    ["certify", "--verify"],
    ["coinstall"],
)
NEED_THE_LOCK = QUESTIONS[:4]


class Cut:
    """A checked and reported release of a tiny channel, and how to ask for things of it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.dist = root / "dist"
        self.folder = self.dist / "tiny-2026.11.0"
        self.manifest = tiny_index.write_manifest(root, root / "channel", PACKAGES, platforms=PLATFORMS)

    def index(self, *lines: str) -> None:
        tiny_index.write_index(
            self.root / "channel",
            map(tiny_index.entry, lines),
            platforms=("linux-64", "win-64"),
        )

    def command(self, question: list[str]) -> list[str]:
        name, *rest = question
        cache = ["--cache", str(self.root / "cache")]
        if name == "diff":
            return [name, str(self.folder), str(self.folder)]
        if name == "certify":
            return [name, *rest, str(self.folder)]
        if name == "show":
            return [name, str(self.manifest)]
        more = {
            "impact": cache,
            "coinstall": cache,
            "check": cache,
            "graph": [*cache, "-o", str(self.root / "out")],
        }
        return [name, *rest, str(self.manifest), "--dist", str(self.dist), *more.get(name, [])]

    def run(self, *command: str) -> int:
        options = ["--dist", str(self.dist), "--cache", str(self.root / "cache"), "-q"]
        return run([command[0], str(self.manifest), *command[1:], *options])

    def versions(self) -> dict[str, str]:
        """Return the locked versions of the first platform."""
        (first, *_) = read_lock(self.folder / "lock" / "pixi.lock").platforms
        return {package.name: package.version for package in first.packages}

    def state(self) -> dict[str, tuple[str, int]]:
        """Return the hash and time of each file of the release folder, and the time of each folder."""
        return {
            path.relative_to(self.dist).as_posix(): (
                "" if path.is_dir() else sha256_file(path),
                path.stat().st_mtime_ns,
            )
            for path in self.dist.rglob("*")
        }


PLATFORMS = 'linux-64: {floor: {glibc: "2.28"}}\nwin-64: {floor: {win: "10"}}'


ON_A_FOLDER = (["why", "lib"], ["needs", "lib"], ["graph"], ["report"], ["coinstall"])


@pytest.fixture
def cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cut:
    monkeypatch.chdir(tmp_path)
    made = Cut(tmp_path)
    made.index("app 1: lib", "lib 1", "other 1: lib")
    assert made.run("check") == 1, "the archives are not there"
    _report(made)
    capsys.readouterr()
    return made


def _report(made: Cut) -> None:
    """Write the record of a release, as a whole run does, which would need archives."""
    now = dt.datetime.now(dt.UTC)
    options = Options(dist=made.dist, cache=made.root / "cache", now=now)
    session = Session(load_manifest(made.manifest, today=now.date()), options, SILENT)
    with session.workspace.locked():
        make_report(session, check_release(session))


def test_a_question_changes_nothing_after_a_copy_and_a_change_of_the_channel(
    cut: Cut, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.move(cut.dist, tmp_path / "first")
    shutil.copytree(tmp_path / "first", cut.dist, copy_function=shutil.copy)
    cut.index(*INDEX)
    before = cut.state()
    for question in QUESTIONS:
        # A certificate names the repodata that it was made from, and those are others now.
        expected = {5} if question[0] == "certify" else {0, 1}
        assert run(cut.command(question)) in expected, capsys.readouterr().err
        assert cut.state() == before, question


def test_the_answer_is_that_of_the_lock(cut: Cut, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(cut.root / "channel")
    assert run([*cut.command(["needs", "lib"]), "--json"]) == 0
    dependents = json.loads(capsys.readouterr().out)["platforms"][0]["dependents"]
    assert [item["package"] for item in dependents] == ["app-1-0", "other-1-0"]


def test_a_question_works_while_a_run_holds_the_folder(cut: Cut, capsys: pytest.CaptureFixture[str]) -> None:
    with Workspace(cut.folder, cut.root / "cache").locked():
        before = cut.state()
        for question in QUESTIONS:
            assert run(cut.command(question)) in {0, 1}, capsys.readouterr().err
        assert cut.state() == before


def test_a_question_works_on_folders_that_are_read_only(
    cut: Cut, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Root may write everywhere, so what is written is looked for where files are made, too."""
    _refuse_writing_below(cut.dist, monkeypatch)
    for path in (cut.dist, *cut.dist.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        for question in QUESTIONS:
            assert run(cut.command(question)) in {0, 1}, capsys.readouterr().err
    finally:
        for path in (cut.dist, *cut.dist.rglob("*")):
            path.chmod(path.stat().st_mode | 0o200)


def test_a_release_folder_is_asked_without_its_manifest_and_under_another_name(
    cut: Cut, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut.index(*INDEX)
    cut.manifest.unlink()
    copied = tmp_path / "dist" / "a copy"
    shutil.move(cut.folder, copied)
    before = cut.state()
    for name, *rest in ON_A_FOLDER:
        more = ["-o", str(tmp_path / "out")] if name == "graph" else []
        assert run([name, *rest, str(copied), *more]) in {0, 1}, capsys.readouterr().err
        assert cut.state() == before, name


def test_a_release_folder_is_no_manifest_of_a_run(cut: Cut, capsys: pytest.CaptureFixture[str]) -> None:
    before = cut.state()
    words = f"{cut.folder} is a release folder, not a manifest"
    # `test` takes one, and tests the installers in it; here it finds no manifest that says what to test.
    for command, message in (("lock", words), ("release", words), ("test", "The manifest of tiny-2026.11.0")):
        assert run([command, str(cut.folder), "--cache", str(cut.root / "cache"), "-q"]) == 2
        assert message in capsys.readouterr().err
    assert cut.state() == before


def _refuse_writing_below(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(function: Callable[..., object]) -> Callable[..., object]:
        def call(path: object, *arguments: object, **options: object) -> object:
            target = str(options.get("dir") or path)
            if target.startswith(str(folder)) and not (function is opened and arguments[0] == os.O_RDONLY):
                raise AssertionError(f"{target} would be written")
            return function(path, *arguments, **options)

        return call

    opened = os.open
    for name in ("open", "mkdir", "unlink", "rename", "replace"):
        monkeypatch.setattr(os, name, refused(getattr(os, name)))


def test_what_is_not_locked_is_not_locked_by_a_question(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = Cut(tmp_path)
    made.index(*INDEX)
    for question in NEED_THE_LOCK:
        assert run(made.command(question)) == 2
        told = capsys.readouterr().err
        assert "tiny-2026.11.0 is not locked" in told
        assert f"next: Run `cuvee lock {made.manifest} --dist {made.dist}`" in told
    assert not made.dist.exists()


def test_a_check_says_what_the_run_has_found(cut: Cut, capsys: pytest.CaptureFixture[str]) -> None:
    recorded = json.loads((cut.folder / "checks" / "findings.json").read_bytes())
    assert run([*cut.command(["check"]), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["checks"] == recorded


def test_a_check_locks_platforms_that_have_no_lock(cut: Cut, capsys: pytest.CaptureFixture[str]) -> None:
    assert cut.run("lock", "--platform", "linux-64") == 0
    capsys.readouterr()
    assert run([*cut.command(["check"]), "--json"]) == 1
    assert set(json.loads(capsys.readouterr().out)["packages"]) == {"linux-64", "win-64"}


def test_a_check_locks_what_is_not_locked_so_only_one_may(tmp_path: Path) -> None:
    made = Cut(tmp_path)
    made.index(*INDEX)
    with Workspace(made.folder, made.root / "cache").locked():
        assert run(made.command(["check"])) == 7
    assert run(made.command(["check"])) == 1
    assert (made.folder / "checks" / "findings.json").is_file()


def test_a_lock_of_another_manifest_does_not_answer(cut: Cut, capsys: pytest.CaptureFixture[str]) -> None:
    before = cut.state()
    text = cut.manifest.read_text(encoding="utf-8")
    cut.manifest.write_text(text.replace('other: "*"', 'other: ">=1"'), encoding="utf-8")
    for question in NEED_THE_LOCK:
        assert run(cut.command(question)) == 2
        told = capsys.readouterr().err
        assert f"{cut.manifest} was changed after tiny-2026.11.0 was locked" in told
        assert f"next: Run `cuvee lock {cut.manifest}" in told
    assert cut.state() == before


def test_what_does_not_decide_the_packages_may_change(cut: Cut) -> None:
    text = cut.manifest.read_text(encoding="utf-8")
    cut.manifest.write_text("# A comment\n" + text.replace("title: Tiny", "title: Small"), encoding="utf-8")
    assert run(cut.command(["why", "lib"])) == 0


def test_a_lock_that_was_edited_does_not_answer(cut: Cut, capsys: pytest.CaptureFixture[str]) -> None:
    lock = cut.folder / "lock" / "pixi.lock"
    lock.write_text(lock.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    assert run(cut.command(["why", "lib"])) == 2
    assert "was changed after cuvee wrote it" in capsys.readouterr().err


def test_a_copy_without_its_hidden_files_answers(cut: Cut, capsys: pytest.CaptureFixture[str]) -> None:
    """Artefact stores of CI systems leave out names that begin with a dot."""
    shutil.rmtree(cut.folder / ".stages")
    assert run(cut.command(["why", "lib"])) == 0
    (cut.folder / "release.json").unlink()
    assert run(cut.command(["why", "lib"])) == 2
    assert "It is not known from which manifest" in capsys.readouterr().err


def test_another_machine_and_another_cuvee_answer(cut: Cut, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cuvee.release.stage.code_fingerprint", lambda: "another version")
    moved = cut.root / "moved"
    shutil.move(cut.root / "channel", moved / "channel")
    path = tiny_index.write_manifest(moved, moved / "channel", PACKAGES, platforms=PLATFORMS)
    assert run(["why", "lib", str(path), "--dist", str(cut.dist)]) == 0


def test_a_question_about_one_platform_leaves_the_lock_of_all(
    cut: Cut, capsys: pytest.CaptureFixture[str]
) -> None:
    before = cut.state()
    assert run([*cut.command(["why", "lib"]), "--platform", "win-64"]) == 0
    assert capsys.readouterr().out.startswith("win-64: ")
    assert cut.state() == before


def test_platforms_without_a_lock_are_named(cut: Cut, capsys: pytest.CaptureFixture[str]) -> None:
    assert cut.run("lock", "--platform", "linux-64") == 0
    capsys.readouterr()
    assert run(cut.command(["why", "lib"])) == 0
    out, err = capsys.readouterr()
    assert out.startswith("linux-64: ")
    assert "warning: win-64 is left out: the release was not locked for it" in err
    assert run([*cut.command(["why", "lib"]), "--platform", "win-64"]) == 2
    assert "tiny-2026.11.0 has no lock for win-64" in capsys.readouterr().err


def test_a_copied_release_is_not_locked_again_by_a_run(
    cut: Cut, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With new times, and a channel that has more now, nothing but `--refresh` makes another lock."""
    shutil.move(cut.dist, tmp_path / "first")
    shutil.copytree(tmp_path / "first", cut.dist, copy_function=shutil.copy)
    cut.index(*INDEX)
    lock = cut.folder / "lock" / "pixi.lock"
    before = sha256_file(lock)
    assert cut.run("lock") == 0
    assert sha256_file(lock) == before
    assert cut.run("lock", "--refresh") == 0
    assert sha256_file(lock) != before


def test_a_report_goes_where_the_caller_says(cut: Cut, capsys: pytest.CaptureFixture[str]) -> None:
    before = cut.state()
    target = cut.root / "page"
    assert run(["report", str(cut.folder), "-o", str(target)]) in {0, 1}
    assert f"report: {target / 'index.html'}" in capsys.readouterr().out
    assert sha256_file(target / "data.json") == sha256_file(cut.folder / "report" / "data.json")
    assert cut.state() == before


def test_another_cuvee_locks_nothing_again(cut: Cut, monkeypatch: pytest.MonkeyPatch) -> None:
    """Channels move on; under a release number, only a changed manifest or ``--refresh`` may."""
    cut.index(*INDEX)
    lock = cut.folder / "lock" / "pixi.lock"
    before = sha256_file(lock)
    monkeypatch.setattr("cuvee.release.stage.code_fingerprint", lambda: "another version")
    assert cut.run("lock") == 0
    assert sha256_file(lock) == before


def test_a_lock_that_is_made_again_keeps_its_versions(cut: Cut) -> None:
    """As for fewer platforms, after a change of the host, or when the stage writes another format."""
    cut.index(*INDEX)
    assert cut.run("lock", "--platform", "linux-64") == 0
    assert cut.versions() == {"app": "1", "lib": "1", "other": "1"}
    assert cut.run("lock", "--platform", "linux-64", "--refresh") == 0
    assert cut.versions() == {"app": "2", "extra": "1", "lib": "1", "other": "1"}


def test_a_lock_that_a_failed_run_set_aside_keeps_its_versions(cut: Cut) -> None:
    StageRunner(folder=cut.folder, reporter=SILENT).set_aside()
    assert not (cut.folder / "lock" / "pixi.lock").exists()
    cut.index(*INDEX)
    assert cut.run("lock", "--platform", "linux-64") == 0
    assert cut.versions() == {"app": "1", "lib": "1", "other": "1"}


def test_a_changed_manifest_or_a_changed_lock_keeps_nothing(cut: Cut) -> None:
    cut.index(*INDEX)
    lock = cut.folder / "lock" / "pixi.lock"
    lock.write_text(lock.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    assert cut.run("lock") == 0
    assert cut.versions()["app"] == "2"
    cut.index("app 1: lib", "app 2: lib; extra", "app 3: lib", "lib 1", "extra 1", "other 1: lib")
    tiny_index.write_manifest(cut.root, cut.root / "channel", 'app: ">=1"\nother: "*"', platforms=PLATFORMS)
    assert cut.run("lock") == 0
    assert cut.versions()["app"] == "3"
