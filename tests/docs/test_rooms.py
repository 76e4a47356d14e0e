"""The rooms are in the order that CONTRIBUTING gives them, know only those above them, and share no names."""

from pathlib import Path

from docs_text import table, unmarked
from python_names import shared_class_names, shared_file_names
from python_sources import imports, python_files

# Names that are still to be changed. These sets only shrink, and end empty.
SHARED_FILES = set(
    """
    layout log looking main scripts store
    """.split()  # noqa: SIM905
)
SHARED_CLASSES = set(
    """
    Changes Layout Manifest
    """.split()  # noqa: SIM905
)


def rooms(root: Path) -> list[str]:
    return [unmarked(row[0]) for row in table(root / "CONTRIBUTING.md", "Room")]


def test_every_room_is_described(root: Path) -> None:
    source = root / "src" / "cuvee"
    there = {
        path.stem for path in source.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert there - {"__init__", "__main__"} == {room for room in rooms(root) if "/" not in room}


def room_of(path: str, order: list[str]) -> str | None:
    """The room that a file belongs to: the longest name that its path begins with."""
    found = [room for room in order if path == room or path.startswith(f"{room}/")]
    return max(found, key=len, default=None)


def test_a_room_knows_only_those_above_it(root: Path) -> None:
    order, source = rooms(root), root / "src" / "cuvee"
    wrong = []
    for path in python_files(source):
        room = room_of(path.relative_to(source).with_suffix("").as_posix(), order)
        if room is None:
            continue
        for module in imports(path):
            parts = module.split(".")
            known = room_of("/".join(parts[1:]), order) if parts[0] == "cuvee" else None
            if known is not None and order.index(known) > order.index(room):
                wrong.append(f"{path.relative_to(source)} imports {module}")
    assert not wrong


def test_the_runtime_knows_nothing_of_cuvee(root: Path) -> None:
    files = python_files(root / "src" / "cuvee" / "runtime")
    assert not [path.name for path in files if any(name.startswith("cuvee") for name in imports(path))]


def test_no_two_files_share_a_name(root: Path) -> None:
    """``python tests/python_names.py`` prints all that do."""
    shared = shared_file_names(root / "src" / "cuvee")
    assert not {name: paths for name, paths in shared.items() if Path(name).stem not in SHARED_FILES}


def test_no_two_public_classes_share_a_name(root: Path) -> None:
    shared = shared_class_names(root / "src" / "cuvee")
    assert not {name: paths for name, paths in shared.items() if name not in SHARED_CLASSES}
