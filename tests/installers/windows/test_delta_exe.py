"""Deltas for Windows, under Wine: the release they make is that of a whole installer, or nothing happens."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cuvee.errors import IntegrityError, UsageError
from cuvee.installers.delta_installer import MadeDelta, make_delta
from cuvee.installers.whole_installer import read_installer
from cuvee.progress import SILENT
from cuvee.runtime.windows.exe_container import MAGIC, open_container
from wine_desktop import Wine, windows

from .test_upgrade import admin, files

pytestmark = [pytest.mark.real, pytest.mark.minutes(1)]

OF_A_RUN = ("conda-meta/cuvee/log", "conda-meta/cuvee/state", "conda-meta/history")


def made(old: Path, new: Path, folder: Path) -> MadeDelta:
    return make_delta(read_installer(old), read_installer(new), folder=folder, reporter=SILENT)


def tree(place: Path) -> dict[str, str]:
    return {path: digest for path, digest in files(place).items() if not path.startswith(OF_A_RUN)}


def state(place: Path) -> dict[str, object]:
    value = json.loads((place / "conda-meta/cuvee/state.json").read_text())
    return {key: item for key, item in value.items() if key != "installed"}


@pytest.fixture(scope="module")
def delta(win_exe: Path, win_newer: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(win_exe, win_newer, tmp_path_factory.mktemp("delta")).path


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "Käse & Wein" / "tiny"
    assert [path.name for path in tmp_path.rglob(".*cuvee-*") if not path.name.endswith("kept")] == []


def test_the_prefix_is_that_of_a_whole_installer(
    win_exe: Path, win_newer: Path, delta: Path, wine: Wine, place: Path
) -> None:
    assert wine.install(win_newer, place).exit_code == 0, wine.log("Tiny", "install")
    fresh, fresh_state = tree(place), state(place)
    shutil.rmtree(place)
    assert wine.install(win_exe, place).exit_code == 0
    before = tree(place)
    (place / "mine.txt").write_text("mine")

    said = wine.run(delta, "/dryrun", "/json", f"/D={windows(place)}")
    plan = json.loads(said.stdout)
    assert (said.exit_code, plan["action"], plan["before"]) == (0, "upgrade", "2026.11.0")

    done = wine.install(delta, place)
    assert done.exit_code == 0, wine.log("Tiny", "install")
    assert tree(place) == {**fresh, "mine.txt": files(place)["mine.txt"]}
    assert state(place) == fresh_state
    assert not (place / "conda-meta/cuvee/installer.exe").exists()
    found = json.loads(admin(wine, place, "verify", "--json").stdout)
    assert (found["changed"], found["missing"], found["version"]) == ([], [], "2026.11.1")

    done = admin(wine, place, "rollback")
    assert (done.exit_code, "was rolled back to 2026.11.0" in done.stdout) == (0, True), done
    assert tree(place) == {**before, "mine.txt": files(place)["mine.txt"]}
    assert admin(wine, place, "uninstall").exit_code == 0


def test_what_is_refused_changes_nothing(
    win_exe: Path, win_newer: Path, delta: Path, wine: Wine, place: Path
) -> None:
    beside = place.parents[1]
    nothing = wine.install(delta, place)
    assert (nothing.exit_code, "holds no release. Use the whole" in nothing.stderr) == (1, True), nothing
    assert not place.exists()

    assert wine.install(win_exe, place).exit_code == 0
    before = tree(place)
    old = read_installer(win_exe)
    other = replace(old, image=replace(old.image, data=b"the same release, cut another time"))
    path = make_delta(other, read_installer(win_newer), folder=beside / "other", reporter=SILENT).path
    refused = wine.install(path, place)
    assert refused.exit_code == 1
    assert "holds Tiny & Söhne 2026.11.0 as it was cut another time. Use the whole" in refused.stderr

    data = bytearray(delta.read_bytes())
    data[data.rindex(MAGIC) - 300] ^= 1
    bad = beside / "bad.exe"
    bad.write_bytes(data)
    assert wine.install(bad, place).exit_code == 5
    assert wine.install(delta, place, f"/key={'00' * 32}").exit_code == 5
    for option in ("/KeepInstaller=1", "/repair", "/uninstall"):
        refused = wine.install(delta, place, option)
        assert (refused.exit_code, "delta" in refused.stderr) == (2, True), (option, refused)
    assert wine.run(delta, "/check").exit_code == 2
    assert tree(place) == before

    changed = place / "Lib/site-packages/attrs/__init__.py"
    content = changed.read_bytes()
    changed.write_bytes(content + b"# mine")
    refused = wine.install(delta, place)
    assert refused.exit_code == 5
    assert "1 files that this delta builds on were changed" in refused.stderr
    assert "Lib/site-packages/attrs/__init__.py. Repair the release first" in refused.stderr
    changed.write_bytes(content)
    assert tree(place) == before
    assert admin(wine, place, "uninstall").exit_code == 0


def test_what_is_made(win_exe: Path, win_newer: Path, delta: Path, tmp_path: Path) -> None:
    again = made(win_exe, win_newer, tmp_path)
    assert again.path.name == "Tiny-2026.11.0-to-2026.11.1-Windows-x86_64.exe"
    assert again.path.read_bytes() == delta.read_bytes()
    at = open_container(str(win_newer)).manifest_at
    assert delta.read_bytes()[:at] == win_newer.read_bytes()[:at]
    assert delta.stat().st_size - at < (win_newer.stat().st_size - at) / 4
    with pytest.raises(UsageError, match="is a delta"):
        made(win_exe, delta, tmp_path)
    with pytest.raises(UsageError, match="nothing to upgrade"):
        made(win_exe, win_exe, tmp_path)


def test_what_cannot_be_made(win_exe: Path, win_newer: Path, tmp_path: Path) -> None:
    data = bytearray(win_newer.read_bytes())
    trailer = data.rindex(MAGIC)
    earlier = tmp_path / "earlier.exe"
    data[trailer + 72] = 0
    earlier.write_bytes(data)
    with pytest.raises(UsageError, match="made by an earlier cuvee"):
        made(win_exe, earlier, tmp_path)
    data[trailer - 300] ^= 1
    earlier.write_bytes(data)
    with pytest.raises(IntegrityError, match="is damaged"):
        made(win_exe, earlier, tmp_path)
    earlier.write_bytes(data[:trailer])
    with pytest.raises(UsageError, match="no installer that cuvee has made"):
        made(win_exe, earlier, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["earlier.exe"]
