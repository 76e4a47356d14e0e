import json
from pathlib import Path

import pytest

from cuvee.cli.main import run

MANIFESTS = Path(__file__).parents[2] / "manifests" / "starter"


def test_it_prints_yaml_with_the_source_of_each_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["show", str(MANIFESTS / "2026.11.1.yaml")]) == 0
    captured = capsys.readouterr()
    assert 'version: "2026.11.1"' in captured.out
    assert "  # 2026.11.0.yaml:" in captured.out
    assert "  # 2026.11.1.yaml:" in captured.out
    assert captured.err == ""


def test_json_is_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    manifest = MANIFESTS / "2026.11.1.yaml"
    assert run(["show", str(manifest), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["values"]["based-on"] == "2026.11.0"
    stated = manifest.read_text(encoding="utf-8").splitlines()[shown["sources"]["version"]["line"] - 1]
    assert stated == 'version: "2026.11.1"'


def test_a_wrong_manifest_is_talk_and_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "2026.11.0.yaml"
    path.write_text("manifest: 1\npackges: {}\n")
    assert run(["show", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert 'did you mean "packages"?' in captured.err
    assert "cuvee schema" in captured.err


def test_a_manifest_that_is_not_there_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["show", str(tmp_path / "2026.11.0.yaml")]) == 2
    assert "There is no manifest" in capsys.readouterr().err
