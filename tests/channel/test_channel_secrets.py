"""What a channel's URL carries opens the channel, and is not recorded."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from cuvee.channel.archive_download import fetch_archives
from cuvee.channel.connection import connect
from cuvee.conda.explicit_list import ExplicitArchive
from cuvee.conda.package_record import LockedPackage
from cuvee.errors import CuveeError, IntegrityError
from cuvee.files import sha256_bytes
from cuvee.installers.constructor.explicit_archives import lock_archives
from cuvee.lock.model import Lock, PlatformLock
from cuvee.lock.pixi_lock import read_lock, write_lock
from cuvee.lock.solve import Problem, solve
from cuvee.manifest.model import PlatformEntry, Position, Requirement
from cuvee.progress import SILENT
from scripted_server import ScriptedServer, send, serving

SECRET = "SECRET-TOKEN"
DATA = b"an archive"
RECORD = {
    "name": "a", "version": "1.0", "build": "0", "build_number": 0, "depends": [], "subdir": "noarch",
    "sha256": sha256_bytes(DATA), "size": len(DATA),
}  # fmt: skip


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as made:
        yield made


def problem_of(channel: str) -> Problem:
    return Problem(
        platforms=(PlatformEntry(name="linux-64", floor={}),),
        requirements=(
            Requirement(
                name="a",
                platforms=("linux-64",),
                position=Position(file=Path("m.yaml"), line=1, column=1),
            ),
        ),
        channels=(channel,),
    )


def carrying(kind: str, server: ScriptedServer) -> tuple[str, str, str]:
    """Return the channel's URL, the path at which it answers, and the header that it wants."""
    if kind == "path":
        return f"{server.url}/t/{SECRET}/c", f"/t/{SECRET}/c", ""
    user = f"{SECRET}:" if kind == "user" else f"u:{SECRET}"
    wanted = "Basic " + base64.b64encode(user.encode()).decode()
    return f"http://{user.rstrip(':')}@{server.host}/c", "/c", wanted


@pytest.mark.real
@pytest.mark.parametrize("kind", ["user", "password", "path"])
def test_a_secret_of_the_url_opens_the_channel_and_is_not_locked(
    server: ScriptedServer, tmp_path: Path, kind: str
) -> None:
    url, path, wanted = carrying(kind, server)
    body = json.dumps(
        {"info": {"subdir": "noarch"}, "packages": {}, "packages.conda": {"a-1.0-0.conda": RECORD}}
    )

    def answer(data: bytes, request: BaseHTTPRequestHandler) -> None:
        send(request, 200 if request.headers.get("Authorization", "") == wanted else 401, data)

    for name, data in (("repodata.json", body.encode()), ("a-1.0-0.conda", DATA)):
        server.answers[f"{path}/noarch/{name}"] = partial(answer, data)
    connection = connect(tmp_path / "cache")
    lock = solve(problem_of(url), connection)
    (package,) = lock.platforms[0].packages
    assert (package.url, package.channel) == (f"{server.url}/c/noarch/a-1.0-0.conda", f"{server.url}/c")
    found = fetch_archives(
        [package], release=tmp_path, cache=tmp_path / "cache", connection=connection, reporter=SILENT
    )
    assert not isinstance(found[package.identifier], CuveeError)
    kept = [file for file in (tmp_path / "cache").rglob("*") if file.is_file()]
    assert len(kept) == 3
    assert not [file for file in kept if SECRET.encode() in file.read_bytes() or SECRET in str(file)]


@pytest.mark.real
@pytest.mark.parametrize("base_url", ["{host}/t/{secret}/", "https://{secret}@127.0.0.1/"])
def test_a_channel_cannot_state_a_secret(server: ScriptedServer, tmp_path: Path, base_url: str) -> None:
    stated = base_url.format(host=server.url, secret=SECRET)
    body = {"info": {"subdir": "noarch", "base_url": stated}, "packages.conda": {"a-1.0-0.conda": RECORD}}
    server.give("/c/noarch/repodata.json", body | {"packages": {}})
    with pytest.raises(IntegrityError, match=r"which carries a (token|user)") as caught:
        solve(problem_of(f"{server.url}/c"), connect(tmp_path / "cache"))
    assert SECRET not in caught.value.message


@pytest.mark.real
def test_an_error_shows_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("cuvee.channel.file_transfer.TRIES", 1)
    with pytest.raises(CuveeError) as caught:
        solve(problem_of(f"http://u:{SECRET}@127.0.0.1:9/t/{SECRET}/c"), connect(tmp_path / "cache"))
    assert SECRET not in f"{caught.value.message}{caught.value.hint}"
    assert "127.0.0.1:9" in caught.value.message


@pytest.mark.real
def test_an_explicit_list_locks_clean_urls(
    server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/t/{SECRET}/c/noarch/a-1.0-0.conda"
    server.give(f"{path}?key={SECRET}", DATA)
    index = type("Index", (), dict(RECORD, constrains=(), depends=(), license="", noarch=None, timestamp=0))
    monkeypatch.setattr("cuvee.installers.constructor.explicit_archives.read_index", lambda _: index)
    archive = ExplicitArchive(url=f"http://{SECRET}@{server.host}{path}?key={SECRET}")
    lock = lock_archives(
        [archive],
        "linux-64",
        {"glibc": "2.28"},
        cache=tmp_path,
        connection=connect(tmp_path),
        reporter=SILENT,
    )
    (package,) = lock.packages
    assert (package.url, package.channel) == (f"{server.url}/c/noarch/a-1.0-0.conda", f"{server.url}/c")


def test_a_lock_is_read_with_clean_urls(tmp_path: Path) -> None:
    url = f"https://{SECRET}@h/t/{SECRET}/c/noarch/a-1.0-0.conda"
    package = LockedPackage(
        name="a", version="1.0", build="0", build_number=0, platform="linux-64", subdir="noarch",
        url=url, channel=f"https://{SECRET}@h/t/{SECRET}/c", sha256="0" * 64,
    )  # fmt: skip
    lock = Lock(platforms=(PlatformLock(platform="linux-64", packages=(package,), virtual_packages=()),))
    write_lock(lock, tmp_path / "pixi.lock", channels=(), own_channel="https://own.example/channel")
    (found,) = read_lock(tmp_path / "pixi.lock").platforms[0].packages
    assert found == replace(package, url="https://h/c/noarch/a-1.0-0.conda", channel="https://h/c")
