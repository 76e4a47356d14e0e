"""The installer that stays in the prefix: `repair` needs no other one."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cuvee.image.settings import InstallerSettings
from cuvee.runtime import kept_installer
from cuvee.runtime.failure import DAMAGED, USAGE, InstallError
from cuvee.runtime.installer_run import InstallerRun
from cuvee.runtime.prefix_state import INSTALLER, STATE, load
from cuvee.runtime.verify import verify
from measuring_work import wait_until
from needed_programs import need
from tiny_release import Release

DATA = "etc/place.conf"


def admin(prefix: Path, *arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [prefix / "bin" / "tiny-admin", *arguments], capture_output=True, text=True, check=False, cwd=cwd
    )


def spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def assert_good(prefix: Path) -> None:
    found = verify(load(str(prefix)))
    assert found.good, found


@pytest.mark.real
@pytest.mark.parametrize("shell", [("dash",), ("busybox", "sh")], ids=lambda shell: shell[0])
def test_repair_without_the_original(shell: tuple[str, ...], release: Release, tmp_path: Path) -> None:
    need(shell[0])
    prefix, original = tmp_path / "with space" / "prefix", tmp_path / "Tiny.sh"
    shutil.copy(release.installer, original)
    done = release.install("-b", "-k", "-p", prefix, shell=shell, installer=original)
    assert (done.exit_code, done.stderr) == (0, "")
    kept = prefix / INSTALLER
    assert not kept.samefile(original), "the user may change the original"
    assert kept.read_bytes() == original.read_bytes()
    original.unlink()
    assert json.loads(admin(prefix, "info", "--json").stdout)["installer"] == str(kept)
    assert_good(prefix)
    # Without these the prefix's own Python unpacks nothing any more.
    lost = [*prefix.glob("lib/python3*/tarfile.py"), *prefix.glob("lib/python3*/__pycache__/tarfile.*")]
    for path in (prefix / DATA, *lost):
        path.unlink()
    spoil(prefix / "bin" / "tool")
    done = release.install("--repair", "-p", prefix, shell=shell, installer=kept)
    assert done.exit_code == 0, done.stderr
    for path in (prefix / DATA, *lost):
        path.unlink()
    repaired = admin(prefix, "repair", "--json")
    assert repaired.returncode == 0, repaired.stderr
    assert len(json.loads(repaired.stdout)["restored"]) == 1 + len(lost)
    assert_good(prefix)
    assert admin(prefix, "uninstall").returncode == 0
    shutil.rmtree(prefix / "cuvee-saved")
    prefix.rmdir()
    assert list(prefix.parent.iterdir()) == []


@pytest.mark.real
def test_kept_installer_that_is_damaged(release: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    assert release.install("-b", "-k", "-p", prefix).ok
    spoil(prefix / INSTALLER)
    (prefix / DATA).unlink()
    refused = admin(prefix, "repair")
    assert refused.returncode == DAMAGED
    assert "the installer that is kept, is damaged" in refused.stderr
    assert "--from INSTALLER" in refused.stderr
    assert not (prefix / DATA).exists()
    told = json.loads(admin(prefix, "verify", "--json").stdout)
    assert (told["changed"], told["missing"]) == ([INSTALLER], [DATA])
    assert release.install("--repair", "-p", prefix, installer=prefix / INSTALLER).exit_code == DAMAGED
    shutil.copy(release.installer, tmp_path / "Tiny.sh")
    done = admin(prefix, "repair", "--from", "Tiny.sh", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert_good(prefix)
    (prefix / DATA).unlink()
    assert admin(prefix, "repair").returncode == 0
    spoil(prefix / INSTALLER)
    assert admin(prefix, "uninstall").returncode == 0
    assert not (prefix / INSTALLER).exists(), "it is no file of the user's"


@pytest.mark.real
def test_none_is_kept_until_it_is_asked_for(release: Release, newer: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    assert release.install("-b", "-p", prefix).ok
    refused = admin(prefix, "repair")
    assert refused.returncode == USAGE
    assert "none is kept here" in refused.stderr
    assert "-u -k" in refused.stderr
    other = admin(prefix, "repair", "--from", newer.installer)
    assert other.returncode == 1
    assert "is not what this installer of Tiny & Sons 2026.11.1 carries" in other.stderr
    for wrong in (("--from",), ("--from", "a", "b"), ("a",), ("--form", "a"), ("--from", "absent")):
        assert admin(prefix, "repair", *wrong).returncode == USAGE
    assert sorted(path.name for path in tmp_path.iterdir()) == ["prefix"]
    done = release.install("-b", "-u", "-k", "-p", prefix)
    assert done.exit_code == 0
    assert "is installed already" in done.stdout
    assert_good(prefix)
    (prefix / DATA).unlink()
    assert admin(prefix, "repair").returncode == 0
    assert_good(prefix)


@pytest.mark.real
def test_upgrade_and_rollback_each_have_their_own(release: Release, newer: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    assert release.install("-b", "-k", "-p", prefix).ok
    assert newer.install("-b", "-u", "-p", prefix).ok, "it was kept before, so it is kept again"
    for current in (newer, release, newer):
        assert (prefix / INSTALLER).read_bytes() == current.installer.read_bytes()
        assert_good(prefix)
        (prefix / DATA).unlink()
        assert admin(prefix, "repair").returncode == 0
        assert_good(prefix)
        assert admin(prefix, "rollback").returncode == 0
    assert admin(prefix, "uninstall").returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real
def test_prefix_that_has_lost_its_lists(release: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    assert release.install("-b", "-k", "-p", prefix).ok
    (prefix / STATE).unlink()
    (prefix / DATA).unlink()
    done = admin(prefix, "repair")
    assert done.returncode == 0, done.stderr
    assert_good(prefix)
    assert INSTALLER in load(str(prefix)).state.own


@pytest.mark.real
def test_a_setting_is_the_default_and_space_is_counted(dress: Callable[..., Release], tmp_path: Path) -> None:
    keeps = dress(InstallerSettings(keep_installer=True))
    prefix, programs = tmp_path / "prefix", tmp_path / "bin"
    programs.mkdir()
    needed = next(
        int(line.partition("=")[2])
        for line in keeps.installer.read_text(errors="replace").splitlines()
        if line.startswith("NEEDED_KB=")
    )
    (programs / "df").write_text(f"#!/bin/sh\necho head\necho / 0 0 {needed + 9} 0% /\n")
    (programs / "df").chmod(0o755)
    path = {"PATH": f"{programs}:{os.environ['PATH']}"}
    refused = keeps.install("-b", "-p", prefix, environment=path)
    assert refused.exit_code == 1
    assert "MB are free" in refused.stderr
    assert dress(InstallerSettings()).install("-b", "-p", prefix, environment=path).ok
    assert keeps.install("-b", "-f", "-p", prefix).ok
    assert (prefix / INSTALLER).read_bytes() == keeps.installer.read_bytes()


@pytest.mark.real
def test_killed_while_it_is_kept(release: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    running = subprocess.Popen(
        ["/bin/sh", release.installer, "-b", "-k", "-p", prefix], start_new_session=True
    )
    wait_until(lambda: any(tmp_path.glob(f".prefix.cuvee-*.partial/{INSTALLER}")), running)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    again = release.install("-b", "-u", "-k", "-p", prefix)
    assert again.exit_code == 0, again.stderr
    assert_good(prefix)
    assert (prefix / INSTALLER).read_bytes() == release.installer.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["prefix"]


def test_a_copy_is_held_to_the_hash(tmp_path: Path) -> None:
    """What changes between the shell's check and the copy is not kept."""
    body = b"#!/bin/sh\n", b"rest\n" * (1 << 18)
    stated = hashlib.sha256(b"".join(body)).hexdigest()
    installer = tmp_path / "Tiny.sh"
    whole = f"DIGEST={stated}\n".encode().join(body)
    installer.write_bytes(whole)
    wanted = frozenset(("--keep-installer",))
    job = InstallerRun("install", str(installer), str(tmp_path), "/absent", "/", stated, 0, 0, 0, "", wanted)
    kept_installer.keep(job, None)  # type: ignore[arg-type] # the option is asked first
    copy = tmp_path / INSTALLER
    assert copy.read_bytes() == whole
    copy.unlink()
    with pytest.raises(InstallError):
        kept_installer.keep(job._replace(verified="0" * 64), None)  # type: ignore[arg-type]
    copy.unlink()
    spoil(installer)
    with pytest.raises(InstallError) as caught:
        kept_installer.keep(job, None)  # type: ignore[arg-type]
    assert caught.value.code == DAMAGED
