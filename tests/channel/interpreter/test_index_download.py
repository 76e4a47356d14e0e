"""Fetching a pinned file from the Python index, without running anything of it."""

import hashlib
import json
from pathlib import Path

import pytest

from cuvee.channel.file_transfer import Answer, WantedFile
from cuvee.channel.interpreter.index_download import PinnedFile, fetch, index_url, links_of
from cuvee.errors import IntegrityError, SourceUnreachableError

DATA = b"an sdist"
PINNED = PinnedFile(
    project="thing", name="thing-1.tar.gz", sha256=hashlib.sha256(DATA).hexdigest(), size=len(DATA)
)


def test_links_of_a_html_index_are_absolute_and_without_hashes() -> None:
    page = '<a href="../../f/thing-1.tar.gz#sha256=00">x</a><a>no</a><a data-yanked href="https://o/b%2B1.whl">b</a>'
    assert links_of(page, "https://index.example/simple/thing/") == {
        "thing-1.tar.gz": "https://index.example/f/thing-1.tar.gz#sha256=00",
        "b+1.whl": "https://o/b%2B1.whl",
    }


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({"PIP_INDEX_URL": "https://pip/simple"}, "https://pip/simple"),
        ({"UV_INDEX_URL": "https://uv/simple", "PIP_INDEX_URL": "https://pip/simple"}, "https://uv/simple"),
        ({"UV_DEFAULT_INDEX": "https://d/simple", "UV_INDEX_URL": "https://uv"}, "https://d/simple"),
        ({"UV_DEFAULT_INDEX": "mine=https://d/simple"}, "https://d/simple"),
        ({"UV_DEFAULT_INDEX": "https://d/simple?a=b"}, "https://d/simple?a=b"),
    ],
)
def test_the_index_is_the_one_that_uv_or_pip_would_use(environment: dict[str, str], url: str) -> None:
    assert index_url(environment) == url


class _Index:
    """An index that serves one file, in place of the transfer."""

    def __init__(self, data: bytes, *, listed: str = PINNED.name, json: bool = True) -> None:
        self.data, self.json = data, json
        self.page: object = {"files": [{"filename": listed, "url": f"../../f/{listed}"}]}
        self.html = f'<a href="../../f/{listed}">x</a>'

    def close(self) -> None: ...

    def fetch(self, wanted: WantedFile, target: Path, _: object) -> Answer:
        is_page = wanted.url.endswith("/thing/")
        text = json.dumps(self.page) if self.json else self.html
        target.write_bytes((text.encode() if is_page else self.data)[: wanted.most])
        kind = "application/vnd.pypi.simple.v1+json" if self.json else "text/html"
        return Answer(status=200, headers={"Content-Type": kind}, url=wanted.url)


def _serve(monkeypatch: pytest.MonkeyPatch, index: _Index | None) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://user:secret@index.example/simple")
    monkeypatch.setattr("cuvee.channel.file_transfer.FileTransfer", lambda: index)


@pytest.mark.parametrize("is_json", [True, False])
def test_a_pinned_file_is_fetched_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_json: bool
) -> None:
    _serve(monkeypatch, _Index(DATA, json=is_json))
    path = fetch(PINNED, tmp_path)
    assert path.read_bytes() == DATA
    _serve(monkeypatch, None)
    assert fetch(PINNED, tmp_path) == path
    path.write_bytes(b"half")
    _serve(monkeypatch, _Index(DATA))
    assert fetch(PINNED, tmp_path).read_bytes() == DATA


@pytest.mark.parametrize("data", [b"an sdisT", b"an"])
def test_another_file_is_refused_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    _serve(monkeypatch, _Index(data))
    with pytest.raises(IntegrityError, match="not the expected file") as caught:
        fetch(PINNED, tmp_path)
    assert "secret" not in caught.value.message
    assert not list(tmp_path.iterdir())


def test_an_index_without_the_file_can_not_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _serve(monkeypatch, _Index(DATA, listed="other-1.tar.gz"))
    with pytest.raises(SourceUnreachableError, match=r"does not list thing-1\.tar\.gz") as caught:
        fetch(PINNED, tmp_path)
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("page", [[], {}, {"files": [{}]}, {"files": None}])
def test_a_page_that_is_no_index_is_a_source_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: object
) -> None:
    index = _Index(DATA)
    index.page = page
    _serve(monkeypatch, index)
    with pytest.raises(SourceUnreachableError, match="Cannot read"):
        fetch(PINNED, tmp_path)


@pytest.mark.real
def test_a_pip_in_the_working_folder_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "__init__.py").touch()
    (tmp_path / "pip" / "__main__.py").write_text("print('https://evil.example/simple')")
    monkeypatch.chdir(tmp_path)
    assert "evil" not in index_url({})
