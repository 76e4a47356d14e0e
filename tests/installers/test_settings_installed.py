"""Menu entries, shells' start-up files, `.condarc` and extra files, from installing to uninstalling."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cuvee import process
from cuvee.channel.package_writer import PackageContent, PackageFile
from cuvee.errors import BlockedError, IntegrityError, UsageError
from cuvee.files import sha256_bytes
from cuvee.image.settings import ExtraFile, Initialize, InstallerSettings
from cuvee.installers.sh import build_sh
from cuvee.integration.runners.native import NativeRunner
from cuvee.integration.runners.protocol import Sandbox
from cuvee.progress import SILENT
from cuvee.runtime.prefix_state import load
from cuvee.runtime.verify import verify
from needed_programs import HANGING, need, need_root
from tiny_release import TIME, Release

pytestmark = pytest.mark.real

SHELLS = [("dash",), ("bash",), ("busybox", "sh"), ("zsh", "--emulate", "sh")]


def menu(version: str, *names: str) -> PackageContent:
    items = ",".join(
        f'{{"name": "{name}", "description": "", "command": ["{{{{ BIN_DIR }}}}/tool", "{version}"],'
        ' "platforms": {"linux": {}}}'
        for name in names
    )
    text = f'{{"$id": "x", "menu_name": "Tiny", "menu_items": [{items}]}}'
    return PackageContent(
        name="menu", version=version, build="0", subdir="noarch", noarch="generic", timestamp=TIME,
        files=(PackageFile(path="Menu/menu.json", content=text.encode()),),
    )  # fmt: skip


def entries(home: Path) -> dict[str, str]:
    """The last part of each menu entry's name, and the version that it starts."""
    folder = home / ".local" / "share" / "applications"
    found = sorted(folder.iterdir()) if folder.exists() else []
    return {path.name.split("-", 2)[2]: path.read_text().split("/tool' '")[1][:3] for path in found}


def whole(prefix: Path) -> str:
    installed = load(str(prefix))
    found = verify(installed)
    assert found.good, found
    return installed.manifest.version


def admin(prefix: Path, *arguments: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({"HOME": str(home)} if home is not None else {})
    return subprocess.run(
        [prefix / "bin" / "tiny-admin", *arguments],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip


def test_menu_entries_come_change_and_go(dress: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    prefix, home = tmp_path / "prefix", tmp_path / "home"
    user = {"HOME": str(home), "XDG_DATA_HOME": str(home / ".local" / "share")}
    old = dress(InstallerSettings(), menu("1.0", "One", "Two"))
    new = dress(InstallerSettings(), menu("2.0", "Two", "Three"), upgrade=True)
    assert old.install("-b", "-m", "-p", prefix, environment=user).ok
    assert entries(home) == {}
    done = old.install("-b", "-u", "-p", prefix, environment=user)
    assert "is installed already" in done.stdout
    assert entries(home) == {"one.desktop": "1.0", "two.desktop": "1.0"}
    theirs = home / ".local" / "share" / "applications" / "tiny-00000000-four.desktop"
    theirs.write_text("X-Cuvee-Prefix=/else\nExec='/bin/tool' '4.0'")
    assert new.install("-b", "-u", "-p", prefix, environment=user).ok
    assert entries(home) == {"four.desktop": "4.0", "three.desktop": "2.0", "two.desktop": "2.0"}
    assert admin(prefix, "rollback", home=home).returncode == 0
    assert entries(home) == {"four.desktop": "4.0", "one.desktop": "1.0", "two.desktop": "1.0"}
    assert whole(prefix) == "2026.11.0"
    assert admin(prefix, "uninstall", home=tmp_path).returncode == 0
    assert entries(home) == {"four.desktop": "4.0"}


def test_the_test_stage_leaves_no_menu_entries_on_the_host(dress: Any, tmp_path: Path) -> None:
    need_root("which makes entries for all users")
    host = Path("/usr/local/share/applications")
    tiny = dress(InstallerSettings(), menu("1.0", "One"))
    prefix, home, temp = (tmp_path / name for name in ("prefix", "home", "tmp"))
    for folder in (home, temp):
        folder.mkdir()
    sandbox = Sandbox(platform=tiny.lock.platform, prefix=prefix, home=home, temp=temp)
    before = set(host.iterdir()) if host.exists() else set()
    assert process.run(NativeRunner().install(sandbox, tiny.installer, timeout=HANGING)).ok
    assert (set(host.iterdir()) if host.exists() else set()) == before
    assert entries(home) == {"one.desktop": "1.0"}


def test_root_leaves_a_home_to_its_user(dress: Any, tmp_path: Path) -> None:
    need_root()
    prefix, home, outside = tmp_path / "prefix", tmp_path / "home", tmp_path / "outside"
    home.mkdir()
    outside.mkdir()
    (home / ".bashrc").write_text("alias ll=ls\n")
    (outside / "zshrc").write_text("")
    (home / ".zshrc").symlink_to(outside / "zshrc")
    for path in (home, home / ".bashrc", home / ".zshrc", outside / "zshrc"):
        os.chown(path, 65534, 12345, follow_symlinks=False)
    (home / ".bashrc").chmod(0o600)
    user = {"HOME": str(home), "SHELL": "/usr/bin/fish", "XDG_DATA_HOME": str(home / ".local" / "share")}
    done = dress(InstallerSettings(), menu("1.0", "One")).install("-b", "-c", "-p", prefix, environment=user)
    assert done.exit_code == 0
    assert done.stderr == (
        f"Warning: {home}/.zshrc was left as it was: it leads out of {home}, to {outside}/zshrc\n"
    )
    made = [home / ".config", home / ".config" / "fish" / "config.fish", *(home / ".local").rglob("*")]
    assert len(made) == 5
    assert {path.lstat().st_uid for path in home.rglob("*")} == {65534}
    assert {path.stat().st_gid for path in made} == {12345}
    assert (home / ".bashrc").stat().st_mode & 0o777 == 0o600
    assert admin(prefix, "uninstall").returncode == 0
    assert (home / ".bashrc").read_text() == "alias ll=ls\n"
    assert {path.lstat().st_uid for path in home.rglob("*")} == {65534}
    assert (outside / "zshrc").read_text() == ""


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_all_flags_under_every_shell(shell: tuple[str, ...], dress: Any, tmp_path: Path) -> None:
    need(shell[0])
    prefix, home = tmp_path / "a prefix", tmp_path / "home"
    home.mkdir()
    (home / ".bashrc").write_bytes(b"echo \xe9\nalias ll=ls")
    (home / ".zshrc").write_text("")
    user = {"HOME": str(home), "SHELL": "/usr/bin/fish", "XDG_DATA_HOME": str(home)}
    tiny = dress(InstallerSettings(post_install="exit 9"), menu("1.0", "One", "Two"))
    for _ in range(2):
        done = tiny.install("-bcmstk", "-f", "-p", prefix, shell=shell, environment=user)
        assert (done.exit_code, done.stderr) == (0, "")
    assert whole(prefix) == "2026.11.0"
    assert not (home / "applications").exists()
    texts = {name: (home / name).read_bytes() for name in (".bashrc", ".zshrc", ".config/fish/config.fish")}
    assert all(text.count(b">>> cuvee:") == 1 for text in texts.values())
    for program in ("bash", "zsh"):
        if shutil.which(program):
            argv = (program, "-ic", "command -v tool")
            environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "dumb"}
            found = subprocess.run(argv, capture_output=True, check=False, env=environment)
            assert found.stdout.decode(errors="replace").splitlines()[-1] == f"{prefix}/bin/tool"
    assert admin(prefix, "uninstall").returncode == 0
    assert (home / ".bashrc").read_bytes() == b"echo \xe9\nalias ll=ls\n"
    assert not (home / ".zshrc").exists() or not (home / ".zshrc").read_bytes()
    assert not (home / ".config" / "fish" / "config.fish").exists()


def test_start_up_files_after_upgrade_and_link(dress: Any, release: Release, tmp_path: Path) -> None:
    """Who is on the search path stays there; a start-up file that is a link stays one."""
    prefix, home = tmp_path / "prefix", tmp_path / "home"
    home.mkdir()
    (home / "dotfiles").write_text("# mine\n")
    (home / ".bashrc").symlink_to("dotfiles")
    user = {"HOME": str(home)}
    assert release.install("-b", "-c", "-p", prefix, environment=user).ok
    assert dress(InstallerSettings(), upgrade=True).install("-b", "-u", "-p", prefix, environment=user).ok
    assert (home / ".bashrc").is_symlink()
    assert (home / "dotfiles").read_text().count(">>> cuvee") == 1
    assert admin(prefix, "rollback").returncode == 0
    assert (home / "dotfiles").read_text().count(">>> cuvee") == 1
    assert admin(prefix, "uninstall").returncode == 0
    assert (home / "dotfiles").read_text() == "# mine\n"


def test_home_that_can_not_be_written(dress: Any, tmp_path: Path) -> None:
    need_root("to mount a tmpfs")
    home = tmp_path / "home"
    home.mkdir()
    argv = ("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(home))
    if not process.run(process.Request(argv=argv)).ok:
        pytest.skip("needs to mount a tmpfs")
    try:
        user = {"HOME": str(home), "XDG_DATA_HOME": str(home / "share")}
        tiny = dress(InstallerSettings(), menu("1.0", "One", "Two"))
        done = tiny.install("-b", "-c", "-p", tmp_path / "prefix", environment=user)
        assert done.exit_code == 0
        assert [line.rpartition(": ")[2] for line in done.stderr.splitlines()] == [
            "Read-only file system"
        ] * 3
        assert whole(tmp_path / "prefix") == "2026.11.0"
        assert admin(tmp_path / "prefix", "uninstall").returncode == 0
        assert [path.name for path in tmp_path.iterdir()] == ["home"]
    finally:
        process.run(process.Request(argv=("umount", "-l", str(home))))


@pytest.mark.parametrize(
    ("initialize", "answer", "there"),
    [(Initialize.ASK, "", False), (Initialize.ASK, "yes\n", True), (Initialize.YES, "", True)],
)
def test_the_question(initialize: Initialize, answer: str, there: bool, dress: Any, tmp_path: Path) -> None:
    settings = InstallerSettings(
        initialize=initialize, default_prefix="$HOME/a/here", default_prefix_all_users=""
    )
    done = dress(settings).install(stdin=f"\nyes\n\n{answer}", environment={"HOME": str(tmp_path)})
    assert done.exit_code == 0, done.stderr
    assert whole(tmp_path / "a" / "here") == "2026.11.0"
    assert (tmp_path / ".bashrc").exists() == there


def test_it_is_not_offered(dress: Any, tmp_path: Path) -> None:
    settings = InstallerSettings(initialize=Initialize.NO, default_prefix_all_users=str(tmp_path / "all"))
    tiny = dress(settings)
    assert "\n-c  " not in tiny.install("-h").stdout
    refused = tiny.install("-b", "-c", "-p", tmp_path / "prefix")
    assert (refused.exit_code, "There is no -c" in refused.stderr) == (2, True)
    if os.geteuid() == 0:
        assert tiny.install("-b").ok
        assert whole(tmp_path / "all") == "2026.11.0"


def test_condarc_and_extra_files(dress: Any, release: Release, tmp_path: Path) -> None:
    source, prefix = tmp_path / "source", tmp_path / "prefix"
    source.write_bytes(b"#!/bin/sh\n")
    script = ExtraFile(
        source=source, target="deep/er/run", sha256=sha256_bytes(b"#!/bin/sh\n"), executable=True
    )
    settings = InstallerSettings(condarc="channels: [conda-forge]\n", extra_files=(script,))
    assert dress(settings).install("-b", "-p", prefix).ok
    assert whole(prefix) == "2026.11.0"
    assert (prefix / ".condarc").read_text() == "channels: [conda-forge]\n"
    assert os.access(prefix / "deep" / "er" / "run", os.X_OK)
    listed = (prefix / "conda-meta" / "initial-state.explicit.txt").read_text().splitlines()
    assert listed[2] == "@EXPLICIT"
    assert len(listed) == 3 + len(release.lock.packages)
    assert all(len(line.rpartition("#")[2]) == 32 for line in listed[3:])
    (prefix / ".condarc").write_text("channels: [mine]\n")
    (prefix / "deep" / "er" / "run").unlink()
    found = verify(load(str(prefix)))
    assert (found.changed, found.missing) == ([".condarc"], ["deep/er/run"])
    done = dress(settings, upgrade=True).install("-b", "-u", "-p", prefix)
    assert done.exit_code == 0, done.stderr
    assert whole(prefix) == "2026.11.1"
    saved = prefix / "cuvee-saved" / "2026.11.0" / ".condarc"
    assert saved.read_text() == "channels: [mine]\n"
    assert (prefix / "deep" / "er" / "run").exists()
    shutil.rmtree(prefix / "cuvee-saved")
    assert admin(prefix, "uninstall").returncode == 0
    assert not prefix.exists()


def test_extra_files_that_can_not_be(dress: Any, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"x")
    for target in ("share/twin/both", "share/twin", "share/twin/both/x", ".condarc"):
        file = ExtraFile(source=source, target=target, sha256=sha256_bytes(b"x"))
        with pytest.raises(BlockedError, match=target):
            dress(InstallerSettings(extra_files=(file,), condarc="a: b\n"))
    file = ExtraFile(source=source, target="y", sha256=sha256_bytes(b"z"))
    with pytest.raises(IntegrityError, match="has changed"):
        dress(InstallerSettings(extra_files=(file,)))


@pytest.mark.parametrize("place", ["relative", "~x/y", "/opt/$USER", "/opt/it's"])
def test_default_places_that_can_not_be(place: str, release: Release, tmp_path: Path) -> None:
    image = replace(release.image, settings=InstallerSettings(default_prefix=place))
    with pytest.raises(UsageError, match="cannot be the default prefix"):
        build_sh(image, license_text="", target=tmp_path / "Tiny.sh", reporter=SILENT)


def test_a_long_odd_path(release: Release, tmp_path: Path) -> None:
    """A space, an accent, and 200 characters in one."""
    start = f"{tmp_path}/é ü "
    prefix = Path(start + "x" * (200 - len(start)))
    done = release.install("-b", "-t", "-p", prefix)
    assert done.exit_code == 0, done.stderr
    assert whole(prefix) == "2026.11.0"
    ran = subprocess.run([prefix / "bin" / "tool", "a"], capture_output=True, text=True, check=True)
    assert ran.stdout == f"{prefix} a\n"
    assert admin(prefix, "uninstall").returncode == 0
    assert list(tmp_path.iterdir()) == []
