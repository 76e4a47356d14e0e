"""Files are hashed once: those of cuvee by one thread, those that are known not at all."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from cuvee import folder_hashes
from cuvee.files import sha256_bytes, sha256_file
from cuvee.folder_hashes import code_fingerprint, file_hashes


def test_threads_that_ask_at_the_same_time_read_the_code_once(monkeypatch: pytest.MonkeyPatch) -> None:
    threads, looks = 4, list[Path | None]()
    asking, inputs = Barrier(threads), folder_hashes.folder_inputs
    before = code_fingerprint()

    def noted(path: Path | None) -> object:
        looks.append(path)
        return inputs(path)

    def ask(_: int) -> str:
        asking.wait(60)
        return code_fingerprint()

    monkeypatch.setattr(folder_hashes, "folder_inputs", noted)
    folder_hashes._code_fingerprint.cache_clear()
    with ThreadPoolExecutor(threads) as pool:
        assert {*pool.map(ask, range(threads))} == {before}
    assert len(looks) == 1


def test_what_is_known_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = {"a": b"a", "b/large": b"x" * (2 << 20), "b/more": b"y" * (2 << 20), "c": b"z" * (2 << 20)}
    for name, content in contents.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    read: list[str] = []

    def noted(path: Path) -> str:
        read.append(path.relative_to(tmp_path).as_posix())
        return sha256_file(path)

    monkeypatch.setattr(folder_hashes, "sha256_file", noted)
    expected = [(tmp_path / name, sha256_bytes(content)) for name, content in contents.items()]
    for known in ((), ("c",), ("b/large", "c"), ("a", "b/large", "b/more", "c")):
        read.clear()
        hashes = {tmp_path / name: sha256_bytes(contents[name]) for name in known}
        assert file_hashes([tmp_path / "a", tmp_path / "b", tmp_path / "c"], hashes) == expected
        assert sorted(read) == sorted(contents.keys() - {*known})
