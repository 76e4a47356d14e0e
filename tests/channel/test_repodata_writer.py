"""Indexing a channel again: what is known is hashed and not opened, and gives the same bytes."""

from pathlib import Path

import pytest

from cuvee.channel import repodata_writer
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.channel.repodata_writer import Record, index_channel


def put(folder: Path, name: str, content: bytes = b"x") -> Path:
    """Write a package into a channel."""
    files = (PackageFile(path=f"share/{name}", content=content),)
    package = PackageContent(
        name=name, version="1", build="0", subdir="linux-64", timestamp=1_700_000_000_000, files=files
    )
    return write_package(package, folder / "linux-64")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of archives that are opened."""
    names: list[str] = []
    record_of = repodata_writer.record_of

    def noted(path: Path) -> Record:
        names.append(path.name)
        return record_of(path)

    monkeypatch.setattr(repodata_writer, "record_of", noted)
    return names


def test_only_what_is_not_known_is_opened(tmp_path: Path, opened: list[str]) -> None:
    known: dict[str, Record] = {}
    for name in ("one", "two"):
        put(tmp_path, name)
    index_channel(tmp_path, ["linux-64"], known=known)
    assert len(known) == 2
    put(tmp_path, "two", b"another content under the same file name")
    put(tmp_path, "three")
    opened.clear()
    index_channel(tmp_path, ["linux-64"], known=known)
    assert sorted(opened) == ["three-1-0.conda", "two-1-0.conda"]
    written = (tmp_path / "linux-64" / "repodata.json").read_bytes()
    index_channel(tmp_path, ["linux-64"])
    assert (tmp_path / "linux-64" / "repodata.json").read_bytes() == written


def test_archives_that_are_left_out_are_neither_listed_nor_opened(tmp_path: Path, opened: list[str]) -> None:
    put(tmp_path, "one")
    index_channel(tmp_path, ["linux-64"], without=[put(tmp_path, "two")])
    assert opened == ["one-1-0.conda"]
    assert b"two-1" not in (tmp_path / "linux-64" / "repodata.json").read_bytes()
