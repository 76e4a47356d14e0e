"""Sources are fetched once, verified and kept by hash."""

import io
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cuvee.build.model import Output, Recipe, Source
from cuvee.build.source_files import EARLIEST, epoch_of, fetch_sources, kept_source
from cuvee.channel.connection import Connection, Once
from cuvee.channel.file_transfer import WantedFile
from cuvee.errors import IntegrityError, SourceUnreachableError
from cuvee.files import sha256_bytes
from cuvee.progress import SILENT
from tiny_distribution import Recorder

DATA = b"the source"


class FakeTransfer:
    """Has files by URL, and remembers what was asked for."""

    def __init__(self, **files: bytes) -> None:
        self.files = {f"https://example.org/{name}": data for name, data in files.items()}
        self.asked: list[str] = []

    def fetch(self, wanted: WantedFile, target: Path, reporter: object) -> None:
        self.asked.append(wanted.url)
        if wanted.url not in self.files:
            raise SourceUnreachableError(f"{wanted.url} answers 404")
        target.write_bytes(self.files[wanted.url])


def connection(transfer: Any, tmp_path: Path) -> Connection:
    gateway: Any = None
    return Connection(
        gateways=Once(lambda: gateway), transfers=Once(lambda: transfer), cache=tmp_path, reporter=SILENT
    )


def output(*urls: str, sha256: str = sha256_bytes(DATA)) -> Output:
    file = Path("recipes/a/recipe.yaml")
    return Output(
        recipe=Recipe(name="a", file=file, engine="rattler-build", digest=""),
        name="a",
        version="1",
        build="0",
        subdir="noarch",
        sources=(Source(urls=urls, sha256=sha256, file_name="a-1.tar.gz"),),
        document="{}",
    )


def test_a_source_is_fetched_once_and_kept_by_its_hash(tmp_path: Path) -> None:
    transfer = FakeTransfer(a=DATA)
    one = output("https://example.org/a")
    for _ in range(2):
        found = fetch_sources([one, replace(one, name="b")], tmp_path, connection(transfer, tmp_path), SILENT)
    path = kept_source(tmp_path, one.sources[0])
    assert found == {sha256_bytes(DATA): path}
    assert path == tmp_path / "sources" / sha256_bytes(DATA) / "a-1.tar.gz"
    assert (path.read_bytes(), transfer.asked) == (DATA, ["https://example.org/a"])


def test_a_source_with_another_hash_is_refused_and_not_kept(tmp_path: Path) -> None:
    transfer = FakeTransfer(a=b"something else")
    one = output("https://example.org/a")
    with pytest.raises(IntegrityError) as caught:
        fetch_sources([one], tmp_path, connection(transfer, tmp_path), SILENT)
    for part in ("recipes/a/recipe.yaml", sha256_bytes(DATA), sha256_bytes(b"something else")):
        assert part in caught.value.message
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_a_damaged_source_is_fetched_again(tmp_path: Path) -> None:
    transfer, recorder = FakeTransfer(a=DATA), Recorder()
    one = output("https://example.org/a")
    fetch_sources([one], tmp_path, connection(transfer, tmp_path), recorder)
    kept_source(tmp_path, one.sources[0]).write_bytes(b"damaged")
    fetch_sources([one], tmp_path, connection(transfer, tmp_path), recorder)
    assert kept_source(tmp_path, one.sources[0]).read_bytes() == DATA
    assert any("is not the file that its folder names" in line for line in recorder.lines)


def test_the_next_url_is_tried_and_all_that_fail_are_named(tmp_path: Path) -> None:
    transfer = FakeTransfer(b=DATA)
    fetch_sources(
        [output("https://example.org/a", "https://example.org/b")],
        tmp_path,
        connection(transfer, tmp_path),
        SILENT,
    )
    missing = output("https://example.org/x", "https://example.org/y", sha256="1" * 64)
    with pytest.raises(SourceUnreachableError) as caught:
        fetch_sources([missing], tmp_path, connection(transfer, tmp_path), SILENT)
    assert "https://example.org/x answers 404" in caught.value.message
    assert "https://example.org/y answers 404" in caught.value.message


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/a", "pkg:npm/a@1?file_name=a.tgz"])
def test_other_schemes_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SourceUnreachableError, match="neither an http nor an https URL"):
        fetch_sources([output(url)], tmp_path, connection(FakeTransfer(), tmp_path), SILENT)


def test_a_file_of_the_python_index_comes_from_the_index_that_is_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://index.example.org/simple")

    class Index(FakeTransfer):
        def fetch(self, wanted: WantedFile, target: Path, reporter: object) -> Any:
            super().fetch(wanted, target, reporter)

            class Answer:
                headers = {"Content-Type": "text/html"}  # noqa: RUF012 - of a test
                url = wanted.url

            return Answer

    transfer = Index()
    page = b'<a href="../files/demo-1.0.tar.gz#sha256=x">demo-1.0.tar.gz</a>'
    transfer.files = {
        "https://index.example.org/simple/demo/": page,
        "https://index.example.org/simple/files/demo-1.0.tar.gz#sha256=x": DATA,
    }
    one = output("pkg:pypi/demo@1.0?file_name=demo-1.0.tar.gz")
    found = fetch_sources([one], tmp_path, connection(transfer, tmp_path), SILENT)
    assert found[sha256_bytes(DATA)].read_bytes() == DATA


def test_the_time_of_a_build_is_that_of_the_newest_file_of_its_sources(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        for name, time in (("one", 1_700_000_000), ("two", 1_600_000_000)):
            member = tarfile.TarInfo(name)
            member.mtime = time
            tar.addfile(member, io.BytesIO())
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("one", (2024, 1, 2, 3, 4, 6)), b"")
    (tmp_path / "c.txt").write_bytes(b"no archive")
    assert epoch_of([tmp_path / "a.tar.gz"]) == 1_700_000_000
    assert epoch_of([tmp_path / "a.tar.gz", tmp_path / "b.zip"]) == 1_704_164_646
    assert epoch_of([tmp_path / "c.txt"]) == epoch_of([]) == EARLIEST
