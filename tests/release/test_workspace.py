"""The release folder, and stages that are skipped while nothing that they depend on has changed."""

import json
import os
import shutil
from pathlib import Path

import pytest

from cuvee.errors import BusyError
from cuvee.files import sha256_file
from cuvee.folder_hashes import folder_inputs
from cuvee.progress import SILENT
from cuvee.release.record import ChannelResult
from cuvee.release.stage import Done, Made, Stage, StageRunner, finished
from cuvee.release.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "release" / "channel").mkdir(parents=True)
    return Workspace(tmp_path / "release", tmp_path / "cache")


def make(
    workspace: Workspace, inputs: str = "a", *, name: str = "channel", again: bool = False
) -> Done[ChannelResult]:
    """Run a stage that writes one file, unless it is reused."""

    def run() -> Made[ChannelResult]:
        (workspace.channel / "file").write_text("made")
        return Made(result=ChannelResult(imported=3), outputs=(workspace.channel,))

    runner = StageRunner(folder=workspace.folder, reporter=SILENT)
    return runner(Stage.of(name, inputs, run, ChannelResult), again=again)


def test_a_stage_is_reused_for_the_inputs_that_it_was_made_from_only(workspace: Workspace) -> None:
    first = make(workspace)
    second = make(workspace)
    assert (first.reused, second.reused) == (False, True)
    assert first.result == second.result == ChannelResult(imported=3)
    assert (first.inputs, first.seconds) == (second.inputs, second.seconds)
    assert not make(workspace, "b").reused
    assert not make(workspace, "b", name="other").reused
    assert not make(workspace, "b", again=True).reused


def test_a_finished_stage_knows_its_inputs(workspace: Workspace) -> None:
    done = make(workspace)
    result = finished(done)
    assert (result.stage, result.inputs, result.imported) == ("channel", done.inputs, 3)


@pytest.mark.parametrize("harm", ["removed", "changed", "changed, of the same time and size"])
def test_a_stage_whose_output_is_not_as_it_was_runs_again(workspace: Workspace, harm: str) -> None:
    make(workspace)
    output = workspace.channel / "file"
    if harm == "removed":
        output.unlink()
    elif harm == "changed":
        output.write_text("made otherwise")
    else:
        before = output.stat()
        output.write_text("MADE")
        os.utime(output, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not make(workspace).reused


def test_files_are_hashed_once_if_no_stage_has_worked(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[Path] = []

    def counted(path: Path) -> str:
        hashed.append(path)
        return sha256_file(path)

    def run() -> Made[None]:
        (workspace.folder / "one").write_text("one")
        return Made(result=None, outputs=(workspace.folder / "one",))

    monkeypatch.setattr("cuvee.folder_hashes.sha256_file", counted)
    monkeypatch.setattr("cuvee.release.stage.sha256_file", counted)
    first, second = (Stage(name=name, inputs=1, run=run, load=lambda _: None) for name in ("a", "b"))
    for stages, times in (([first], 2), ([first], 1), ([first, second], 3)):
        hashed.clear()
        runner = StageRunner(folder=workspace.folder, reporter=SILENT)
        for stage in stages:
            runner(stage)
        assert runner.changed() == []
        assert hashed.count(workspace.folder / "one") == times


def test_the_outputs_of_a_copy_are_recognised(workspace: Workspace, tmp_path: Path) -> None:
    """A copy of a release and a checkout of cuvee have times of their own."""
    first = make(workspace)
    os.utime(workspace.channel / "file", (1, 1))
    assert make(workspace).reused
    shutil.copytree(workspace.folder, tmp_path / "copy", copy_function=shutil.copy)
    again = make(Workspace(tmp_path / "copy", tmp_path / "cache"))
    assert again.reused
    assert again.inputs == first.inputs


def test_folders_among_the_inputs_are_known_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "test_a.py").write_text("old")
    first = folder_inputs(tmp_path / "suite")
    os.utime(tmp_path / "suite" / "test_a.py", (1, 1))
    assert folder_inputs(tmp_path / "suite") == first
    (tmp_path / "suite" / "test_a.py").write_text("new")
    os.utime(tmp_path / "suite" / "test_a.py", (1, 1))
    assert folder_inputs(tmp_path / "suite") != first


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"stage": 1, "inputs": "a"}',
        '{"stage": 1, "inputs": "a", "outputs": [], "seconds": 1}',
        '{"stage": 2, "inputs": "a", "outputs": {}, "seconds": 1}',
    ],
)
def test_a_damaged_entry_is_no_entry(workspace: Workspace, text: str) -> None:
    make(workspace)
    (workspace.folder / ".stages" / "channel.json").write_text(text)
    assert not make(workspace).reused


def test_a_kept_result_that_does_not_fit_is_made_again(workspace: Workspace) -> None:
    make(workspace)
    path = workspace.folder / ".stages" / "channel.json"
    entry = json.loads(path.read_text())
    entry["kept"]["imported"] = "three"
    path.write_text(json.dumps(entry))
    assert not make(workspace).reused


def test_entries_are_reviewable(workspace: Workspace) -> None:
    make(workspace)
    data = json.loads((workspace.folder / ".stages" / "channel.json").read_text())
    assert list(data["outputs"]) == ["channel/file"]


def test_two_runs_do_not_share_a_release_folder(workspace: Workspace) -> None:
    with workspace.locked(), pytest.raises(BusyError, match="Another cuvee"), workspace.locked():
        pass
    with workspace.locked():
        pass


def test_what_a_killed_run_left_half_made_is_removed(workspace: Workspace) -> None:
    make(workspace)
    (workspace.folder / ".channel.abc.part").mkdir()
    (workspace.folder / ".channel.abc.part" / "file").touch()
    (workspace.channel / ".file.abc.part").touch()
    with workspace.locked():
        pass
    assert sorted(path.name for path in workspace.folder.iterdir()) == [".stages", "channel"]
    assert [path.name for path in workspace.channel.iterdir()] == ["file"]
