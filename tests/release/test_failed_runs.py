"""What a run leaves that fails: its own record and report, and nothing that its inputs did not make."""

import json
import shutil
from pathlib import Path

import pytest

import tiny_index
from cuvee.cli.main import run
from cuvee.errors import IntegrityError, UsageError
from cuvee.manifest import load_manifest
from cuvee.progress import SILENT
from cuvee.release import pipeline
from cuvee.release.cutting import cut
from cuvee.release.record import Release
from cuvee.release.session import Options, Session
from tiny_distribution import NOW


def options(root: Path) -> list[str]:
    return ["--dist", str(root / "dist"), "--cache", str(root / "cache"), "-q"]


def manifest(root: Path, *lines: str) -> Path:
    channel = tiny_index.write_index(root / "channel", map(tiny_index.entry, lines))
    return tiny_index.write_manifest(root / "manifests", channel, 'app: "*"')


def test_a_first_run_that_fails_has_a_record_and_a_report_that_explains(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = manifest(tmp_path, "app 1: gone")
    assert run(["release", str(path), *options(tmp_path)]) == 1
    folder = tmp_path / "dist" / "tiny-2026.11.0"
    failed = Release.open(folder)
    assert failed.failure is not None
    assert failed.verdict.value == "blocked"
    page = (folder / "report" / "index.html").read_text()
    assert "The run failed in the stage lock: " in page
    assert failed.failure.stage == "lock"
    assert "gone" in page
    capsys.readouterr()
    assert run(["report", str(folder)]) == 1
    assert "Failed" in capsys.readouterr().out
    assert run(["diff", str(folder), str(folder)]) == 2, "there is nothing to compare"
    assert "has no lock" in capsys.readouterr().err


def test_an_older_release_does_not_stay_beside_a_run_that_fails(tmp_path: Path) -> None:
    path = manifest(tmp_path, "app 1", "lib 1")
    assert run(["check", str(path), *options(tmp_path)]) == 1, "the archives are not there"
    folder = tmp_path / "dist" / "tiny-2026.11.0"
    certificate = folder / "checks" / "certificate.json"
    before = certificate.read_bytes()
    assert run(["release", str(path), *options(tmp_path)]) == 4, "no archive can be fetched"
    assert not certificate.exists()
    assert (folder / "set-aside" / "checks" / "certificate.json").read_bytes() == before
    assert Release.open(folder).exit_code == run(["report", str(folder)]) == 4
    manifest(tmp_path, "app 1: gone")
    assert run(["release", str(path), *options(tmp_path), "--refresh"]) == 1
    assert not (folder / "lock" / "pixi.lock").exists()
    assert Release.open(folder).exit_code == 1
    manifest(tmp_path, "app 1", "lib 1")
    run(["check", str(path), *options(tmp_path)])
    assert certificate.exists()


def test_a_verdict_that_does_not_follow_from_the_record_is_refused(tmp_path: Path) -> None:
    path = manifest(tmp_path, "app 1: gone")
    assert run(["release", str(path), *options(tmp_path)]) == 1
    record = tmp_path / "dist" / "tiny-2026.11.0" / "release.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"verdict": "ready"}))
    with pytest.raises(IntegrityError, match="says ready, and what it records is blocked"):
        Release.open(record.parent)


def test_a_record_is_not_believed_beside_a_lock_of_another_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = manifest(tmp_path, "app 1", "lib 1")
    run(["release", str(path), *options(tmp_path)])
    folder = tmp_path / "dist" / "tiny-2026.11.0"
    locked = folder / "lock" / "pixi.lock"
    assert locked.exists()
    assert run(["report", str(folder)]) == Release.open(folder).exit_code
    manifest(tmp_path, "app 2", "lib 1")
    assert run(["lock", str(path), *options(tmp_path), "--refresh"]) == 0
    capsys.readouterr()
    assert run(["report", str(folder)]) == 5
    assert f"{locked} is not the file that release.json records" in capsys.readouterr().err


@pytest.mark.parametrize("absolute", [False, True])
def test_files_outside_of_the_release_are_not_set_aside(tmp_path: Path, absolute: bool) -> None:
    path = manifest(tmp_path, "app 1", "lib 1")
    run(["check", str(path), *options(tmp_path)])
    folder = tmp_path / "dist" / "tiny-2026.11.0"
    victim = tmp_path / "victim"
    victim.write_text("mine")
    entry = folder / ".stages" / "check.json"
    stated = json.loads(entry.read_text())
    stated["outputs"] = {str(victim) if absolute else "../../victim": "0" * 64}
    entry.write_text(json.dumps(stated))
    manifest(tmp_path, "app 1: gone")
    assert run(["release", str(path), *options(tmp_path), "--refresh"]) == 1
    assert victim.read_text() == "mine"


def test_a_run_that_is_killed_leaves_no_record_of_an_older_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = manifest(tmp_path, "app 1", "lib 1")
    folder = tmp_path / "dist" / "tiny-2026.11.0"

    def cut_checked() -> Release:
        found = Options(dist=tmp_path / "dist", cache=tmp_path / "cache", now=NOW)
        session = Session(load_manifest(path, today=NOW.date()), found, SILENT)
        with session.workspace.locked():
            return cut(session)

    monkeypatch.setattr(pipeline, "run_tests", pipeline.check_release)
    first = cut_checked()
    files = {name: (folder / name).read_bytes() for name in ("release.json", "report/index.html")}
    during = []

    def killed(session: Session) -> Release:
        during.append(Release.open(folder))
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(pipeline, "run_tests", killed)
        with pytest.raises(KeyboardInterrupt):
            cut_checked()
    for release in (*during, Release.open(folder)):
        assert release.failure is not None
        assert "has not ended" in release.failure.message
        assert release.verdict.value == "blocked"
    assert not (folder / "report" / "index.html").exists()
    capsys.readouterr()
    assert run(["report", str(folder)]) == 130
    assert "Failed" in capsys.readouterr().out

    assert cut_checked() == first
    assert {name: (folder / name).read_bytes() for name in files} == files


def test_wrong_usage_keeps_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = manifest(tmp_path, "app 1: gone")
    run(["release", str(path), *options(tmp_path)])
    folder = tmp_path / "dist" / "tiny-2026.11.0"
    before = (folder / "release.json").read_bytes()

    def refuse(session: Session) -> Release:
        raise UsageError("no")

    monkeypatch.setattr(pipeline, "run_tests", refuse)
    for _ in range(2):
        assert run(["release", str(path), *options(tmp_path)]) == 2
        assert (folder / "release.json").read_bytes() == before
        shutil.rmtree(folder / ".stages")
