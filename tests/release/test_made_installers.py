"""Tests of the installers that a release folder holds, as on a machine that did not make them."""

import json
import shutil
from pathlib import Path

import pytest

from cuvee.cli.main import run
from cuvee.release.record import Release
from cuvee.release.record_parts import RECORD
from tiny_distribution import Distribution

pytestmark = pytest.mark.real


@pytest.fixture
def elsewhere(tiny: tuple[Distribution, Release], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the release folder as another machine has it: without stages and images, with an empty cache."""
    distribution, release = tiny
    root = tmp_path / "elsewhere"
    shutil.copytree(distribution.root / "manifests", root / "manifests")
    leave_out = shutil.ignore_patterns(".stages", "images", "results", "report")
    shutil.copytree(release.folder, root / "dist" / release.name, ignore=leave_out)
    monkeypatch.chdir(root)
    monkeypatch.setenv("CUVEE_CACHE_DIR", str(tmp_path / "empty"))
    return root / "dist" / release.name


def content(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_they_are_tested_as_they_are_and_nothing_is_made(
    elsewhere: Path,
    tiny: tuple[Distribution, Release],
    host_platform: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = content(elsewhere)
    results = tmp_path / "results"
    options = ["--platform", host_platform, "--results", str(results), "--quiet", "--json"]
    assert run(["test", str(elsewhere), *options]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["verdict"], said["recorded"], said["not_run"]) == ("ready", False, {})
    assert said["results"] == str(results)
    assert content(elsewhere) == before, "nothing is written to the release folder"
    outcomes = json.loads((results / host_platform / "outcomes.json").read_bytes())
    (installer,) = (item for item in tiny[1].handed_out if item.platform == host_platform)
    assert outcomes["environment"]["installer_sha256"] == installer.sha256
    (run_here,) = (one for one in tiny[1].runs if one.platform == host_platform)
    recorded = {item.test: item.state.value for item in run_here.outcomes}
    here = {item["test"]: item["state"] for item in outcomes["outcomes"]}
    assert here == recorded
    # The other machine's results come home.
    home = tmp_path / "home"
    shutil.copytree(tiny[1].folder, home, symlinks=True)
    assert run(["import-results", str(home), str(results / host_platform / "outcomes.json")]) == 0


def test_what_was_not_run_is_not_ready(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without --platform, the release's other platform is asked for, too."""
    assert run(["test", str(elsewhere), "--select", "smoke/interpreter", "--quiet", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["verdict"] == "waiting"


def test_another_file_in_the_place_of_the_installer(
    elsewhere: Path, host_platform: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (installer,) = (elsewhere / "installers").glob("*.sh")
    installer.write_bytes(installer.read_bytes() + b"#")
    assert run(["test", str(elsewhere), "--platform", host_platform, "-q"]) == 5
    assert f"is not the installer that {RECORD} records" in capsys.readouterr().err
    installer.unlink()
    assert run(["test", str(elsewhere), "--platform", host_platform, "-q"]) == 2
    assert "is not here" in capsys.readouterr().err
    (elsewhere / RECORD).unlink()
    assert run(["test", str(elsewhere), "--platform", host_platform, "-q"]) == 2
    assert f"has no {RECORD}" in capsys.readouterr().err


def test_nothing_of_the_user_is_replaced(
    elsewhere: Path, host_platform: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / host_platform).mkdir()
    (tmp_path / host_platform / "mine").touch()
    options = ["--platform", host_platform, "--results", str(tmp_path), "-q"]
    assert run(["test", str(elsewhere), *options]) == 2
    assert "is not the result of a test" in capsys.readouterr().err
    assert (tmp_path / host_platform / "mine").exists()


def test_recorded_results_have_their_place(tiny: tuple[Distribution, Release], tmp_path: Path) -> None:
    manifest = tiny[0].root / "manifests" / "tiny" / "2026.11.0.yaml"
    assert run(["test", str(manifest), "--dist", str(tmp_path), "--results", str(tmp_path / "r"), "-q"]) == 2
