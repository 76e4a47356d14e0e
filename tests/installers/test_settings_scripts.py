"""A distribution's scripts: what they are told, what they may do, and that failing undoes everything."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cuvee.image.settings import InstallerSettings
from cuvee.runtime import crash_recovery
from cuvee.runtime.prefix_state import UNPROVED, load
from cuvee.runtime.verify import verify
from measuring_work import wait_until
from tiny_release import Release

pytestmark = pytest.mark.real

TELL = """\
for name in PREFIX PRE_OR_POST INSTALLER_NAME INSTALLER_VER INSTALLER_PLAT INSTALLER_TYPE \\
    INSTALLER_UNATTENDED INSTALLER_PATH SITE LC_ALL; do
    eval "printf '%s=%s\\\\n' $name \\"\\${$name-}\\"" >>"$OUT"
done
"""
CHANGE = """\
#!/bin/sh
set -eu
echo made >"$PREFIX/share/made"
ln -s made "$PREFIX/share/link"
echo changed >>"$PREFIX/share/twin/both"
rm -f "$PREFIX/share/tools/readme"
"$PREFIX/bin/tool" works
"""
FAIL = CHANGE + "echo 'no licence server' >&2\nexit 7\n"
WAIT = """\
trap 'echo stopped >>"$OUT"; exit 1' TERM
echo "$$" >"$OUT"
while :; do read -r line || sleep 0.05; done
"""


def whole(prefix: Path) -> str:
    installed = load(str(prefix))
    found = verify(installed)
    assert found.good, found
    return installed.manifest.version


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def admin(prefix: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [prefix / "bin" / "tiny-admin", *arguments], capture_output=True, text=True, check=False
    )


def test_what_scripts_are_told(dress: Any, tmp_path: Path) -> None:
    out, prefix = tmp_path / "out", tmp_path / "pre fix"
    tiny = dress(
        InstallerSettings(
            pre_install=f'test ! -e "$PREFIX"\n{TELL}',
            post_install=f"#!/bin/bash\n{TELL}",
            pre_uninstall=TELL,
            script_environment={"OUT": str(out), "SITE": "north"},
        )
    )
    done = tiny.install("-b", "-p", prefix, environment={"LC_ALL": "C.UTF-8"})
    assert done.exit_code == 0, done.stderr
    assert json.loads(tiny.install("--info", "--json").stdout)["scripts"] == [
        "pre_install", "post_install", "pre_uninstall",
    ]  # fmt: skip
    assert whole(prefix) == "2026.11.0"
    assert admin(prefix, "uninstall").returncode == 0
    told = out.read_text().splitlines()
    assert told == [
        line
        for name in ("pre_install", "post_install", "pre_uninstall")
        for line in (
            f"PREFIX={prefix}",
            f"PRE_OR_POST={name}",
            "INSTALLER_NAME=Tiny",
            "INSTALLER_VER=2026.11.0",
            f"INSTALLER_PLAT={tiny.lock.platform}",
            "INSTALLER_TYPE=SH",
            f"INSTALLER_UNATTENDED={0 if name == 'pre_uninstall' else 1}",
            f"INSTALLER_PATH={'' if name == 'pre_uninstall' else tiny.installer}",
            "SITE=north",
            f"LC_ALL={os.environ.get('LC_ALL', '') if name == 'pre_uninstall' else 'C.UTF-8'}",
        )
    ]
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize(
    "settings", [InstallerSettings(pre_install="exit 7"), InstallerSettings(post_install=FAIL)]
)
def test_one_that_fails_leaves_nothing(settings: InstallerSettings, dress: Any, tmp_path: Path) -> None:
    tiny, prefix = dress(settings), tmp_path / "new" / "prefix"
    done = tiny.install("-b", "-p", prefix)
    name = next(iter(settings.scripts))
    assert done.exit_code == 1
    assert f"The script {name} of Tiny & Sons failed (exit code 7)." in done.stderr
    assert names(tmp_path) == []
    prefix.mkdir(parents=True)
    assert tiny.install("-b", "-f", "-p", prefix).exit_code == 1
    assert names(prefix.parent) == ["prefix"]
    assert names(prefix) == []
    skipped = tiny.install("-b", "-f", "-s", "-p", prefix)
    assert skipped.exit_code == 0, skipped.stderr
    assert whole(prefix) == "2026.11.0"


@pytest.mark.parametrize(
    "settings", [InstallerSettings(pre_install="exit 7"), InstallerSettings(post_install=FAIL)]
)
def test_one_that_fails_leaves_the_old_release(
    settings: InstallerSettings, dress: Any, release: Release, tmp_path: Path
) -> None:
    """Even what the script changed in place is as it was."""
    prefix = tmp_path / "prefix"
    assert release.install("-b", "-p", prefix).ok
    (prefix / "share" / "twin" / "mine").write_text("mine")
    inode, before = prefix.stat().st_ino, (prefix / "share" / "twin" / "both").read_bytes()
    done = dress(settings, upgrade=True).install("-b", "-u", "-p", prefix)
    assert done.exit_code == 1
    assert prefix.stat().st_ino == inode
    assert load(str(prefix)).manifest.version == "2026.11.0"
    found = verify(load(str(prefix)))
    assert (found.changed, found.missing, found.unknown) == ([], [], ["share/twin/mine"])
    assert (prefix / "share" / "twin" / "both").read_bytes() == before
    assert names(tmp_path) == ["prefix"]
    log = (prefix / "conda-meta" / "cuvee" / "log.jsonl").read_text().splitlines()
    assert json.loads(log[-1])["message"].startswith(f"The script {next(iter(settings.scripts))}")


def test_what_one_did_belongs_to_the_release(dress: Any, release: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    old, new = (dress(InstallerSettings(post_install=CHANGE), upgrade=upgrade) for upgrade in (False, True))
    assert old.install("-b", "-p", prefix).ok
    assert whole(prefix) == "2026.11.0"
    assert (prefix / "share" / "twin" / "both").read_text() == "bchanged\n"
    assert not (prefix / UNPROVED).exists()
    done = new.install("-b", "-u", "-p", prefix)
    assert done.exit_code == 0, done.stderr
    assert "had been changed" not in done.stdout
    assert whole(prefix) == "2026.11.1"
    assert (prefix / "share" / "twin" / "both").read_text() == "achanged\n"
    assert admin(prefix, "rollback").returncode == 0
    assert whole(prefix) == "2026.11.0"
    assert (prefix / "share" / "twin" / "both").read_text() == "bchanged\n"
    (prefix / "share" / "made").write_text("mine now")
    done = release.install("-b", "-f", "-p", prefix)
    assert (done.exit_code, whole(prefix)) == (0, "2026.11.0"), done.stderr
    assert (prefix / "cuvee-saved" / "2026.11.0" / "share" / "made").read_text() == "mine now"
    assert not (prefix / "share" / "link").exists()
    assert (prefix / "share" / "tools" / "readme").exists()


def test_a_link_in_a_file_s_place_goes_with_its_script(dress: Any, newer: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    script = '#!/bin/sh\nset -eu\nln -sf tools "$PREFIX/lib/noise"\n'
    assert dress(InstallerSettings(post_install=script)).install("-b", "-p", prefix).ok
    assert (prefix / "lib" / "noise").is_symlink()
    done = newer.install("-b", "-u", "-p", prefix)
    assert done.exit_code == 0, done.stderr
    assert whole(prefix) == "2026.11.1"
    assert not (prefix / "lib" / "noise").is_symlink()


def test_what_one_made_goes(dress: Any, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    assert dress(InstallerSettings(post_install=CHANGE)).install("-b", "-p", prefix).ok
    assert admin(prefix, "uninstall").returncode == 0
    assert names(tmp_path) == []


def test_a_removal_can_be_refused(dress: Any, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    assert dress(InstallerSettings(pre_uninstall="exit 3")).install("-b", "-p", prefix).ok
    refused = admin(prefix, "uninstall")
    assert refused.returncode == 1
    assert "The script pre_uninstall of Tiny & Sons failed (exit code 3)." in refused.stderr
    assert whole(prefix) == "2026.11.0"
    assert admin(prefix, "uninstall", "--no-scripts").returncode == 0
    assert names(tmp_path) == []


def start(tiny: Release, prefix: Path, out: Path) -> subprocess.Popen[bytes]:
    """Start an installation; give it when its post_install runs."""
    out.unlink(missing_ok=True)
    running = subprocess.Popen(
        ["/bin/sh", tiny.installer, "-b", "-u", "-p", prefix],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        env={**os.environ, "OUT": str(out)},
    )  # fmt: skip
    wait_until(lambda: out.exists() and bool(out.read_text().strip()), running)
    return running


@pytest.mark.parametrize("by", ["shell", "python", "admin"])
def test_killed_while_one_runs(by: str, dress: Any, release: Release, tmp_path: Path) -> None:
    out, folder = tmp_path / "out", tmp_path / "in"
    prefix = folder / "prefix"
    folder.mkdir()
    waiting = InstallerSettings(post_install=WAIT)
    for old in (False, True):
        if old:
            assert release.install("-b", "-p", prefix).ok
        running = start(dress(waiting, upgrade=old), prefix, out)
        assert prefix.exists()
        busy = release.install("-b", "-u", "-p", prefix)
        assert "Another installer is at work" in busy.stderr
        unproved = admin(prefix, "verify")
        assert (unproved.returncode, "not proved" in unproved.stdout) == (1, True)
        os.killpg(running.pid, signal.SIGKILL)
        running.communicate()
        if by == "python":
            crash_recovery.recover(str(prefix))
        elif by == "admin":
            told = admin(prefix, "rollback")
            assert (told.returncode, "release" in told.stderr) == (1, True)
        else:
            done = release.install("-b", "-p", prefix)
            assert done.exit_code == (1 if old else 0), done.stderr
        (folder / ".prefix.cuvee-lock").unlink(missing_ok=True)  # its next holder would
        assert names(folder) == (["prefix"] if old or by == "shell" else [])
        if prefix.exists():
            assert whole(prefix) == "2026.11.0"
            assert admin(prefix, "uninstall").returncode == 0
    assert names(folder) == []


def test_asked_to_stop_while_one_runs(dress: Any, release: Release, tmp_path: Path) -> None:
    out, prefix = tmp_path / "out", tmp_path / "prefix"
    waiting = InstallerSettings(post_install=WAIT)
    assert release.install("-b", "-p", prefix).ok
    running = start(dress(waiting, upgrade=True), prefix, out)
    os.kill(running.pid, signal.SIGTERM)
    _, errors = running.communicate()
    assert running.returncode == 130
    assert b"Interrupted; nothing was installed." in errors
    assert out.read_text().endswith("stopped\n")
    assert whole(prefix) == "2026.11.0"
    assert names(tmp_path) == ["out", "prefix"]


def test_a_log_of_one_s_own(dress: Any, release: Release, tmp_path: Path) -> None:
    """It tells what was done, and why something failed, before the runtime started too."""
    prefix, log = tmp_path / "prefix", tmp_path / "my log"
    assert (
        dress(InstallerSettings(post_install=FAIL)).install("-b", "--log", log, "-p", prefix).exit_code == 1
    )
    assert release.install("-b", f"--log={log.name}", "-p", prefix, cwd=tmp_path).ok
    assert release.install("-b", "--log", log, "-p", prefix).exit_code == 1
    assert release.install("-b", "--log", log, "-p", 'a"b\\').exit_code == 2
    assert release.install("--uninstall", "--log", log, "-p", prefix).ok
    twin = [json.loads(line) for line in (tmp_path / "my log.jsonl").read_text().splitlines()]
    assert [(entry["verb"], entry["exit"]) for entry in twin] == [
        ("install", 1), ("install", 0), ("install", 1), ("install", 2), ("uninstall", 0),
    ]  # fmt: skip
    assert twin[0]["message"] == "The script post_install of Tiny & Sons failed (exit code 7)."
    assert twin[2]["message"].startswith(f"{prefix} exists already.")
    assert log.read_text().count("exit code") == 6
