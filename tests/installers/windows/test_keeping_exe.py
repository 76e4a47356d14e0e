"""The `.exe` that stays in the folder, so that a repair needs no other one: under Wine."""

import json
import shutil
from pathlib import Path

import pytest

from cuvee.process import Completed
from wine_desktop import Wine

pytestmark = pytest.mark.real

KEPT = "conda-meta/cuvee/installer.exe"
FILE = "Lib/site-packages/attrs/__init__.py"


def admin(wine: Wine, prefix: Path, *arguments: str) -> Completed:
    return wine.run(prefix / "Scripts" / "tiny-admin.cmd", *arguments)


def test_kept_installer(win_exe: Path, win_newer: Path, wine: Wine, tmp_path: Path) -> None:
    place, original = tmp_path / "tiny", tmp_path / "Tiny.exe"
    shutil.copy(win_exe, original)
    assert wine.install(original, place).exit_code == 0
    none = admin(wine, place, "repair")
    assert (none.exit_code, "/KeepInstaller=1" in none.stderr) == (2, True), none
    # The same release again does nothing else.
    assert wine.install(original, place, "/KeepInstaller=1").exit_code == 0, wine.log("Tiny", "install")
    original.unlink()
    assert (place / KEPT).read_bytes() == win_exe.read_bytes()
    whole = (place / FILE).read_bytes()
    (place / FILE).unlink()
    done = admin(wine, place, "repair")
    assert (done.exit_code, (place / FILE).read_bytes()) == (0, whole), done
    assert json.loads(admin(wine, place, "verify", "--json").stdout)["good"]

    assert wine.install(win_newer, place).exit_code == 0
    assert (place / KEPT).read_bytes() == win_newer.read_bytes(), "kept before, so kept again"
    with (place / KEPT).open("r+b") as stream:
        stream.seek(-999, 2)
        stream.write(b"damaged")
    (place / FILE).unlink()
    refused = admin(wine, place, "repair")
    assert (refused.exit_code, "that is kept, is damaged" in refused.stderr) == (5, True), refused
    assert not (place / FILE).exists()
    assert admin(wine, place, "uninstall").exit_code == 0
    # The command's own folder may stay, empty, while it runs from there.
    assert not [path for path in place.rglob("*") if path.is_file()]
