"""What a newcomer types: near misses, other files than manifests, terminals, completion."""

import os
import pty
import re
import shutil
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

import tiny_index
from cuvee.cli.main import COMMANDS, cli, run
from cuvee.cli.render import print_artefacts
from cuvee.cli.terminal import terminal
from cuvee.process import Request
from cuvee.process import run as run_program
from cuvee.release.artefacts import Artefact, ArtefactKind

ROOT = Path(__file__).parents[2]
INSTALLER_OPTIONS = {"--emulate", "--publish", "--retest"}


def options_of(name: str) -> set[str]:
    command = cli.get_command(cli.make_context("cuvee", [], resilient_parsing=True), name)
    assert command is not None
    return {option for parameter in command.params for option in parameter.opts if option.startswith("-")}


def test_only_commands_that_make_installers_have_their_options() -> None:
    having = {name for name in COMMANDS if INSTALLER_OPTIONS & options_of(name)}
    assert having == {"release", "test"}
    assert all(options_of(name) >= INSTALLER_OPTIONS for name in having)


def test_questions_have_the_options_that_they_use() -> None:
    for name in ("why", "needs"):
        assert not {"--refresh", "--cache", "--quiet", "--verbose"} & options_of(name), name
    for name in ("impact", "graph", "coinstall"):
        assert "--refresh" not in options_of(name)
        assert options_of(name) >= {"--cache", "--quiet"}
    assert "--environment" not in options_of("impact")


@pytest.mark.parametrize(
    ("typed", "meant"), [("relase", "release"), ("Check", "check"), ("checkchannel", "check-channel")]
)
def test_a_misspelt_command_gets_a_suggestion(
    typed: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([typed]) == 2
    assert f'No such command {typed!r}. Did you mean "{meant}"?' in capsys.readouterr().err


def told(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert run(argv) == 2
    out, err = capsys.readouterr()
    assert not out
    assert "next: " in err
    return err


@pytest.mark.parametrize("command", ["show", "lock", "check", "why numpy", "report", "release", "graph"])
def test_a_folder_lists_its_manifests(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("lab/2026.9.0.yaml", "lab/2026.11.0.yaml", "lab/notes.yaml", "other/2026.10.1.yaml"):
        (tmp_path / "manifests" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "manifests" / name).touch()
    monkeypatch.chdir(tmp_path)
    if command != "report":  # it takes the folder of a release
        err = told([*command.split(), "manifests/lab"], capsys)
        assert "manifests/lab is a folder, not a manifest" in err
        assert "next: In it: manifests/lab/2026.11.0.yaml, manifests/lab/2026.9.0.yaml." in err
        assert "manifests/other/2026.10.1.yaml" in told([*command.split(), "manifests"], capsys)
        (tmp_path / "empty").mkdir()
        assert "empty is a folder without manifests" in told([*command.split(), "empty"], capsys)
        assert run(["diff", "manifests", "manifests"]) == 4
        assert "next: It has manifests: manifests/lab/2026.11.0.yaml" in capsys.readouterr().err
    else:
        assert "No release has been cut in manifests/lab" in told(["report", "manifests/lab"], capsys)


def test_files_of_other_tools_are_recognised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = {
        "environment.yml": "name: lab\nchannels: [conda-forge]\ndependencies: [python=3.11, pip: [attrs]]\n",
        "env.yaml": "dependencies:\n- numpy\n",
        "pixi.lock": "version: 6\nenvironments: {}\npackages: []\n",
        "conda-lock.yml": "version: 1\nmetadata: {}\npackage: []\n",
        "list.txt": "@EXPLICIT\nhttps://example.org/noarch/a-1-0.conda\n",
        "construct.yaml": "name: lab\nversion: 1\nspecs: [python]\n",
    }
    kinds = {
        "environment.yml": "an environment.yml",
        "env.yaml": "an environment.yml",
        "pixi.lock": "a pixi.lock",
        "conda-lock.yml": "a conda-lock.yml",
        "list.txt": "a list of URLs",
        "construct.yaml": "a project of constructor",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        err = told(["release", str(tmp_path / name), "--dist", str(tmp_path / "dist")], capsys)
        assert f"{tmp_path / name} is {kinds[name]}, not a manifest" in err
    assert "cuvee installers --from" in told(["lock", str(tmp_path / "construct.yaml")], capsys)
    assert not (tmp_path / "dist").exists()


def test_a_manifest_with_problems_stays_a_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "2026.11.0.yaml"
    path.write_text("manifest: 1\ndependencies: [numpy]\n", encoding="utf-8")
    assert "problems in" in told(["show", str(path)], capsys)


def test_a_missing_manifest_always_has_a_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "A manifest is <distribution>/<version>.yaml" in told(["show", str(tmp_path / "x.yaml")], capsys)
    assert "A manifest is" in told(["show", str(tmp_path / "no" / "folder" / "x.yaml")], capsys)
    manifest = tmp_path / "manifests" / "lab" / "2026.11.0.yaml"
    manifest.parent.mkdir(parents=True)
    manifest.touch()
    wrong = tmp_path / "manifest" / "lab" / "2026.11.0.yaml"
    assert f"Did you mean {manifest}?" in told(["show", str(wrong)], capsys)
    assert f"In that folder: {manifest.name}" in told(["show", str(manifest.with_name("next.yml"))], capsys)


@pytest.mark.parametrize(
    "command",
    [
        ["diff", "gone", "gone"],
        ["check-channel", "./gone"],
        ["coinstall", "gone.lock"],
        ["certify", "--verify", "gone"],
        ["certify", "gone.yaml"],
        ["installers", "--from", "gone"],
        ["report", "gone"],
        ["why", "numpy", "gone.yaml"],
    ],
    ids=" ".join,
)
def test_a_missing_path_is_wrong_usage(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "gone" in told(command, capsys)


def test_a_missing_path_that_is_nearly_one_gets_a_suggestion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("dist/lab-2026.11.0").mkdir(parents=True)
    err = told(["diff", "dist/lab-2026.11.1", "dist/lab-2026.11.1"], capsys)
    assert "Did you mean dist/lab-2026.11.0?" in err


@pytest.mark.parametrize("command", ["lock", "check", "certify", "test", "release"])
def test_a_misspelt_suite_is_found_before_any_work(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    channel = tiny_index.write_index(tmp_path / "channel", [tiny_index.entry("a 1")])
    manifest = tiny_index.write_manifest(tmp_path, channel, 'a: "*"', more="suites: [smoke, interp]\n")
    suite = tmp_path / "integration_tests" / "interop"
    suite.mkdir(parents=True)
    (suite / "test_a.py").write_text("def test_a(): pass\n", encoding="utf-8")
    (tmp_path / "integration_tests" / "__pycache__").mkdir()
    options = ["--dist", str(tmp_path / "dist"), "--cache", str(tmp_path / "cache"), "-q"]
    err = told([command, str(manifest), *options], capsys)
    assert "There is no suite 'interp'" in err
    assert 'Did you mean "interop"?' in err
    assert not (tmp_path / "dist" / "tiny-2026.11.0" / "lock").exists()


@pytest.mark.parametrize(
    ("variable", "value", "colours"),
    [("TERM", "xterm", True), ("NO_COLOR", "1", False), ("NO_COLOR", "", True), ("TERM", "dumb", False)],
)
def test_colours_are_for_terminals_that_want_them(
    variable: str, value: str, colours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(variable, value)
    reader, writer = pty.openpty()
    with os.fdopen(writer, "w") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        assert run(["show", "gone.yaml"]) == 2
        with terminal(quiet=False, verbose=False) as reporter:
            reporter.warn("slow")
        stream.flush()
        assert (b"\x1b[3" in os.read(reader, 10_000)) is colours
    os.close(reader)


def test_paths_and_hashes_can_be_copied(capsys: pytest.CaptureFixture[str]) -> None:
    name = "installers/A-Distribution-With-A-Long-Name-2026.11.0-Windows-x86_64.exe"
    item = Artefact(path=name, kind=ArtefactKind.INSTALLER, platform="win-64", size=1, sha256="ab" * 32)
    print_artefacts((item,), Path("/srv/dist/a-distribution-with-a-long-name-2026.11.0"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"/srv/dist/a-distribution-with-a-long-name-2026.11.0/{name}"
    assert lines[2] == f"  SHA-256 {'ab' * 32}"
    assert all(len(line) <= 80 for line in lines[1:])


def completed(*words: str) -> list[str]:
    *before, incomplete = words
    shell = ShellComplete(cli, {}, "cuvee", "_CUVEE_COMPLETE")
    return [item.value for item in shell.get_completions(list(before), incomplete)]


def test_shells_complete_checks_and_commands() -> None:
    assert completed("rel") == ["release"]
    assert completed("check", "--only", "lic") == ["licenses"]
    assert completed("check", "m.yaml", "--skip", "clos") == ["closure"]
    assert completed("graph", "m.yaml", "--finding", "clos") == ["closure"]


def test_shells_complete_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert completed("why", "num") == []
    subdir = "https://example.org/linux-64"
    for release, lines in (
        ("lab-2026.11.0", [f"{subdir}/numpy-2.4.0-py311_0.conda", "./channel/noarch/num-a-1-0.conda"]),
        ("lab-2026.10.0", [f"{subdir}/numba-0.65-0.conda#{'0' * 32}"]),
    ):
        folder = tmp_path / "dist" / release / "lock"
        folder.mkdir(parents=True)
        text = "# platform: linux-64\n@EXPLICIT\n" + "\n".join(lines) + "\n"
        (folder / "linux-64.explicit.txt").write_text(text, encoding="utf-8")
    (tmp_path / "dist" / "notes.txt").touch()
    for command in ("why", "needs", "impact"):
        assert completed(command, "num") == ["num-a", "numba", "numpy"]
    assert completed("why", "--dist", "elsewhere", "num") == []
    assert completed("graph", "manifests/lab/2026.10.0.yaml", "num") == ["numba"]
    assert completed("graph", "dist/lab-2026.11.0", "num") == ["num-a", "numpy"]


@pytest.mark.real
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_the_script_explains_itself_without_making_anything(option: str, tmp_path: Path) -> None:
    for name in ("release", "bootstrap"):
        (tmp_path / "script").mkdir(exist_ok=True)
        shutil.copy(ROOT / "script" / name, tmp_path / "script" / name)
    done = run_program(Request(argv=("sh", str(tmp_path / "script" / "release"), option)))
    assert done.ok, done.stderr
    assert "script/release path/to/manifest.yaml" in done.stdout
    assert not re.search(r"^#|set -eu", done.stdout, re.MULTILINE)
    assert not done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["script"]
