"""The rooms are in the order that CONTRIBUTING gives them, know only those above them, and share no names."""

from python_names import shared_class_names, shared_file_names
from python_sources import SOURCE, imports, python_files
from rooms import PICTURE, ROOMS, picture, room_imports


def test_every_room_is_described() -> None:
    there = {
        path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert there - {"__init__", "__main__"} == {room for room in ROOMS if "/" not in room}


def test_a_room_knows_only_those_above_it() -> None:
    wrong = {
        f"{path.relative_to(SOURCE)} imports {known}"
        for path, room, known in room_imports()
        if ROOMS.index(known) > ROOMS.index(room)
    }
    assert not wrong


def test_the_runtime_knows_nothing_of_cuvee() -> None:
    files = python_files(SOURCE / "runtime")
    assert not [path.name for path in files if any(name.startswith("cuvee") for name in imports(path))]


def test_no_two_files_share_a_name() -> None:
    """``python tests/python_names.py`` prints all that do."""
    assert not shared_file_names()


def test_no_two_public_classes_share_a_name() -> None:
    assert not shared_class_names()


def test_the_picture_of_the_rooms_is_that_of_the_code() -> None:
    shown = PICTURE.read_text(encoding="utf-8")
    assert shown == picture(), "draw it again with: .venv/bin/python tests/rooms.py"
