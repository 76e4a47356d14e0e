import errno
from pathlib import Path

import pytest

from cuvee.errors import StorageError
from cuvee.files import canonical_json, replacing, replacing_folder, write_text


def test_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "artefact"
    write_text(target, "old")
    with pytest.raises(RuntimeError), replacing(target) as beside:
        beside.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_folder_is_swapped_whole(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    for text in ("one", "two"):
        with replacing_folder(target) as beside:
            (beside / text).write_text(text)
    assert [path.name for path in target.iterdir()] == ["two"]
    with pytest.raises(RuntimeError), replacing_folder(target) as beside:
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No space left"), replacing(tmp_path / "artefact"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_canonical_json_does_not_depend_on_order() -> None:
    assert canonical_json({"b": 1, "a": "é"}) == canonical_json({"a": "é", "b": 1})
