"""One prefix has one name, however it is written: in programs, start-up files, menu entries and records."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cuvee import process
from cuvee.channel.package_writer import PackageContent, PackageFile
from cuvee.image.settings import InstallerSettings
from cuvee.runtime.prefix_state import load
from needed_programs import need
from tiny_release import TIME, Release

pytestmark = pytest.mark.real

SHELLS = [("dash",), ("bash",), ("busybox", "sh"), ("zsh", "--emulate", "sh")]
# As written from `<root>/shop/build`, where `shop/link` leads to `<root>/other/deep`; and the one name.
NAMES = [
    ("../env", "shop/env"),
    ("./env", "shop/build/env"),
    ("new//deep/./env/", "shop/build/new/deep/env"),
    ("absent/../env", "shop/build/env"),
    ("../../shop/./build/../env/.", "shop/env"),
    ("../link/env", "shop/link/env"),
    ("../link/../env", "other/env"),
]
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


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "shop" / "build"
    folder.mkdir(parents=True)
    (tmp_path / "other" / "deep").mkdir(parents=True)
    (tmp_path / "shop" / "link").symlink_to("../other/deep")
    return folder


@pytest.fixture
def user(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir()
    return {"HOME": str(home), "XDG_DATA_HOME": str(home / "share")}


def admin(prefix: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [prefix / "bin" / "tiny-admin", *arguments], capture_output=True, text=True, check=False
    )


def named(user: dict[str, str]) -> list[str]:
    """Return each prefix that start-up files and menu entries of the user name."""
    home = Path(user["HOME"])
    found = []
    for path in sorted(path for path in home.rglob("*") if path.is_file()):
        found += re.findall(
            r"^(?:# >>> cuvee: |X-Cuvee-Prefix=)(.*?)(?: >>>)?$", path.read_text(), re.MULTILINE
        )
    return found


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
def test_every_shell_gives_one_name(shell: tuple[str, ...], release: Release, build: Path) -> None:
    need(shell[0])
    header = release.installer.read_bytes().partition(b"\nexit 1\n")[0].decode()
    (function,) = re.findall(r"^normal\(\) \{$.*?^\}$", header, re.MULTILINE | re.DOTALL)
    root = build.parents[1]
    cases = [(f"{build}/{written}", f"{root}/{name}") for written, name in NAMES]
    cases += [("/", "/"), ("//", "/"), ("/..", "/"), ("/a/../..//b c/-n", "/b c/-n")]
    for written, name in cases:
        argv = (*shell, "-c", f'set -eu\n{function}\nnormal "$1"', "sh", written)
        done = process.run(process.Request(argv=argv))
        assert (done.stdout, done.stderr) == (name, ""), written


@pytest.mark.parametrize("names", NAMES, ids=lambda names: names[0])
def test_all_that_an_installation_makes_has_one_name(
    names: tuple[str, str], dress: Any, build: Path, user: dict[str, str]
) -> None:
    written, prefix = names[0], build.parents[1] / names[1]
    tiny = dress(InstallerSettings(), MENU)
    done = tiny.install("-b", "-c", "-p", written, cwd=build, environment=user)
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"Tiny & Sons 2026.11.0 is installed in {prefix}\n"
    assert load(str(prefix)).state.prefix == str(prefix)
    assert named(user) == [str(prefix)] * 2
    if not prefix.is_relative_to(build):
        shutil.rmtree(build)
    tool = process.run(process.Request(argv=(str(prefix / "bin" / "tool"),)))
    assert tool.stdout.strip() == str(prefix), tool.stderr
    done = admin(prefix, "uninstall")
    assert (done.returncode, done.stderr) == (0, "")
    assert not prefix.exists()
    assert named(user) == []


def test_another_name_of_the_folder_changes_nothing(
    dress: Any, build: Path, user: dict[str, str], tmp_path: Path
) -> None:
    linked, real = tmp_path / "shop" / "link" / "env", tmp_path / "other" / "deep" / "env"
    old, new = dress(InstallerSettings(), MENU), dress(InstallerSettings(), MENU, upgrade=True)
    assert old.install("-b", "-c", "-p", linked, environment=user).ok
    assert new.install("-b", "-u", "-c", "-p", real, environment=user).ok
    assert named(user) == [str(linked)] * 2
    assert load(str(real)).state.prefix == str(linked)
    tool = process.run(process.Request(argv=(str(real / "bin" / "tool"),)))
    assert tool.stdout.strip() == str(linked)
    (real / "bin" / "place").unlink()
    done = new.install("--repair", "-p", real, environment=user)
    assert (done.exit_code, done.stderr) == (0, "")
    assert f"#!{linked}/" in (real / "bin" / "place").read_text()
    done = new.install("--uninstall", "-p", real, environment=user)
    assert (done.exit_code, done.stderr) == (0, "")
    assert (not real.exists(), named(user)) == (True, [])


def test_a_prefix_in_the_current_folder(release: Release, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    done = release.install("-b", "-f", "-p", ".", cwd=tmp_path / "here")
    assert (done.exit_code, done.stderr) == (0, "")
    assert load(str(tmp_path / "here")).state.prefix == str(tmp_path / "here")
    refused = release.install("-b", "-p", "..", cwd=Path("/usr"))
    assert refused.exit_code == 2
    assert "The root folder cannot be the prefix." in refused.stderr
    (tmp_path / "dangling").symlink_to("nowhere")
    refused = release.install("-b", "-p", "dangling/../x", cwd=tmp_path)
    assert refused.exit_code == 1
    assert "dangling" in refused.stderr
