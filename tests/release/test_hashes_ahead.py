"""Files are hashed before a stage asks for them, and never instead of when it counts."""

import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from cuvee.files import sha256_file
from cuvee.folder_hashes import file_hashes
from cuvee.progress import SILENT
from cuvee.release import stage as stages
from cuvee.release.hashes_ahead import HashesAhead
from cuvee.release.stage import Made, Stage, StageRunner

LARGE = 3 << 20


def writing(path: Path, content: bytes, name: str, *, runs: list[str]) -> Stage[None]:
    """Return a stage that writes one file, and notes that it ran."""

    def run() -> Made[None]:
        runs.append(name)
        path.write_bytes(content)
        return Made(result=None, outputs=(path,))

    return Stage(name=name, inputs=name, run=run, load=lambda _: None)


def test_the_hashes_are_those_of_the_files(tmp_path: Path) -> None:
    contents = {"empty": b"", "small": b"x", "large": b"y" * LARGE, "more": bytes(range(256)) * (LARGE // 64)}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    ahead = HashesAhead()
    paths = [tmp_path / name for name in (*contents, "missing")]
    ahead.start(paths)
    found = {path.name: ahead.take(path) for path in paths}
    known = {name: sha256 for name, sha256 in found.items() if sha256 is not None}
    assert known.keys() <= {"large", "more"}, "it is not worth it for small ones"
    assert all(sha256 == sha256_file(tmp_path / name) for name, sha256 in known.items())
    assert ahead.take(paths[2]) is None, "each is told once"


def test_a_file_is_read_once_if_nothing_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, runs = tmp_path / "installer", list[str]()
    StageRunner(folder=tmp_path, reporter=SILENT)(writing(path, b"x" * LARGE, "installer", runs=runs))
    again = StageRunner(folder=tmp_path, reporter=SILENT)
    read: list[Path] = []

    def hashed(paths: Iterable[Path]) -> list[tuple[Path, str]]:
        read.extend(paths)
        return file_hashes(read)

    monkeypatch.setattr(stages, "file_hashes", hashed)
    with again.look_ahead(without=()):
        again.ahead._found[path].result()  # it has begun: otherwise it is taken out of the thread's hands
        assert again(writing(path, b"", "installer", runs=runs)).reused
    assert (runs, read) == (["installer"], [])


def test_what_a_stage_changes_is_noticed_although_it_was_hashed_ahead(tmp_path: Path) -> None:
    path, runs = tmp_path / "installer", list[str]()
    StageRunner(folder=tmp_path, reporter=SILENT)(writing(path, b"x" * LARGE, "installer", runs=runs))
    again = StageRunner(folder=tmp_path, reporter=SILENT)
    with again.look_ahead(without=()):
        again.ahead._found[path].result()
        again(writing(path, b"z" * LARGE, "a program of a package", runs=runs))
        again(writing(path, b"x" * LARGE, "installer", runs=runs))
    assert runs == ["installer", "a program of a package", "installer"]


def test_a_changed_file_is_made_again(tmp_path: Path) -> None:
    path, runs = tmp_path / "installer", list[str]()
    StageRunner(folder=tmp_path, reporter=SILENT)(writing(path, b"x" * LARGE, "installer", runs=runs))
    path.write_bytes(b"x" * (LARGE - 1) + b"y")
    again = StageRunner(folder=tmp_path, reporter=SILENT)
    with again.look_ahead(without=()):
        again(writing(path, b"x" * LARGE, "installer", runs=runs))
    assert runs == ["installer", "installer"]


def test_files_of_stages_that_are_moved_first_are_left_out(tmp_path: Path) -> None:
    path, runs = tmp_path / "release.json", list[str]()
    StageRunner(folder=tmp_path, reporter=SILENT)(writing(path, b"x" * LARGE, "report", runs=runs))
    again = StageRunner(folder=tmp_path, reporter=SILENT)
    with again.look_ahead(without=("report",)):
        assert again.ahead.take(path) is None


def test_a_run_that_fails_at_once_hashes_nothing_more(tmp_path: Path) -> None:
    path = tmp_path / "installer"
    StageRunner(folder=tmp_path, reporter=SILENT)(writing(path, b"x" * LARGE, "installer", runs=[]))
    again = StageRunner(folder=tmp_path, reporter=SILENT)
    with pytest.raises(KeyError), again.look_ahead(without=()):
        raise KeyError
    assert again.ahead.take(path) is None
    assert "hashes" not in {thread.name.partition("_")[0] for thread in threading.enumerate()}
