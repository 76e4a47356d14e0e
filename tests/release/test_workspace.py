import json
import os
from pathlib import Path

import pytest

from cuvee.errors import StorageError
from cuvee.release.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "release" / "channel").mkdir(parents=True)
    return Workspace(tmp_path / "release", tmp_path / "cache")


def finish(workspace: Workspace, inputs: str = "a") -> Path:
    output = workspace.channel / "file"
    output.write_text("made")
    workspace.finished("channel", inputs, [workspace.channel], seconds=1.5, facts={"n": 1})
    return output


def test_a_stage_is_current_for_the_inputs_it_was_made_from_alone(workspace: Workspace) -> None:
    assert workspace.current("channel", "a") is None
    finish(workspace)
    record = workspace.current("channel", "a")
    assert record is not None
    assert record.facts == {"n": 1}
    assert workspace.current("channel", "b") is None
    assert workspace.current("lock", "a") is None


@pytest.mark.parametrize("harm", ["removed", "changed", "touched"])
def test_a_stage_whose_output_is_not_as_it_was_is_not_current(workspace: Workspace, harm: str) -> None:
    output = finish(workspace)
    if harm == "removed":
        output.unlink()
    elif harm == "changed":
        output.write_text("made otherwise")
    else:
        os.utime(output, (1, 1))
    assert workspace.current("channel", "a") is None
    assert workspace.record("channel") is not None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"inputs": "a"}', '{"inputs": "a", "outputs": [], "seconds": 1}']
)
def test_a_damaged_record_is_no_record(workspace: Workspace, text: str) -> None:
    finish(workspace)
    (workspace.folder / ".stages" / "channel.json").write_text(text)
    assert workspace.record("channel") is None


def test_records_are_reviewable(workspace: Workspace) -> None:
    finish(workspace)
    data = json.loads((workspace.folder / ".stages" / "channel.json").read_text())
    assert list(data["outputs"]) == ["channel/file"]


def test_two_runs_do_not_share_a_release_folder(workspace: Workspace) -> None:
    with workspace.alone(), pytest.raises(StorageError, match="Another cuvee"), workspace.alone():
        pass
    with workspace.alone():
        pass


def test_what_a_killed_run_left_half_made_is_removed(workspace: Workspace) -> None:
    output = finish(workspace)
    (workspace.folder / ".channel.abc.part").mkdir()
    (workspace.folder / ".channel.abc.part" / "file").touch()
    (workspace.channel / ".file.abc.part").touch()
    with workspace.alone():
        pass
    assert sorted(path.name for path in workspace.folder.iterdir()) == [".stages", "channel"]
    assert list(workspace.channel.iterdir()) == [output]
