"""What a prefix links to or names outside of itself stays as it is, whoever runs which verb."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cuvee.files import sha256_bytes
from needed_programs import need_root
from tiny_release import Release

pytestmark = pytest.mark.real

STATE = "conda-meta/cuvee/state.json"
SOMEBODY = 12345


def admin(prefix: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [prefix / "bin" / "tiny-admin", *arguments], capture_output=True, text=True, check=False
    )


def tree(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(folder))] = f"-> {path.readlink()}"
        elif path.is_file():
            found[str(path.relative_to(folder))] = sha256_bytes(path.read_bytes())
    return found


@pytest.fixture
def prefix(release: Release, tmp_path: Path) -> Path:
    prefix = tmp_path / "prefix"
    assert release.install("-b", "-p", prefix).ok
    return prefix


@pytest.fixture
def working_copy(prefix: Path, tmp_path: Path) -> Path:
    """Move a package out of the prefix, as a developer does, and link it."""
    (package,) = prefix.glob("lib/python3.*/site-packages/tools")
    copy = tmp_path / "working copy"
    package.rename(copy)
    package.symlink_to(copy)
    (copy / "cli.py").write_text((copy / "cli.py").read_text() + "# edited\n")
    return copy


def test_repair_leaves_a_working_copy(release: Release, prefix: Path, working_copy: Path) -> None:
    before = tree(working_copy)
    (prefix / "bin" / "tool").unlink()
    done = release.install("--repair", "-p", prefix)
    assert tree(working_copy) == before
    assert done.exit_code == 1
    assert "restored: bin/tool\n" in done.stdout
    assert "could not be restored: lib/python" in done.stdout
    assert "site-packages/tools, which the release does not have there; move it away" in done.stdout
    assert "1 files were restored" in done.stdout
    (link,) = prefix.glob("lib/python3.*/site-packages/tools")
    link.unlink()
    done = release.install("--repair", "-p", prefix)
    assert (done.exit_code, done.stderr) == (0, "")
    assert tree(working_copy) == before
    assert admin(prefix, "verify").returncode == 0


def test_uninstall_leaves_a_working_copy(prefix: Path, working_copy: Path) -> None:
    before = tree(working_copy)
    done = admin(prefix, "uninstall", "--json")
    assert done.returncode == 0, done.stderr
    assert tree(working_copy) == before
    (link,) = tree(prefix)
    assert json.loads(done.stdout)["left"] == [link]
    assert link.endswith("site-packages/tools")


def test_upgrade_and_rollback_leave_a_working_copy(newer: Release, prefix: Path, working_copy: Path) -> None:
    before = tree(working_copy)
    assert newer.install("-b", "-u", "-p", prefix).ok
    assert tree(working_copy) == before
    assert admin(prefix, "verify").returncode == 0
    # The older release still has the link where the newer one has a folder.
    (package,) = prefix.glob("lib/python3.*/site-packages/tools")
    (package / "added.py").write_text("mine")
    (working_copy / "added.py").write_text("another")
    before = tree(working_copy)
    done = admin(prefix, "rollback")
    assert (done.returncode, done.stderr) == (0, "")
    assert tree(working_copy) == before
    (saved,) = prefix.glob("cuvee-saved/2026.11.1/lib/python3.*/site-packages/tools/added.py")
    assert saved.read_text() == "mine"


@pytest.mark.parametrize("kind", ["own", "late", "links", "gone"])
def test_a_state_that_names_other_files(kind: str, release: Release, prefix: Path, tmp_path: Path) -> None:
    victim = tmp_path / "out" / "victim.txt"
    victim.parent.mkdir()
    victim.write_text("theirs")
    sha256 = sha256_bytes(b"theirs")
    value: dict[str, Any] = {"own": [0o644, sha256, 6], "late": [sha256, 6], "links": "x"}
    state = json.loads((prefix / STATE).read_text())
    path = "../out/victim.txt"
    state[kind] = [path] if kind == "gone" else {**state[kind], path: value[kind]}
    (prefix / STATE).write_text(json.dumps(state))
    for verb in ("uninstall", "verify"):
        refused = admin(prefix, verb)
        assert (refused.returncode, "names a file outside the prefix" in refused.stderr) == (5, True), refused
    done = release.install("--repair", "-p", prefix)
    assert done.exit_code == 0, done.stderr
    assert admin(prefix, "verify").returncode == 0
    assert victim.read_text() == "theirs"


def test_a_folder_of_records_that_is_a_link(release: Release, prefix: Path, tmp_path: Path) -> None:
    (prefix / "conda-meta").rename(tmp_path / "out")
    (prefix / "conda-meta").symlink_to("../out")
    before = tree(tmp_path)
    assert admin(prefix, "uninstall").returncode == 1
    codes = [release.install(verb, "-b", "-p", prefix).exit_code for verb in ("--repair", "-u")]
    assert codes == [1, 1]
    assert tree(tmp_path) == before
    out = tree(tmp_path / "out")
    assert release.install("--uninstall", "-p", prefix).exit_code == 0
    assert tree(tmp_path / "out") == out


def test_dry_run_says_exactly_what_goes(
    prefix: Path, release: Release, newer: Release, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environment = {"HOME": str(home), "SHELL": "/bin/bash"}
    done = newer.install("-b", "-u", "-c", "-p", prefix, environment=environment)
    assert done.ok, done.stderr
    python = prefix / "bin" / "python"
    subprocess.run([python, "-c", "import this"], check=True, capture_output=True, env={})
    (prefix / "etc" / "place.conf").write_text("mine")
    (prefix / "mine").write_text("mine")
    before, environment_before = tree(prefix), tree(home)
    would = json.loads(admin(prefix, "uninstall", "--dry-run", "--json").stdout)
    assert tree(prefix) == before
    assert tree(home) == environment_before
    lines = admin(prefix, "uninstall", "--dry-run").stdout.splitlines()
    assert [line.partition(": ")[2] for line in lines if line.startswith("would go: ")] == would["gone"]
    assert admin(prefix, "uninstall").returncode == 0
    assert sorted(before.keys() - tree(prefix).keys()) == would["gone"]
    assert sorted(tree(prefix)) == would["left"] == ["etc/place.conf", "mine"]
    assert would["outside"] == [str(home / ".bashrc"), str(tmp_path / ".prefix.cuvee-kept")]
    assert tree(home) == {}
    assert not (tmp_path / ".prefix.cuvee-kept").exists()


def test_root_on_a_prefix_of_a_user(newer: Release, prefix: Path, tmp_path: Path) -> None:
    """Its state, history and log name and link to files of root, which stay as they are, and secret."""
    need_root()
    out = tmp_path / "out"
    (out / "applications").mkdir(parents=True)
    for name in (".bashrc", "log.txt", "log.jsonl"):
        (out / name).write_text("# root's\n")
    (out / "history").write_text("secret\n")
    before = tree(out)
    environment = {"HOME": str(out), "SHELL": "/bin/bash"}
    for installer, verb in ((newer, "-u"), (newer, "-f"), (newer, "--repair"), (newer, "--uninstall")):
        poison(prefix, out)
        done = installer.install(verb, "-b", "-p", prefix, environment=environment)
        assert done.exit_code == 0, done.stderr
        assert tree(out) == before, verb
        history = prefix / "conda-meta" / "history"
        assert history.is_symlink() or not history.exists() or "secret" not in history.read_text()
    assert not (prefix / "bin").exists()


def poison(prefix: Path, out: Path) -> None:
    state = json.loads((prefix / STATE).read_text())
    state["outside"] = [str(out / "applications"), [], [str(out / ".bashrc")]]
    (prefix / STATE).write_text(json.dumps(state))
    for path in ("history", "cuvee/log.txt", "cuvee/log.jsonl"):
        (prefix / "conda-meta" / path).unlink(missing_ok=True)
        (prefix / "conda-meta" / path).symlink_to(out / Path(path).name)
    for place in (prefix, *prefix.rglob("*")):
        os.lchown(place, SOMEBODY, SOMEBODY)


def test_installers_remove_and_repair_nothing_of_others_in_shared_folders(
    release: Release, tmp_path: Path
) -> None:
    need_root()
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    prefix = shared / "prefix"
    assert release.install("-b", "-p", prefix).ok
    shutil.chown(prefix, SOMEBODY)
    (prefix / "bin" / "tool").unlink()
    before = tree(prefix)
    for verb in ("--uninstall", "--repair"):
        refused = release.install(verb, "-p", prefix)
        assert (refused.exit_code, "everybody may write" in refused.stderr) == (1, True), refused
        assert tree(prefix) == before


def test_names_of_files_are_escaped(newer: Release, prefix: Path) -> None:
    """A name may hold what a terminal obeys, a line of its own, or bytes that are not text."""
    names = [b"\x1b[2Jgone", b"x\nmissing: y", b"caf\xe9", "\u202etxt.exe".encode(), b"\xc2\x9b2J"]
    for name in names:
        (prefix / os.fsdecode(name)).write_text("mine")
    for text in (admin(prefix, "verify").stdout, admin(prefix, "uninstall", "--dry-run").stdout):
        assert "\\u001b[2Jgone" in text
        assert "x\\u000amissing: y" in text
        assert "caf\\udce9" in text
        assert "\\u202etxt.exe" in text
        assert "\\u009b2J" in text
        assert not {"\x1b", "\x9b", "\u202e"} & {*text}
    shown = json.loads(admin(prefix, "verify", "--json").stdout)["extra"]
    assert shown == sorted(os.fsdecode(name) for name in names)
    assert newer.install("-b", "-u", "-p", prefix).ok
    log = (prefix / "conda-meta" / "cuvee" / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert set(shown) <= {*json.loads(log[-1])["carried"]}
    text = (prefix / "conda-meta" / "cuvee" / "log.txt").read_text(encoding="utf-8")
    assert "    carried: x\\u000amissing: y\n" in text
