"""What is open for a moment on Windows, as by a virus scanner, is removed when it is closed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cuvee.runtime import crash_recovery, file_operations, prefix_removal, prefix_swap
from cuvee.runtime.prefix_tree import PrefixTree

COMMAND = "Scripts/tiny-admin.cmd"
TRIES = 4


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    prefix = tmp_path / "place" / "prefix"
    for name in (COMMAND, "Lib/os.py", "python.exe"):
        (prefix / name).parent.mkdir(parents=True, exist_ok=True)
        (prefix / name).write_text(name)
    return prefix


@pytest.fixture
def closes(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[str]]:
    """Let ``python.exe`` be open for so many pauses, of four that Windows gets; note what was tried."""

    def hold(pauses: int) -> list[str]:
        tried: list[str] = []
        unlink_all, waits = PrefixTree.unlink_all, iter(range(TRIES))

        def refuse(tree: PrefixTree, folder: str, names: list[str]) -> None:
            if "python.exe" in names and len(tried) < pauses:
                raise PermissionError(13, "It is open", "python.exe")
            unlink_all(tree, folder, names)

        def unlink(tree: PrefixTree, path: str) -> None:
            raise PermissionError(13, "It is open", path)

        def pause() -> None:
            next(waits)  # never more than it is asked for
            tried.append("pause")

        for module in (file_operations, prefix_swap):
            monkeypatch.setattr(module, "WAITS", TRIES)
            monkeypatch.setattr(module, "pause", pause)
        monkeypatch.setattr(PrefixTree, "unlink_all", refuse)
        monkeypatch.setattr(PrefixTree, "unlink", unlink)
        return tried

    return hold


@pytest.mark.parametrize("pauses", [0, 1, 3])
def test_it_is_removed_when_it_is_closed(
    prefix: Path, closes: Callable[[int], list[str]], pauses: int
) -> None:
    tried = closes(pauses)
    prefix_removal.take_away(str(prefix), str(prefix), [COMMAND, "Lib/os.py", "python.exe"])
    assert prefix_removal.remove_taken(str(prefix), COMMAND) == ""
    assert list(prefix.parent.iterdir()) == []
    assert len(tried) == pauses


def test_what_stays_open_is_named(prefix: Path, closes: Callable[[int], list[str]]) -> None:
    tried = closes(99)
    prefix_removal.take_away(str(prefix), str(prefix), [COMMAND, "Lib/os.py", "python.exe"])
    stays = prefix.parent / ".prefix.cuvee-0.partial"
    assert prefix_removal.remove_taken(str(prefix), COMMAND) == str(stays)
    assert [path.name for path in stays.rglob("*") if path.is_file()] == ["python.exe"]
    assert len(tried) == TRIES


def test_the_command_leaves_its_folder_first(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its shell may have it open until it ends, and Windows removes no folder with an open file."""
    found: list[str] = []
    monkeypatch.setattr(
        prefix_removal, "remove_tree", lambda gone: found.extend(path.name for path in Path(gone).rglob("*"))
    )
    prefix_removal.take_away(str(prefix), str(prefix), [COMMAND, "Lib/os.py", "python.exe"])
    prefix_removal.remove_taken(str(prefix), COMMAND)
    assert sorted(found) == ["Lib", "Scripts", "os.py", "prefix", "python.exe"]


def test_killed_before_the_command_is_removed(prefix: Path) -> None:
    left = prefix.parent / ".prefix.cuvee-0.open"
    left.write_text("@echo off")
    crash_recovery.recover(str(prefix))
    assert [path.name for path in prefix.parent.iterdir()] == ["prefix"]
