"""A prefix that was moved or copied since its release was installed, and what names its old place."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cuvee.channel.package_writer import PackageContent, PackageFile
from cuvee.image.settings import InstallerSettings
from cuvee.runtime.failure import FAILED
from cuvee.runtime.prefix_state import load
from tiny_release import TIME, Release

pytestmark = pytest.mark.real

ITEM = '{"name": "One", "description": "", "command": ["x"], "platforms": {"linux": {}}}'
MENU = PackageContent(
    name="menu", version="1.0", build="0", subdir="noarch", noarch="generic", timestamp=TIME,
    files=(
        PackageFile(
            path="Menu/menu.json",
            content=f'{{"$id": "x", "menu_name": "Tiny", "menu_items": [{ITEM}]}}'.encode(),
        ),
    ),
)  # fmt: skip


class User:
    """A user with a home, and the folders that a release is installed in, moved to or copied to."""

    def __init__(self, folder: Path) -> None:
        self.old, self.new = folder / "old" / "env", folder / "new" / "env"
        self.home = folder / "home"
        for path in (self.old.parent, self.new.parent, self.home):
            path.mkdir()
        (self.home / ".bashrc").write_text("mine\n")
        self.environment = {"HOME": str(self.home), "XDG_DATA_HOME": str(self.home / "share")}

    def named(self) -> list[str]:
        """Return each prefix that start-up files and menu entries name."""
        found = []
        for path in sorted(path for path in self.home.rglob("*") if path.is_file()):
            found += re.findall(
                r"^(?:# >>> cuvee: |X-Cuvee-Prefix=)(.*?)(?: >>>)?$", path.read_text(), re.MULTILINE
            )
        return found

    def move(self) -> None:
        self.old.rename(self.new)

    def copy(self) -> None:
        shutil.copytree(self.old, self.new, symlinks=True)


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path)


@pytest.fixture
def tiny(dress: Callable[..., Release]) -> Release:
    return dress(InstallerSettings(), MENU)


@pytest.fixture
def newer_tiny(dress: Callable[..., Release]) -> Release:
    return dress(InstallerSettings(), MENU, upgrade=True)


@pytest.fixture
def installed(tiny: Release, user: User) -> User:
    assert tiny.install("-b", "-c", "-p", user.old, environment=user.environment).ok
    assert user.named() == [str(user.old)] * 2
    return user


def admin(prefix: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [prefix / "bin" / "tiny-admin", *arguments], capture_output=True, text=True, check=False, cwd="/"
    )


def old_names(prefix: Path, old: Path) -> list[str]:
    """Return the files that name the old place, but for the logs, and the state, which remembers it."""
    found = [path for path in prefix.rglob("*") if path.is_file() and str(old).encode() in path.read_bytes()]
    return [path.name for path in found if path.name not in {"log.txt", "log.jsonl", "state.json"}]


def check_whole(user: User) -> None:
    assert load(str(user.new)).state.prefix == str(user.new)
    assert old_names(user.new, user.old) == []
    tool = subprocess.run([user.new / "bin" / "tool"], capture_output=True, text=True, check=True)
    assert tool.stdout.strip() == str(user.new)
    found = json.loads(admin(user.new, "verify", "--json").stdout)
    assert found["moved_from"] is None
    assert (found["changed"], found["missing"], found["modes"]) == ([], [], [])


@pytest.mark.parametrize("how", [User.move, User.copy])
def test_verify_notices(installed: User, how: Callable[[User], None]) -> None:
    how(installed)
    found = admin(installed.new, "verify")
    assert found.returncode == FAILED
    assert found.stdout.startswith(f"moved: {installed.new} was moved or copied: its programs name ")
    assert f"{installed.old}, where it was installed" in found.stdout
    assert f"-u -p {installed.new}" in found.stdout
    assert "differs from what was released" in found.stdout
    value = json.loads(admin(installed.new, "verify", "--json").stdout)
    assert (value["good"], value["moved_from"], value["prefix"]) == (
        False,
        str(installed.old),
        str(installed.new),
    )
    assert value["changed"] == value["missing"] == []


@pytest.mark.parametrize("upgrade", [False, True])
def test_an_upgrade_installs_a_moved_one_again(
    installed: User, tiny: Release, newer_tiny: Release, *, upgrade: bool
) -> None:
    assert tiny.install("-b", "-u", "-f", "-p", installed.old, environment=installed.environment).ok
    kept = installed.old.parent / ".env.cuvee-kept"
    assert kept.is_dir()
    installed.move()
    (installed.new / "mine.txt").write_text("mine")
    release = newer_tiny if upgrade else tiny
    plan = release.install("--dry-run", "--json", "-p", installed.new)
    assert (json.loads(plan.stdout)["action"], json.loads(plan.stdout)["moved_from"]) == (
        "upgrade",
        str(installed.old),
    )
    done = release.install("-b", "-u", "-p", installed.new, environment=installed.environment)
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"It was moved or copied from {installed.old}, so the older release is not kept" in done.stdout
    check_whole(installed)
    assert (installed.new / "mine.txt").read_text() == "mine"
    assert installed.named() == [str(installed.new)] * 2
    assert list(installed.old.parent.iterdir()) == []
    assert [path.name for path in installed.new.parent.iterdir()] == ["env"]
    again = release.install("-b", "-u", "-p", installed.new, environment=installed.environment)
    assert "is installed already" in again.stdout
    (installed.new / "mine.txt").unlink()
    assert admin(installed.new, "uninstall").returncode == 0
    assert (installed.named(), list(installed.new.parent.iterdir())) == ([], [])
    assert (installed.home / ".bashrc").read_text() == "mine\n"


def test_an_upgrade_of_a_copy_leaves_what_is_the_originals(installed: User, newer_tiny: Release) -> None:
    installed.copy()
    done = newer_tiny.install("-b", "-u", "-p", installed.new, environment=installed.environment)
    assert (done.exit_code, done.stderr) == (0, "")
    check_whole(installed)
    assert sorted(installed.named()) == [str(installed.new), str(installed.old), str(installed.old)]
    assert admin(installed.old, "verify").returncode == 0
    assert admin(installed.new, "uninstall").returncode == 0
    assert installed.named() == [str(installed.old)] * 2
    assert admin(installed.old, "verify").returncode == 0


@pytest.mark.parametrize("how", [User.move, User.copy])
def test_repair_and_rollback_refuse(
    installed: User, tiny: Release, newer_tiny: Release, how: Callable[[User], None]
) -> None:
    assert newer_tiny.install("-b", "-u", "-p", installed.old, environment=installed.environment).ok
    how(installed)
    kept = ".env.cuvee-kept"
    (installed.old.parent / kept).rename(installed.new.parent / kept)
    (installed.new / "bin" / "place").unlink()
    repaired = newer_tiny.install("--repair", "-p", installed.new)
    given = admin(installed.new, "repair", "--from", str(newer_tiny.installer))
    back = admin(installed.new, "rollback")
    codes = [repaired.exit_code, given.returncode, back.returncode]
    for code, stderr in zip(codes, [repaired.stderr, given.stderr, back.stderr], strict=True):
        assert (code, f"-u -p {installed.new}" in stderr) == (FAILED, True), stderr
        assert stderr.endswith("Nothing was changed.\n")
    assert not (installed.new / "bin" / "place").exists()
    assert sorted(path.name for path in installed.new.parent.iterdir()) == [kept, "env"]


def test_a_kept_release_that_was_installed_elsewhere_does_not_go_back(
    installed: User, newer_tiny: Release
) -> None:
    assert newer_tiny.install("-b", "-u", "-p", installed.old, environment=installed.environment).ok
    aside = installed.new.parent / ".env.cuvee-kept"
    shutil.copytree(installed.old.parent / ".env.cuvee-kept", aside, symlinks=True)
    installed.move()
    assert newer_tiny.install("-b", "-u", "-p", installed.new, environment=installed.environment).ok
    assert not aside.exists()
    shutil.copytree(installed.new, aside, symlinks=True)
    state = aside / "conda-meta" / "cuvee" / "state.json"
    state.write_text(state.read_text().replace(str(installed.new), str(installed.old)))
    back = admin(installed.new, "rollback")
    assert (back.returncode, "so it would not run in" in back.stderr) == (FAILED, True), back
    assert admin(installed.new, "clean").returncode == 0
    assert not aside.exists()


def test_uninstalling_a_moved_one_removes_what_names_its_old_place(installed: User, tiny: Release) -> None:
    assert tiny.install("-b", "-u", "-f", "-p", installed.old, environment=installed.environment).ok
    kept = installed.old.parent / ".env.cuvee-kept"
    installed.move()
    (entry,) = installed.home.rglob("*.desktop")
    plan = json.loads(admin(installed.new, "uninstall", "--dry-run", "--json").stdout)
    assert plan["outside"] == [*sorted([str(installed.home / ".bashrc"), str(entry)]), str(kept)]
    done = admin(installed.new, "uninstall", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["removed"]
    assert installed.named() == []
    assert (installed.home / ".bashrc").read_text() == "mine\n"
    assert list(installed.old.parent.iterdir()) == list(installed.new.parent.iterdir()) == []


@pytest.mark.parametrize("with_installer", [False, True])
@pytest.mark.parametrize("how", [User.copy, User.move])
def test_uninstalling_leaves_what_belongs_to_the_one_at_the_old_place(
    installed: User, tiny: Release, how: Callable[[User], None], *, with_installer: bool
) -> None:
    """The original of a copy, or another installation."""
    how(installed)
    if not installed.old.exists():
        assert tiny.install("-b", "-c", "-p", installed.old, environment=installed.environment).ok
    if with_installer:
        assert tiny.install("--uninstall", "-p", installed.new).ok
    else:
        assert admin(installed.new, "uninstall").returncode == 0
    assert list(installed.new.parent.iterdir()) == []
    assert installed.named() == [str(installed.old)] * 2
    assert admin(installed.old, "verify").returncode == 0


def test_a_link_at_the_old_place_makes_it_whole(installed: User, newer_tiny: Release) -> None:
    installed.move()
    installed.old.symlink_to(installed.new)
    assert admin(installed.new, "verify").returncode == 0
    assert admin(installed.old, "verify").returncode == 0
    assert newer_tiny.install("-b", "-u", "-p", installed.new, environment=installed.environment).ok
    check_whole(installed)
    assert installed.named() == [str(installed.new)] * 2


def test_the_command_runs_through_links_and_from_its_folder(installed: User, tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("old/env/bin/tiny-admin")
    (tmp_path / "old" / "two").symlink_to(tmp_path / "one")
    for argv, folder in (
        (["./two", "info", "--json"], tmp_path / "old"),
        (["sh", "tiny-admin", "info", "--json"], installed.old / "bin"),
        (["sh", "one", "info", "--json"], tmp_path),
    ):
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=folder)
        assert json.loads(done.stdout)["prefix"] == str(installed.old), done
