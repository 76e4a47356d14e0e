"""Upgrading a release in its place, rolling it back, and repairing it."""

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cuvee import process
from tiny_release import Release

pytestmark = pytest.mark.real


def admin(prefix: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [prefix / "bin" / "tiny-admin", *arguments], capture_output=True, text=True, check=False
    )


def findings(prefix: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(admin(prefix, "verify", "--json").stdout)
    return {
        key: item for key, item in value.items() if key in {"changed", "missing", "modes", "extra"} and item
    }


def version(prefix: Path) -> str:
    return str(json.loads((prefix / "conda-meta" / "cuvee" / "release.json").read_text())["version"])


def site(prefix: Path) -> Path:
    (found,) = (prefix / "lib").glob("python3.*/site-packages")
    return found


def install(release: Release, prefix: Path, *options: str) -> process.Completed:
    done = release.install("-b", *options, "-p", prefix)
    assert done.exit_code == 0, done.stderr
    return done


def tree(prefix: Path) -> dict[str, tuple[int, bytes]]:
    """Path to mode and content, without what tells the time."""
    found = {}
    for path in sorted(prefix.rglob("*")):
        name = str(path.relative_to(prefix))
        if path.is_dir() or name.startswith(
            ("conda-meta/cuvee/log", "conda-meta/cuvee/state", "conda-meta/history")
        ):
            continue
        content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        found[name] = (path.lstat().st_mode, content)
    return found


def test_upgraded_is_as_if_installed(release: Release, newer: Release, tmp_path: Path) -> None:
    """Every file is the one that a fresh installation makes; unchanged ones are the old files themselves."""
    prefix = tmp_path / "prefix"
    install(newer, prefix)
    fresh = tree(prefix)
    shutil.rmtree(prefix)
    install(release, prefix)
    noise = (prefix / "lib" / "noise").stat().st_ino
    done = install(newer, prefix, "-u")
    assert "2026.11.0 was upgraded to 2026.11.1" in done.stdout
    assert tree(prefix) == fresh
    assert findings(prefix) == {}
    assert (prefix / "lib" / "noise").stat().st_ino == noise
    assert not (prefix / "share" / "tools" / "readme").exists()
    assert not list((prefix / "conda-meta").glob("twin-b-*"))
    history = (prefix / "conda-meta" / "history").read_text()
    assert "-noarch::tools-1.0-py_0\n" in history
    assert "+noarch::tools-1.1-py_0\n" in history
    log = [json.loads(line) for line in (prefix / "conda-meta/cuvee/log.jsonl").read_text().splitlines()]
    assert [(entry["verb"], entry["exit"]) for entry in log] == [("install", 0), ("upgrade", 0)]
    assert log[1]["gone"] == ["noarch::tools-1.0-py_0", "noarch::twin-b-1.0-0"]
    assert process.run(process.Request(argv=(str(prefix / "bin" / "tool"),))).ok


def test_what_the_user_made_survives(release: Release, newer: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    install(release, prefix)
    (prefix / "etc" / "place.conf").write_text("mine")
    (prefix / "share" / "tools" / "new").write_text("in the way")
    (prefix / "notes").mkdir()
    (prefix / "notes" / "thesis.tex").write_text("mine")
    (prefix / "share" / "twin" / "a").unlink()
    info = site(prefix) / "extra-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Name: extra\nVersion: 2.0\n"
        "Requires-Dist: tools<1.1\nRequires-Dist: twin-b\nRequires-Dist: places\n\n"
    )
    (info / "RECORD").write_text("extra.py,,\nextra-2.0.dist-info/METADATA,,\nextra-2.0.dist-info/RECORD,,\n")
    (site(prefix) / "extra.py").write_text("x = 1\n")
    subprocess.run([prefix / "bin" / "python", "-c", "import extra"], check=True)

    would = newer.install("--dry-run", "--json", "-p", prefix)
    assert would.exit_code == 0, would.stderr
    plan = json.loads(would.stdout)
    assert (plan["action"], plan["before"], plan["version"]) == ("upgrade", "2026.11.0", "2026.11.1")
    assert plan["changed"] == ["etc/place.conf"]
    assert version(prefix) == "2026.11.0"

    done = install(newer, prefix, "-u")
    assert (prefix / "notes" / "thesis.tex").read_text() == "mine"
    assert (site(prefix) / "extra.py").exists()
    assert (prefix / "share" / "twin" / "a").exists()
    saved = prefix / "cuvee-saved" / "2026.11.0"
    assert (saved / "etc" / "place.conf").read_text() == "mine"
    assert (saved / "share" / "tools" / "new").read_text() == "in the way"
    assert (prefix / "share" / "tools" / "new").read_text() == "new"
    assert str(prefix) in (prefix / "etc" / "place.conf").read_text()
    assert "cuvee-saved/2026.11.0/etc/place.conf" in done.stdout
    for line in ("needs tools<1.1, but this is tools 1.1", "needs twin-b, which the release does not have"):
        assert f"extra 2.0 {line}" in done.stdout
    assert "needs places" not in done.stdout
    assert findings(prefix) == {"extra": ["notes/thesis.tex"]}


def test_a_release_with_its_marker_at_the_old_place(release: Release, newer: Release, tmp_path: Path) -> None:
    """Earlier releases have it where conda's tools expect a record."""
    prefix = tmp_path / "prefix"
    install(newer, prefix)
    fresh = tree(prefix)
    shutil.rmtree(prefix)
    install(release, prefix)
    old = prefix / "conda-meta" / "cuvee.json"
    (prefix / "conda-meta" / "cuvee" / "release.json").rename(old)
    before = tree(prefix)
    assert findings(prefix) == {}
    assert json.loads(admin(prefix, "info", "--json").stdout)["version"] == "2026.11.0"
    assert json.loads(newer.install("--dry-run", "--json", "-p", prefix).stdout)["action"] == "upgrade"
    (prefix / "bin" / "tool").unlink()
    repaired = release.install("--repair", "-p", prefix)
    assert (repaired.exit_code, repaired.stderr) == (0, "")
    install(newer, prefix, "-u")
    assert tree(prefix) == fresh
    assert not old.exists()
    assert json.loads(admin(prefix, "info", "--json").stdout)["kept"] == "2026.11.0"
    done = admin(prefix, "rollback")
    assert (done.returncode, done.stderr) == (0, "")
    assert tree(prefix) == before
    removed = admin(prefix, "uninstall")
    assert removed.returncode == 0, removed.stderr
    assert list(tmp_path.iterdir()) == []


def test_damage_that_hides_is_not_carried_over(release: Release, newer: Release, tmp_path: Path) -> None:
    """A file with other bytes, but the size and time of before, is not linked into the new release."""
    prefix = tmp_path / "prefix"
    install(release, prefix)
    place = prefix / "lib" / "noise"
    before, found = place.read_bytes(), place.stat()
    place.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
    os.utime(place, ns=(found.st_atime_ns, found.st_mtime_ns))
    install(newer, prefix, "-u")
    assert place.read_bytes() == before
    assert (prefix / "cuvee-saved" / "2026.11.0" / "lib" / "noise").read_bytes() != before
    assert findings(prefix) == {}


def test_records_have_the_digests_of_what_was_written_anew(
    release: Release, newer: Release, tmp_path: Path
) -> None:
    """They are written before it is known which of the older files are as they were."""
    prefix = tmp_path / "prefix"
    install(release, prefix)
    place = prefix / "conda-meta" / "cuvee" / "state.json"
    state = json.loads(place.read_text())
    size = state["late"]["etc/place.conf"][1]
    state["late"]["etc/place.conf"] = ["0" * 64, size]
    place.write_text(json.dumps(state))
    install(newer, prefix, "-u")
    (record,) = (prefix / "conda-meta").glob("places-*.json")
    paths = {line["_path"]: line for line in json.loads(record.read_text())["paths_data"]["paths"]}
    data = (prefix / "etc" / "place.conf").read_bytes()
    assert paths["etc/place.conf"]["sha256_in_prefix"] == hashlib.sha256(data).hexdigest()
    assert findings(prefix) == {}


def test_sources_get_their_times_again(release: Release, newer: Release, tmp_path: Path) -> None:
    """Byte code names the time of its source: one that was touched would be compiled at each start."""
    prefix = tmp_path / "prefix"
    install(newer, prefix)
    compiled = {path.parent.parent / f"{path.name.partition('.')[0]}.py" for path in prefix.rglob("*.pyc")}
    fresh = {path: path.stat().st_mtime for path in compiled if path.exists()}
    shutil.rmtree(prefix)
    install(release, prefix)
    touched = [path for path in fresh if path.exists()]
    assert touched
    for path in touched:
        os.utime(path, (1, 1))
    install(newer, prefix, "-u")
    assert {path: path.stat().st_mtime for path in fresh} == fresh


def test_rollback_and_clean(release: Release, newer: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    install(release, prefix)
    before = tree(prefix)
    nothing = admin(prefix, "rollback")
    assert nothing.returncode == 1
    assert "No older release is kept" in nothing.stderr
    install(newer, prefix, "-u")
    after = tree(prefix)
    assert json.loads(admin(prefix, "info", "--json").stdout)["kept"] == "2026.11.0"
    (prefix / "since.txt").write_text("mine")
    (prefix / "share" / "tools" / "new").write_text("changed")
    done = admin(prefix, "rollback")
    assert (done.returncode, done.stderr) == (0, "")
    assert version(prefix) == "2026.11.0"
    saved = "cuvee-saved/2026.11.1/share/tools/new"
    now = tree(prefix)
    assert {name: item for name, item in now.items() if name not in {"since.txt", saved}} == before
    assert now["since.txt"][1] == b"mine"
    assert now[saved][1] == b"changed"
    assert admin(prefix, "rollback").returncode == 0
    assert set(tree(prefix)) >= set(after)
    assert version(prefix) == "2026.11.1"
    assert admin(prefix, "clean").returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prefix"]


def test_downgrades_and_repetitions(release: Release, newer: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    install(newer, prefix, "-u")
    inode = prefix.stat().st_ino
    assert "is installed already" in install(newer, prefix, "-u").stdout
    assert prefix.stat().st_ino == inode
    refused = release.install("-b", "-u", "-p", prefix)
    assert refused.exit_code == 1
    assert "2026.11.1 is installed, which is newer than 2026.11.0" in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prefix"]
    install(release, prefix, "-f", "--no-keep")
    assert version(prefix) == "2026.11.0"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prefix"]
    assert findings(prefix) == {}


def test_repair(release: Release, newer: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    install(release, prefix)
    good = tree(prefix)
    alone = admin(prefix, "repair")
    assert alone.returncode == 2
    assert "needs the installer" in alone.stderr
    (prefix / "bin" / "tool").unlink()
    (prefix / "etc" / "place.conf").write_text("broken")
    (prefix / "share" / "twin" / "both").chmod(0o600)
    (prefix / "lib" / "link").unlink()
    (prefix / "conda-meta" / "tools-1.0-py_0.json").write_text("")
    (prefix / "conda-meta" / "cuvee" / "runtime" / "installer_log.py").unlink()
    with (prefix / "lib" / "noise").open("r+b") as stream:
        stream.write(b"X")
    shutil.rmtree(site(prefix) / "tools")
    os_module = site(prefix).parent / "os.py"  # one of stage 0
    os_module.write_bytes(os_module.read_bytes().replace(b"environ", b"enviorn"))
    other = newer.install("--repair", "-p", prefix)
    assert other.exit_code == 1
    assert "Use its own installer" in other.stderr
    done = release.install("--repair", "-p", prefix)
    assert done.exit_code == 0, done.stderr
    assert "restored: bin/tool\n" in done.stdout
    now = tree(prefix)
    assert {name: item for name, item in now.items() if not name.startswith("cuvee-saved/")} == good
    assert now["cuvee-saved/2026.11.0/etc/place.conf"][1] == b"broken"
    shutil.rmtree(prefix / "cuvee-saved")
    (prefix / "bin" / "tool").unlink()
    again = admin(prefix, "repair", "--from", str(release.installer))
    assert again.returncode == 0, again.stderr
    assert tree(prefix) == good
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prefix"]


@pytest.mark.parametrize("name", ["cuvee/state.json", "cuvee/manifest.json.zst", "cuvee/release.json"])
def test_repair_of_the_lists_themselves(name: str, release: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    install(release, prefix)
    good = tree(prefix)
    (prefix / "conda-meta" / name).write_text("?")
    (prefix / "bin" / "tool").unlink()
    assert admin(prefix, "verify").returncode in {1, 5}
    done = release.install("--repair", "-p", prefix)
    assert done.exit_code == 0, done.stderr
    assert tree(prefix) == good
    assert findings(prefix) == {}


def test_another_umask(release: Release, newer: Release, tmp_path: Path) -> None:
    """Files that are linked have the modes that the first user's umask left, new ones those of the second."""
    prefix = tmp_path / "prefix"
    install(release, prefix)
    argv: list[str | Path] = [
        "/bin/sh",
        "-c",
        'umask 077; exec sh "$0" -b -u -p "$1"',
        newer.installer,
        prefix,
    ]
    subprocess.run(argv, check=True, capture_output=True)
    assert (prefix / "share" / "tools" / "new").stat().st_mode & 0o777 == 0o600
    assert findings(prefix) == {}
    (prefix / "share" / "twin" / "a").unlink()
    argv[2] = 'umask 007; exec sh "$0" --repair -p "$1"'
    subprocess.run(argv, check=True, capture_output=True)
    assert findings(prefix) == {}


def test_repair_needs_a_release(release: Release, tmp_path: Path) -> None:
    done = release.install("--repair", "-p", tmp_path / "nothing")
    assert done.exit_code == 1
    assert "holds no release" in done.stderr
    assert list(tmp_path.iterdir()) == []
