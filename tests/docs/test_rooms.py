"""The rooms are in the order that CONTRIBUTING gives them, and know only those above them."""

import ast
from collections.abc import Iterator
from pathlib import Path

from docs_text import table, unmarked


def imports(path: Path) -> Iterator[str]:
    """Give each module that a file imports, lazily or not."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def rooms(root: Path) -> list[str]:
    return [unmarked(row[0]) for row in table(root / "CONTRIBUTING.md", "Room")]


def test_every_room_is_described(root: Path) -> None:
    source = root / "src" / "cuvee"
    there = {
        path.stem for path in source.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert there - {"__init__", "__main__"} == set(rooms(root))


def test_a_room_knows_only_those_above_it(root: Path) -> None:
    order, source = rooms(root), root / "src" / "cuvee"
    wrong = []
    for path in sorted(source.rglob("*.py")):
        room = path.relative_to(source).parts[0].removesuffix(".py")
        if room not in order:
            continue
        for module in imports(path):
            parts = module.split(".")
            below = parts[0] == "cuvee" and len(parts) > 1 and order.index(parts[1]) > order.index(room)
            if below and parts[2:] != ["model"]:
                wrong.append(f"{path.relative_to(source)} imports {module}")
    assert not wrong


def test_the_runtime_knows_nothing_of_cuvee(root: Path) -> None:
    files = (root / "src" / "cuvee" / "installers" / "runtime").glob("*.py")
    assert not [path.name for path in files if any(name.startswith("cuvee") for name in imports(path))]
