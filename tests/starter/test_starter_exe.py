"""The `.exe` of a part of the starter from its installation to its removal, silently, under Wine.

Wine takes a minute and a half of processor to remove the whole starter's 40,000 files. The part is upgraded
in test_starter_msi.py, by the same `.exe`. What a verification tells, and rollbacks, are tested with the tiny
release, in tests/installers/windows/test_upgrade.py.

With ``--log-cli-level=INFO`` it says how long each step takes.
"""

import json
import logging
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cuvee.files import sha256_file
from cuvee.process import Completed
from needed_programs import HANGING, need
from starter_release import VERSIONS, Starter
from wine_desktop import Wine, windows

pytestmark = [pytest.mark.real, pytest.mark.minutes(2)]

LOG = logging.getLogger(__name__)

PROGRAM = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Starter"
PYTHON = r"HKCU\Software\Python\Starter"
DAMAGED, LOST = "Lib/site-packages/tqdm/std.py", "Lib/site-packages/tqdm/cli.py"
ADDED = "Lib/site-packages/mine.py"
TESTS = """\
import pytest, sqlalchemy, tqdm, yaml

@pytest.mark.parametrize("number", [1, 2])
def test_they_work(number, tmp_path):
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(list(tqdm.tqdm(range(number)))))
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.connect() as connection:
        assert connection.scalar(sqlalchemy.text(f"select {number} + 1")) == number + 1
    assert yaml.safe_load((tmp_path / "a.yaml").read_text()) == list(range(number))
"""
# A machine at work on other things takes many times as long as one that is not.


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One Windows with one place for the starter."""

    wine: Wine
    prefix: Path

    def run(self, step: str, *argv: str | Path) -> Completed:
        done = self.wine.run(*argv, timeout=HANGING)
        LOG.info("%s: %.1f s", step, done.seconds)
        return done

    def admin(self, *arguments: str) -> Completed:
        return self.run(arguments[0], self.prefix / "Scripts" / "starter-admin.cmd", *arguments)

    def python(self, *arguments: str | Path) -> Completed:
        return self.run("python", self.prefix / "python.exe", *arguments)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    need("wine", "makensis")
    folder = tmp_path / "My desk"
    folder.mkdir()
    desk = Desk(wine=Wine(tmp_path), prefix=folder / "starter")
    yield desk
    desk.wine.stop()
    shutil.rmtree(folder)  # large


def test_the_starter_lives_its_whole_life_on_windows(part: Starter, desk: Desk) -> None:
    installer = part.installer("win-64", "exe")
    done = desk.run("install", installer, "/S", "/InstallationType=JustMe", f"/D={windows(desk.prefix)}")
    assert done.exit_code == 0, done.stderr
    check_installed(desk)
    check_python(desk)
    check_repair(desk, installer)
    check_uninstall(desk)


def check_installed(desk: Desk) -> None:
    assert [path.name for path in desk.prefix.parent.iterdir()] == ["starter"]
    assert "install ended with exit code 0" in desk.wine.log("Starter", "install")
    twin = json.loads(desk.wine.log("Starter", "install", "json"))
    assert (twin["verb"], twin["exit_code"], twin["version"]) == ("install", 0, VERSIONS[0])
    assert twin["prefix"] == windows(desk.prefix)
    program = desk.wine.registry(PROGRAM)
    assert program["DisplayVersion"] == VERSIONS[0]
    assert program["QuietUninstallString"] == f'"{windows(desk.prefix)}\\Uninstall-Starter.exe" /S'
    assert program["InstallLocation"].rstrip("\\") == windows(desk.prefix)
    size = sum(path.stat().st_size for path in desk.prefix.rglob("*") if path.is_file()) >> 10
    assert int(program["EstimatedSize"], 16) == pytest.approx(size, rel=0.1)
    python = rf"{PYTHON}\{VERSIONS[0]}"
    assert desk.wine.registry(python)["SysVersion"] == "3.11"
    place = desk.wine.registry(rf"{python}\InstallPath")
    assert place["ExecutablePath"] == windows(desk.prefix / "python.exe")
    verified = desk.admin("verify", "--json")
    assert verified.exit_code == 0, verified.stdout
    assert json.loads(verified.stdout)["files"] > 5_000


def check_python(desk: Desk) -> None:
    code = "import sys, lxml.etree as e; print(sys.prefix, e.fromstring('<a>Käse</a>').text)"
    done = desk.python("-X", "utf8", "-c", code)
    assert done.stdout.split() == [*windows(desk.prefix).split(), "Käse"], done.stderr
    tests = desk.prefix.parent.parent / "test_a.py"
    tests.write_text(TESTS, encoding="utf-8")
    done = desk.python("-m", "pytest", "-q", "-p", "no:cacheprovider", windows(tests))
    assert done.exit_code == 0, done.stdout
    # pytest's link to this test's folder, `…current`, is a folder to Wine: what is found there counts twice.
    assert re.search(r"\d passed in", done.stdout)
    done = desk.run("entry point", desk.prefix / "Scripts" / "tqdm.exe", "--version")
    assert (done.exit_code, done.stdout.partition(".")[0]) == (0, "4"), done.stderr
    done = desk.run("starter-info", desk.prefix / "Scripts" / "starter-info.exe", "--json")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["release"], told["platform"]) == (f"starter-{VERSIONS[0]}", "win-64")
    assert (told["added"], told["removed"], told["changed"], told["from-pip"]) == ([], [], [], [])


def check_repair(desk: Desk, installer: Path) -> None:
    before = {path: sha256_file(desk.prefix / path) for path in (DAMAGED, LOST)}
    with (desk.prefix / DAMAGED).open("r+b") as stream:
        stream.write(b"#")  # as long as before
    (desk.prefix / LOST).unlink()
    done = desk.run("repair", installer, "/S", "/repair=1", f"/D={windows(desk.prefix)}")
    assert done.exit_code == 0, done.stderr
    assert {path: sha256_file(desk.prefix / path) for path in before} == before
    assert json.loads(desk.wine.log("Starter", "repair", "json"))["exit_code"] == 0
    assert (desk.prefix / "cuvee-saved" / VERSIONS[0] / DAMAGED).read_bytes().startswith(b"#")


def check_uninstall(desk: Desk) -> None:
    (desk.prefix / "mine.txt").write_text("mine")
    (desk.prefix / ADDED).write_text("mine = 1")
    assert desk.wine.uninstall(desk.prefix / "Uninstall-Starter.exe", timeout=HANGING) == 0
    seconds = json.loads(desk.wine.log("Starter", "uninstall", "json"))["seconds"]
    LOG.info("uninstall: %.1f s", seconds)
    assert [path.name for path in desk.prefix.parent.iterdir()] == ["starter"]
    left = {path.relative_to(desk.prefix).as_posix() for path in desk.prefix.rglob("*") if path.is_file()}
    assert left == {"mine.txt", ADDED, f"cuvee-saved/{VERSIONS[0]}/{DAMAGED}"}
    said = desk.wine.log("Starter", "uninstall")
    assert all(path in said for path in left)
    assert not desk.wine.has_key(PROGRAM)
    assert not desk.wine.has_key(PYTHON)
