"""``cuvee keys``, ``fetch`` and ``mirror`` as a user types them."""

import datetime as dt
import json
from pathlib import Path

import pytest

from cuvee.cli.main import run
from cuvee.trust.track_index import TRACK_INDEX, ListedInstaller, ListedRelease, TrackIndex
from signed_sites import FILE, NEW, Site, new_trust

PASSPHRASE = "four random words here"


@pytest.fixture(autouse=True)
def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of its own, on which nothing was seen yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUVEE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("CUVEE_KEY_PASSPHRASE", PASSPHRASE)
    monkeypatch.delenv("CUVEE_ROOT", raising=False)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site that was published now, since the commands read the clock."""
    made = Site(folder=tmp_path / "a site", trust=new_trust())
    installer = ListedInstaller(path=FILE, platform="linux-64", format="sh", size=1, sha256="0" * 64)
    release = ListedRelease(name=NEW, distribution="tiny", version="2026.11.1", installers=(installer,))
    index = TRACK_INDEX.to_bytes(TrackIndex(track="stable", releases=(release,)))
    now = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(minutes=1)
    made.publish(NEW, now=now, made={"releases/stable/index.json": index})
    (tmp_path / "root.json").write_bytes(made.root)
    return made


def test_fetch_hands_over_a_verified_file_and_knows_it_the_second_time(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["fetch", "a site", "tiny", "--root", "root.json", "--platform", "linux-64", "-o", "out", "--json"]
    assert run(argv) == 0
    first = json.loads(capsys.readouterr().out)
    assert (first["release"], first["track"], first["was_there"]) == (NEW, "stable", False)
    assert Path(first["path"]).read_text().startswith(f"installer of {NEW}\n")
    assert run(argv) == 0
    assert json.loads(capsys.readouterr().out) == first | {"was_there": True}
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["Tiny-Linux-x86_64.sh"]


@pytest.mark.parametrize(
    ("argv", "code", "message"),
    [
        (["fetch", "a site", "tiny"], 2, "Missing option '--root'"),
        (["fetch", "a site", "tiny", "--root", "none.json"], 2, "The root none.json cannot be read"),
        (["fetch", "nowhere", "tiny", "--root", "root.json"], 2, "neither a folder nor a URL"),
        (["fetch", "ftp://x/y", "tiny", "--root", "root.json"], 2, "neither a folder nor a URL"),
        (["fetch", "a site", "other", "--root", "root.json"], 2, "has no release other"),
        (["fetch", "a site", "tiny", "--root", "root.json", "--format", "msi"], 2, "has no msi"),
        (["fetch", "empty", "tiny", "--root", "root.json"], 4, "has no metadata/timestamp.json"),
        (["fetch", "a site", "tiny", "--root", "broken.json"], 5, "root.json is not metadata of TUF"),
        (["mirror", "a site", "disk", "--root", "root.json", "--releases", "x-1"], 2, "has no release x-1"),
    ],
)
def test_what_is_wrong_is_said(
    site: Site,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    argv: list[str],
    code: int,
    message: str,
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.json").write_text("{")
    assert run(argv) == code
    assert message in capsys.readouterr().err


def test_mirror_and_fetch_from_the_mirror(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["mirror", "a site", "disk", "--root", "root.json", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["releases"] == [NEW]
    monkeypatch.setenv("CUVEE_CACHE_DIR", str(tmp_path / "cache behind the gap"))
    monkeypatch.setenv("CUVEE_ROOT", "root.json")
    assert run(["fetch", "disk", NEW, "--platform", "linux-64", "-o", "out"]) == 0
    assert "verified" in capsys.readouterr().out


def test_a_ceremony_of_three_people_on_two_machines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("ada", "grace", "alan", "online"):
        assert run(["keys", "new", f"{name}.pem", "--name", name.capitalize(), "--organisation", "acme"]) == 0
    people, online = "ada.pub.json,grace.pub.json,alan.pub.json", "online.pub.json"
    roles = [f"root=2:{people}", f"targets=2:{people}"]
    roles += [f"{role}=1:{online}" for role in ("stable", "site", "snapshot", "timestamp")]
    begin = ["keys", "begin", "trust", *(word for role in roles for word in ("--role", role))]
    assert run(begin) == 0
    capsys.readouterr()
    assert run(["keys", "roles", "trust"]) == 1
    assert "1.root.json: 2 more of root must sign: Ada (" in capsys.readouterr().out
    assert run(begin) == 2
    assert run(["keys", "sign", "trust", "--key", "online.pem"]) == 2
    assert "nothing to sign" in capsys.readouterr().err
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in (tmp_path / "trust").iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    assert run(["keys", "sign", "trust", "--key", "ada.pem"]) == 0
    assert run(["keys", "sign", "copy", "--key", "grace.pem"]) == 0
    assert run(["keys", "merge", "trust", "copy"]) == 0
    assert run(["keys", "roles", "trust"]) == 0
    assert run(["keys", "revoke", "trust", "alan.pub.json"]) == 0
    assert run(["keys", "roles", "trust", "--json"]) == 1
    capsys.readouterr()
    assert run(["publish", "--to", "www", "--trust", "trust", "--key", "online.pem"]) == 2
    assert "2.root.json, by the root before: 2 of Ada" in capsys.readouterr().err
    assert not (tmp_path / "www").exists()


def test_roles_that_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    for role in ("root", "root=x:a", "root=1:", "=1:a"):
        assert run(["keys", "begin", "trust", "--role", role]) == 2
        assert f"{role!r} is not a role" in capsys.readouterr().err
    assert run(["publish", "--to", "www"]) == 2
    assert run(["publish", "--to", "www", "--key", "x"]) == 2
