"""Serving reports: files below the folder, to this machine, and nothing else."""

import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuvee.errors import UsageError
from cuvee.report.serving import file_of, make_server


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "a release").mkdir(parents=True)
    (folder / "index.html").write_text("<p>all</p>")
    (folder / "a release" / "index.html").write_text("<p>one</p>")
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "empty").mkdir()
    return folder.resolve()


@pytest.mark.parametrize("address", ["/", "/index.html", "/index.html?x=1", "/a%20release/../"])
def test_files_below_the_folder_are_found(root: Path, address: str) -> None:
    assert file_of(root, address) == root / "index.html"


@pytest.mark.parametrize(
    "address",
    [
        "/../secret", "/%2e%2e/secret", "/..%2fsecret", "/a%20release/../../secret", "/link", "/loop",
        "/empty", "/gone",
        "/%00", "/..\\secret", "/%ff", "http://[/", "/" + "a" * 5000, "/%2Fetc/passwd", "//../../etc/passwd",
    ],
)  # fmt: skip
def test_nothing_else_is_found(root: Path, address: str) -> None:
    assert file_of(root, address) is None


@pytest.fixture
def port(root: Path) -> Iterator[int]:
    with make_server(root, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def ask(port: int, method: str, path: str, host: str = "127.0.0.1") -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", f"{host}:{port}")
    connection.endheaders()
    return connection.getresponse()


@pytest.mark.real
def test_only_reading_and_only_under_its_own_name(port: int) -> None:
    answer = ask(port, "GET", "/a%20release/")
    assert (answer.status, answer.read()) == (200, b"<p>one</p>")
    assert answer.getheader("Content-Type") == "text/html; charset=utf-8"
    moved = ask(port, "GET", "/a%20release")
    assert (moved.status, moved.getheader("Location")) == (301, "/a%20release/")
    head = ask(port, "HEAD", "/")
    assert (head.status, head.read(), head.getheader("Content-Length")) == (200, b"", "10")
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert ask(port, method, "/").status == 501
    assert ask(port, "GET", "/../secret").status == 404
    assert ask(port, "GET", "/", host="evil.example").status == 403


@pytest.mark.real
def test_it_listens_on_the_loopback_address_only_and_says_what_is_wrong(root: Path, port: int) -> None:
    with make_server(root, 0) as server:
        assert server.server_address[0] == "127.0.0.1"
    with pytest.raises(UsageError, match=f"Port {port} of 127.0.0.1 cannot be used"):
        make_server(root, port)
    with pytest.raises(UsageError, match="There is no folder"):
        make_server(root / "gone", 0)
