"""Channels and archives over connections that stall, break, lead out of HTTPS or never end.

Each error names the host; what comes is limited by what was promised, or by a fixed limit.
"""

import gzip
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import zstandard

from cuvee.channel import file_transfer, repodata_download
from cuvee.channel.archive_download import fetch_archives
from cuvee.channel.connection import Connection, connect, query
from cuvee.channel.wheels import WheelRequest, uv
from cuvee.channel.wheels.model import ResolutionTarget
from cuvee.channel.wheels.resolve import resolve
from cuvee.conda.event_loop import run
from cuvee.conda.package_record import LockedPackage
from cuvee.errors import CuveeError, IntegrityError, SourceUnreachableError
from cuvee.files import sha256_bytes
from cuvee.lock.solve import Problem, solve
from cuvee.manifest.model import PlatformEntry, Position, Requirement
from cuvee.progress import Silent
from scripted_server import (
    ScriptedServer,
    cut,
    endless,
    in_turn,
    make_authority,
    redirect,
    send,
    serving,
    stall,
)

pytestmark = pytest.mark.real

DATA = bytes(range(256)) * 64
ARCHIVE = "/c/noarch/a-1.0-0.conda"
RECORD = {
    "name": "a", "version": "1.0", "build": "0", "build_number": 0, "depends": [], "subdir": "noarch",
    "sha256": sha256_bytes(DATA), "size": len(DATA),
}  # fmt: skip


def repodata(**info: str) -> dict[str, object]:
    return {"info": {"subdir": "noarch", **info}, "packages": {}, "packages.conda": {"a-1.0-0.conda": RECORD}}


class Lines(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)

    def advance(self, task: str, amount: int = 1, *, note: str = "") -> None:
        self.said.append(f"{task}: {note}")


@dataclass(kw_only=True)
class Pauses:
    """How long was waited between attempts."""

    seconds: list[float]


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    waited = Pauses(seconds=[])
    monkeypatch.setattr(
        file_transfer.FileTransfer, "_wait", lambda _, seconds: waited.seconds.append(seconds)
    )
    return waited


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as made:
        yield made


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """A channel over TLS, whose authority is trusted."""
    authority, certificate = make_authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with serving(certificate) as made:
        yield made


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    return connect(tmp_path / "cache", Lines())


def locked(url: str, *, size: int = len(DATA)) -> LockedPackage:
    return LockedPackage(
        name="a", version="1.0", build="0", build_number=0, platform="linux-64", subdir="noarch",
        url=url, channel=url.rsplit("/", 2)[0], sha256=sha256_bytes(DATA), size=size,
    )  # fmt: skip


def fetch(package: LockedPackage, connection: Connection, reporter: Lines | None = None) -> Path | CuveeError:
    found = fetch_archives(
        [package], release=Path("/none"), cache=connection.cache, connection=connection,
        reporter=reporter or Lines(),
    )  # fmt: skip
    return found[package.identifier]


def read(source: str, connection: Connection) -> list[str]:
    return [str(record.url) for record in run(query([source], "linux-64", ["a"], connection))]


def test_an_archive_that_stalls(
    server: ScriptedServer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_transfer, "STALL", 0.1)
    server.answers[ARCHIVE] = stall(server, DATA[:10])
    reporter = Lines()
    error = fetch(locked(server.url + ARCHIVE), connection, reporter)
    assert isinstance(error, SourceUnreachableError)
    assert f"a-1.0-0.conda could not be downloaded: {server.host} sends nothing" in error.message
    assert len(server.seen) == file_transfer.TRIES
    assert f"Fetching packages: a-1.0-0.conda from {server.host}" in reporter.said
    assert any(server.host in line and "attempt 2 of 3" in line for line in reporter.said)


def test_an_archive_that_trickles(
    server: ScriptedServer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes in time, and the end never."""
    server.give(ARCHIVE, DATA)
    monkeypatch.setattr(file_transfer, "_WINDOW", 0.0)
    monkeypatch.setattr(file_transfer, "_SLOWEST", 1 << 30)
    error = fetch(locked(server.url + ARCHIVE), connection)
    assert isinstance(error, SourceUnreachableError)
    assert server.host in error.message


def test_repodata_that_stalls(
    server: ScriptedServer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_transfer, "STALL", 0.1)
    server.answers["/c/linux-64/repodata.json.zst"] = stall(server, b"x")
    with pytest.raises(SourceUnreachableError, match=f"{server.host} sends nothing"):
        read(f"{server.url}/c", connection)


def test_a_connection_that_breaks_continues_where_it_broke(
    server: ScriptedServer, connection: Connection
) -> None:
    def rest(request: object) -> None:
        headers = {"Content-Range": f"bytes 100-{len(DATA) - 1}/{len(DATA)}", "ETag": '"1"'}
        send(request, 206, DATA[100:], headers)  # type: ignore[arg-type]

    server.answers[ARCHIVE] = in_turn(cut(DATA, 100, ETag='"1"'), rest)
    found = fetch(locked(server.url + ARCHIVE), connection)
    assert isinstance(found, Path)
    assert found.read_bytes() == DATA
    assert server.seen == [ARCHIVE, f"{ARCHIVE} Range=bytes=100-"]


def test_a_file_that_changed_meanwhile_is_fetched_from_its_start(
    server: ScriptedServer, connection: Connection
) -> None:
    server.answers[ARCHIVE] = in_turn(
        cut(bytes(len(DATA)), 100, ETag='"1"'), lambda request: send(request, 200, DATA)
    )
    found = fetch(locked(server.url + ARCHIVE), connection)
    assert isinstance(found, Path)
    assert found.read_bytes() == DATA


def test_a_connection_that_always_breaks(server: ScriptedServer, connection: Connection) -> None:
    server.answers[ARCHIVE] = cut(DATA, 100)
    error = fetch(locked(server.url + ARCHIVE), connection)
    assert isinstance(error, SourceUnreachableError)
    assert error.exit_code == 4
    assert f"{server.host} closes the connection before the end" in error.message
    assert len(server.seen) == file_transfer.TRIES
    assert not [path for path in connection.cache.rglob("*") if path.is_file()]


@pytest.mark.parametrize(("status", "attempts"), [(500, 3), (503, 3), (429, 3), (404, 1), (403, 1)])
def test_what_may_pass_is_tried_again(
    server: ScriptedServer, connection: Connection, status: int, attempts: int
) -> None:
    server.answers[ARCHIVE] = lambda request: send(request, status)
    error = fetch(locked(server.url + ARCHIVE), connection)
    assert isinstance(error, SourceUnreachableError)
    assert f"{server.host} answers {status}" in error.message
    assert len(server.seen) == attempts


@pytest.mark.parametrize(
    ("asked", "waited"),
    [("7", 7.0), ("999999999999", 60.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", 1.0), ("-1", 1.0)],
)
def test_a_server_says_when_to_come_back(
    server: ScriptedServer, connection: Connection, pauses: Pauses, asked: str, waited: float
) -> None:
    server.answers[ARCHIVE] = in_turn(
        lambda request: send(request, 429, headers={"Retry-After": asked}),
        lambda request: send(request, 200, DATA),
    )
    assert isinstance(fetch(locked(server.url + ARCHIVE), connection), Path)
    assert pauses.seconds == [waited]


def test_no_more_than_the_locked_size_is_read(server: ScriptedServer, connection: Connection) -> None:
    server.answers[ARCHIVE] = endless
    error = fetch(locked(server.url + ARCHIVE), connection)
    assert isinstance(error, IntegrityError)
    assert f"from {server.host} has more than {len(DATA):,} bytes, the size in the lock" in error.message


def test_an_archive_without_a_known_size_has_a_limit(
    server: ScriptedServer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cuvee.channel.archive_download.MOST_ARCHIVE", 1 << 20)
    server.answers[ARCHIVE] = endless
    assert isinstance(fetch(locked(server.url + ARCHIVE, size=0), connection), IntegrityError)


def test_no_redirect_leads_an_archive_out_of_https(
    server: ScriptedServer, secure: ScriptedServer, connection: Connection
) -> None:
    secure.answers[ARCHIVE] = redirect(server.url + ARCHIVE)
    server.give(ARCHIVE, DATA)
    error = fetch(locked(secure.url + ARCHIVE), connection)
    assert isinstance(error, IntegrityError)
    assert "not protected" in error.message
    assert server.seen == []


@pytest.mark.parametrize("name", ["repodata.json.zst", "repodata.json"])
def test_no_redirect_leads_repodata_out_of_https(
    server: ScriptedServer, secure: ScriptedServer, connection: Connection, name: str
) -> None:
    secure.answers[f"/c/linux-64/{name}"] = redirect(f"{server.url}/{name}")
    with pytest.raises(IntegrityError, match=r"redirects to http://127.*not protected"):
        read(f"{secure.url}/c", connection)
    assert server.seen == []


def test_a_redirect_within_https_is_followed_without_reading_its_body(
    secure: ScriptedServer, connection: Connection
) -> None:
    def endless_redirect(request: object) -> None:
        request.send_response(302)  # type: ignore[attr-defined]
        request.send_header("Location", f"{secure.url}/d")  # type: ignore[attr-defined]
        request.send_header("Content-Length", str(1 << 40))  # type: ignore[attr-defined]
        request.end_headers()  # type: ignore[attr-defined]
        secure.ended.wait()

    secure.answers[ARCHIVE] = endless_redirect
    secure.give("/d", DATA)
    assert isinstance(fetch(locked(secure.url + ARCHIVE), connection), Path)


def test_redirects_in_a_circle_end(server: ScriptedServer, connection: Connection) -> None:
    server.answers[ARCHIVE] = redirect(server.url + ARCHIVE)
    assert isinstance(fetch(locked(server.url + ARCHIVE), connection), SourceUnreachableError)
    assert len(server.seen) < 20


def test_an_unknown_authority_is_named(
    secure: ScriptedServer, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(SourceUnreachableError, match=rf"{secure.host} .*certificate verify failed"):
        read(f"{secure.url}/c", connection)


@pytest.mark.parametrize("coding", ["zst", "gzip", ""])
def test_repodata_has_a_limit(
    server: ScriptedServer, connection: Connection, monkeypatch: pytest.MonkeyPatch, coding: str
) -> None:
    zeros = bytes(8 << 20)
    if coding == "zst":
        server.give("/c/linux-64/repodata.json.zst", zstandard.ZstdCompressor().compress(zeros))
    elif coding == "gzip":
        server.give("/c/linux-64/repodata.json", gzip.compress(zeros), Content_Encoding="gzip")
    else:
        server.give("/c/linux-64/repodata.json", zeros)
    monkeypatch.setattr(repodata_download, "MOST_REPODATA", 1 << 20)
    with pytest.raises(IntegrityError, match=rf"{server.host} has more than 1,048,576 bytes"):
        read(f"{server.url}/c", connection)
    assert not list(connection.cache.rglob("repodata.json"))


@pytest.mark.parametrize(("name", "coding"), [("repodata.json.zst", ""), ("repodata.json", "br")])
def test_repodata_that_cannot_be_unpacked(
    server: ScriptedServer, connection: Connection, name: str, coding: str
) -> None:
    server.give(f"/c/linux-64/{name}", b"no such thing", **({"Content_Encoding": coding} if coding else {}))
    where = rf"{server.host}/c/linux-64/{name}, which cannot be unpacked"
    with pytest.raises(SourceUnreachableError, match=where):
        read(f"{server.url}/c", connection)


def test_repodata_is_fetched_again_only_if_it_changed(server: ScriptedServer, connection: Connection) -> None:
    def one(request: object) -> None:
        if request.headers.get("If-None-Match") == '"1"':  # type: ignore[attr-defined]
            send(request, 304)  # type: ignore[arg-type]
        else:
            packed = zstandard.ZstdCompressor().compress(json.dumps(repodata()).encode())
            send(request, 200, packed, {"ETag": '"1"'})  # type: ignore[arg-type]

    server.answers["/c/noarch/repodata.json.zst"] = one
    url = f"{server.url}/c/noarch/a-1.0-0.conda"
    assert read(f"{server.url}/c", connection) == [url]
    assert read(f"{server.url}/c", connection) == [url]
    assert read(f"{server.url}/c", connect(connection.cache)) == [url]
    asked = [line for line in server.seen if "/noarch/" in line]
    assert asked == ["/c/noarch/repodata.json.zst", '/c/noarch/repodata.json.zst If-None-Match="1"']
    (kept,) = connection.cache.rglob("repodata.json")
    kept.write_bytes(kept.read_bytes().replace(b'"a"', b'"b"'))
    again = Lines()
    assert read(f"{server.url}/c", connect(connection.cache, again)) == [url]
    assert any("was changed after it was fetched" in line for line in again.said)


def test_a_channel_without_noarch(server: ScriptedServer, connection: Connection) -> None:
    server.give("/c/linux-64/repodata.json", repodata())
    with pytest.raises(SourceUnreachableError, match=r"/c: it has no noarch/repodata\.json"):
        read(f"{server.url}/c", connection)


@pytest.mark.parametrize("base_url", ["file:///etc/", "http://127.0.0.1:1/", "ftp://127.0.0.1/", "https:///"])
def test_repodata_cannot_send_elsewhere(secure: ScriptedServer, tmp_path: Path, base_url: str) -> None:
    secure.give("/c/noarch/repodata.json", repodata(base_url=base_url))
    position = Position(file=Path("m.yaml"), line=1, column=1)
    problem = Problem(
        platforms=(PlatformEntry(name="linux-64", floor={}),),
        requirements=(Requirement(name="a", platforms=("linux-64",), position=position),),
        channels=(f"{secure.url}/c",),
    )
    connection = connect(tmp_path / "cache")
    with pytest.raises(CuveeError) as caught:
        solve(problem, connection)
    assert caught.value.exit_code in {4, 5}
    assert "127.0.0.1" in caught.value.message


def test_a_lock_cannot_send_elsewhere(tmp_path: Path, connection: Connection) -> None:
    (tmp_path / "secret.conda").write_bytes(DATA)
    package = locked((tmp_path / "secret.conda").as_uri())
    assert isinstance(fetch(package, connection), Path)
    error = fetch(replace(package, channel="https://127.0.0.1/c"), connection)
    assert isinstance(error, IntegrityError)
    assert "https://127.0.0.1/c states that" in error.message


def test_stopping_ends_a_download_that_waits(server: ScriptedServer, connection: Connection) -> None:
    """Ctrl-C ends the other threads, even if a server sends nothing."""
    waiting = threading.Event()

    def answer(request: object) -> None:
        send(request, 200, DATA[:1], {"Content-Length": "10"})  # type: ignore[arg-type]
        waiting.set()
        server.ended.wait()

    server.answers[ARCHIVE] = answer
    results: list[Path | CuveeError] = []
    thread = threading.Thread(target=lambda: results.append(fetch(locked(server.url + ARCHIVE), connection)))
    thread.start()
    waiting.wait()
    while not connection.transfer.is_receiving:
        pass
    connection.transfer.stop()
    thread.join()
    assert isinstance(results[0], CuveeError)
    assert results[0].message == "Stopped"


@pytest.mark.parametrize(
    "kind_and_request",
    [
        ({"BasicHTTP": {"username": "ada", "password": "p"}}, f"{ARCHIVE} Authorization=Basic YWRhOnA="),
        ({"BearerToken": "secret"}, f"{ARCHIVE} Authorization=Bearer secret"),
        ({"CondaToken": "secret"}, f"/t/secret{ARCHIVE}"),
    ],
    ids=["user", "bearer", "path"],
)
def test_credentials_go_to_their_host_alone(
    server: ScriptedServer,
    connection: Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind_and_request: tuple[dict[str, object], str],
) -> None:
    kind, asked = kind_and_request
    (tmp_path / "credentials.json").write_text(json.dumps({server.host: kind}))
    monkeypatch.setenv("RATTLER_AUTH_FILE", str(tmp_path / "credentials.json"))
    (tmp_path / "other").mkdir()
    authority, certificate = make_authority(tmp_path / "other")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    with serving(certificate) as other:
        server.answers[asked.partition(" ")[0]] = redirect(other.url + "/a.conda")
        other.give("/a.conda", DATA)
        assert isinstance(fetch(locked(server.url + ARCHIVE), connection), Path)
        assert (server.seen, other.seen) == ([asked], ["/a.conda"])


def test_an_index_that_stalls_for_uv(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"{server.url}/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path))
    monkeypatch.setitem(uv._LIMITS, "UV_HTTP_TIMEOUT", "1")
    monkeypatch.setitem(uv._LIMITS, "UV_HTTP_RETRIES", "0")
    server.answers["/simple/demo/"] = stall(server, b"<html>", Content_Type="text/html")
    request = WheelRequest(name="demo", version="*", platforms=("linux-64",), position="m.yaml:1:1")
    target = ResolutionTarget(platform="linux-64", python="3.11.7", floor={"glibc": "2.28"})
    with pytest.raises(SourceUnreachableError, match=f"{server.host} could not be reached"):
        resolve([request], target)
