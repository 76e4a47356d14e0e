import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests
from packaging.version import Version

from cuvee.channel import file_transfer
from cuvee.channel.wheels.model import PinnedWheel
from cuvee.channel.wheels.wheel_download import WheelDownloader, cached_wheels
from cuvee.errors import IntegrityError, SourceUnreachableError
from cuvee.files import sha256_bytes

DATA = b"the bytes of a wheel"
NAME = "demo-1.0-py3-none-any.whl"


def pinned(url: str, *, data: bytes = DATA, size: int | None = len(DATA)) -> PinnedWheel:
    return PinnedWheel(
        name="demo", version=Version("1.0"), file_name=NAME, url=url, sha256=sha256_bytes(data), size=size
    )


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "index with space" / NAME
    path.parent.mkdir()
    path.write_bytes(DATA)
    return path


def test_a_file_is_fetched_once(source: Path, tmp_path: Path) -> None:
    fetcher, wheel = WheelDownloader(tmp_path / "cache"), pinned(source.as_uri())
    path, is_new = fetcher.fetch(wheel)
    assert (path.read_bytes(), is_new) == (DATA, True)
    source.unlink()
    assert fetcher.fetch(wheel) == (path, False)
    assert cached_wheels(tmp_path / "cache") == {"demo"}


def test_a_damaged_cache_is_fetched_again(source: Path, tmp_path: Path) -> None:
    fetcher, wheel = WheelDownloader(tmp_path / "cache"), pinned(source.as_uri())
    path, _ = fetcher.fetch(wheel)
    path.write_bytes(b"the bytes of a WHEEL")
    path, is_new = fetcher.fetch(wheel)
    assert (path.read_bytes(), is_new) == (DATA, True)


@pytest.mark.parametrize(
    ("data", "size", "why"),
    [(b"other bytes", len(DATA), "and the index states"), (DATA, 7, "does not have the 7 bytes")],
)
def test_what_differs_is_not_kept(source: Path, tmp_path: Path, data: bytes, size: int, why: str) -> None:
    with pytest.raises(IntegrityError, match=rf"^{NAME} .*{why}.*nothing was imported"):
        WheelDownloader(tmp_path / "cache").fetch(pinned(source.as_uri(), data=data, size=size))
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachableError, match="No such file"):
        WheelDownloader(tmp_path / "cache").fetch(pinned((tmp_path / "none.whl").as_uri()))


class _Index(BaseHTTPRequestHandler):
    """Serves DATA; some paths fail, once or always, or lead elsewhere."""

    failures = 0
    seen: list[str] = []  # noqa: RUF012  shared between requests on purpose

    def do_GET(self) -> None:
        type(self).seen.append(f"{self.path} {self.headers.get('Authorization', '-')}")
        if self.path == "/gone":
            self.send_error(404)
        elif self.path == "/shaky" and type(self).failures:
            type(self).failures -= 1
            self.send_error(503)
        elif self.path == "/astray":
            self.send_response(302)
            self.send_header("Location", "http://elsewhere.invalid/wheel")
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(DATA)))
            self.end_headers()
            self.wfile.write(DATA)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    _Index.failures, _Index.seen = 0, []
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with HTTPServer(("127.0.0.1", 0), _Index) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def fetcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WheelDownloader]:
    made = WheelDownloader(
        tmp_path / "cache", environment={"UV_INDEX": "mine=http://me:p%40ss@other.example/simple"}
    )
    monkeypatch.setattr(threading.Event, "wait", lambda *_: False)
    yield made
    made.close()


@pytest.mark.real
def test_a_wheel_comes_over_http(index: str, fetcher: WheelDownloader) -> None:
    path, _ = fetcher.fetch(pinned(f"http://{index}/wheel"))
    assert path.read_bytes() == DATA


@pytest.mark.real
def test_metadata_of_the_index_come_with_a_wheel(index: str, fetcher: WheelDownloader) -> None:
    wheel = pinned(f"http://{index}/wheel#sha256=abc")
    assert fetcher.stated_metadata(wheel) is None
    fetcher.fetch(wheel)
    stated = fetcher.stated_metadata(wheel)
    assert stated is not None
    assert stated.read_bytes() == DATA
    assert [line.split()[0] for line in _Index.seen] == ["/wheel", "/wheel.metadata"]


@pytest.mark.real
def test_a_shaky_server_is_asked_again(index: str, fetcher: WheelDownloader) -> None:
    _Index.failures = 2
    fetcher.fetch(pinned(f"http://{index}/shaky"))
    assert [line.split()[0] for line in _Index.seen] == ["/shaky", "/shaky", "/shaky", "/shaky.metadata"]


@pytest.mark.real
def test_a_server_that_stays_down_is_named(index: str, fetcher: WheelDownloader) -> None:
    _Index.failures = 3
    with pytest.raises(SourceUnreachableError, match=rf"{NAME} could not be downloaded: {index} answers 503"):
        fetcher.fetch(pinned(f"http://{index}/shaky"))
    assert len(_Index.seen) == 3


@pytest.mark.real
def test_a_refusal_is_not_repeated(index: str, fetcher: WheelDownloader) -> None:
    with pytest.raises(SourceUnreachableError, match="404"):
        fetcher.fetch(pinned(f"http://{index}/gone"))
    assert len(_Index.seen) == 1


@pytest.mark.real
def test_no_redirect_leads_out_of_protection(index: str, fetcher: WheelDownloader) -> None:
    with pytest.raises(IntegrityError, match=r"redirects to http://elsewhere\.invalid"):
        fetcher.fetch(pinned(f"http://{index}/astray"))


@pytest.mark.real
def test_credentials_go_to_the_index_that_has_them(index: str, tmp_path: Path) -> None:
    fetcher = WheelDownloader(
        tmp_path / "cache", environment={"UV_DEFAULT_INDEX": f"http://me:p%40ss@{index}/simple"}
    )
    fetcher.fetch(pinned(f"http://{index}/wheel"))
    fetcher.close()
    authorization = requests.auth._basic_auth_str("me", "p@ss")
    assert _Index.seen == [f"/wheel {authorization}", f"/wheel.metadata {authorization}"]


@pytest.mark.real
def test_a_longer_answer_is_cut_and_refused(index: str, fetcher: WheelDownloader) -> None:
    with pytest.raises(IntegrityError, match="more than 3 bytes, the size that the index states"):
        fetcher.fetch(pinned(f"http://{index}/wheel", size=3))


@pytest.mark.real
def test_a_host_that_is_not_there(fetcher: WheelDownloader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_transfer, "TRIES", 1)
    with pytest.raises(SourceUnreachableError, match=r": 127\.0\.0\.1:9 cannot be reached"):
        fetcher.fetch(pinned("http://127.0.0.1:9/wheel"))
