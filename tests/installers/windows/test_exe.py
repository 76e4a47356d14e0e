"""The `.exe` installer as Windows desktops meet it, under Wine."""

import json
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuvee import process
from cuvee.errors import UsageError
from cuvee.files import sha256_file
from cuvee.image.model import SOURCE_TIME, Image
from cuvee.installers.branding import Branding
from cuvee.installers.naming import installer_name
from cuvee.installers.windows.exe import build_exe
from cuvee.progress import SILENT
from cuvee.runtime.failure import FAILED
from cuvee.runtime.windows.exe_container import SIZE, open_container
from needed_programs import HANGING, needed
from wine_desktop import Wine, windows

pytestmark = pytest.mark.real

PROGRAM = r"Software\Microsoft\Windows\CurrentVersion\Uninstall\Tiny"
PYTHON = r"Software\Python\Tiny\2026.11.0"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def uninstall(wine: Wine, prefix: Path, *options: str) -> int:
    return wine.uninstall(prefix / "Uninstall-Tiny.exe", *options)


@pytest.fixture(scope="module")
def installed(win_exe: Path, wine: Wine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    prefix = tmp_path_factory.mktemp("desk") / "Käse & Wein" / "tiny"
    for number in (*range(0, 1000, 4), 999999):  # by installers that were killed, one with any number
        (prefix.parent / f".tiny.cuvee-{number}.partial").mkdir(parents=True)
    (prefix.parent / ".tiny.cuvee-999999.run" / "Lib").mkdir(parents=True)
    done = wine.install(win_exe, prefix, "/InstallationType=JustMe")
    assert done.exit_code == 0, wine.log("Tiny", "install")
    yield prefix
    if prefix.exists():
        uninstall(wine, prefix)


def test_files_are_those_of_the_packages(installed: Path) -> None:
    assert names(installed.parent) == ["tiny"]
    known = {".nonadmin", "Scripts/tiny-admin.cmd", "Uninstall-Tiny.exe"}
    for path in installed.glob("conda-meta/*-*-*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        known.update(record["files"])
        for line in record["paths_data"]["paths"]:
            digest = line.get("sha256_in_prefix") or line.get("sha256")
            if digest is not None:
                assert sha256_file(installed / line["_path"]) == digest, line["_path"]
    found = {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()}
    assert {path for path in found if not path.startswith("conda-meta/")} == known
    times = {path: stated_time(path) for path in installed.glob("Lib/site-packages/**/*.py")}
    known_times = {path: time for path, time in times.items() if time is not None}
    assert SOURCE_TIME in known_times.values()  # of noarch packages
    assert {path: int(path.stat().st_mtime) for path in known_times} == known_times


def stated_time(source: Path) -> int | None:
    """Return the time of a source that its byte code states."""
    for compiled in source.parent.glob(f"__pycache__/{source.stem}.cpython-*.pyc"):
        return int(struct.unpack("<I", compiled.read_bytes()[8:12])[0])
    return None


def test_it_works(installed: Path, wine: Wine) -> None:
    done = wine.run(installed / "python.exe", "-c", "import attrs, tqdm, sys; print(sys.prefix)")
    assert done.exit_code == 0, done.stderr
    done = wine.run(installed / "Scripts" / "tqdm.exe", "--help")
    assert done.exit_code == 0, done.stderr
    assert "Usage" in done.stdout


PROGRAMS = """\
import sys
from cuvee.process import Request, run

sleep = "import time; time.sleep(600)"
start = f"import subprocess, sys; subprocess.{{}}([sys.executable, '-c', {sleep!r}]); print('left')"
for code, timeout in (
    ("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)", None),
    ("print('x' * 3_000_000)", None),
    (start.format("run"), 3),
    (start.format("Popen"), None),
):
    done = run(Request(argv=(sys.executable, "-c", code), timeout=timeout, most_output=1000))
    output, errors = done.stdout.split()[:1], done.stderr.split()
    print(done.exit_code, done.timed_out, output, errors, len(done.stdout) < 1100)
"""


def test_our_process_module_ends_all_that_a_program_of_windows_started(installed: Path, wine: Wine) -> None:
    """It would wait for ten minutes otherwise; Wine has the job objects of Windows."""
    source = Path(process.__file__).parents[1]
    environment = {"PYTHONPATH": windows(source), "PYTHONDONTWRITEBYTECODE": "1"}
    done = wine.run(installed / "python.exe", "-c", PROGRAMS, environment=environment, timeout=300)
    assert done.stdout.split("\r\n")[:4] == [
        "3 False ['out'] ['err'] True",
        f"0 False ['{'x' * 500}'] [] True",
        "1 True [] [] True",
        "0 False ['left'] [] True",
    ], done.stderr


def test_windows_knows_of_it(installed: Path, wine: Wine) -> None:
    program = wine.registry(rf"HKCU\{PROGRAM}")
    assert program["DisplayName"].endswith(" 2026.11.0")
    assert program["DisplayVersion"] == "2026.11.0"
    assert program["URLInfoAbout"] == "https://example.org"
    assert program["QuietUninstallString"].endswith('Uninstall-Tiny.exe" /S')
    assert int(program["EstimatedSize"], 16) > 20_000
    python = wine.registry(rf"HKCU\{PYTHON}")
    assert python["SysVersion"] == "3.11"
    place = wine.registry(rf"HKCU\{PYTHON}\InstallPath")
    assert place["ExecutablePath"].endswith(r"tiny\python.exe")
    assert place["(Default)"].endswith("tiny\\")


def test_log_and_its_twin(installed: Path, wine: Wine) -> None:
    assert "install ended with exit code 0" in wine.log("Tiny", "install")
    twin = json.loads(wine.log("Tiny", "install", "json"))
    assert twin["exit_code"] == 0
    assert twin["prefix"] == windows(installed)
    assert (twin["distribution"], twin["version"]) == ("tiny", "2026.11.0")


def test_one_that_works_keeps_its_folders(installed: Path, win_exe: Path, wine: Wine, tmp_path: Path) -> None:
    """The file that it has open tells; its number may be that of any process. A release in use stays."""
    prefix, used = tmp_path / "other", installed / "conda-meta" / "history"
    run, staged = (tmp_path / f".other.cuvee-8.{kind}" for kind in ("run", "partial"))
    for folder in (run, staged):
        folder.mkdir()
        (folder / "file").touch()
    code = "import sys; a, b = map(open, sys.argv[1:], 'wr'); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [needed("wine"), installed / "python.exe", "-c", code, f"{windows(run)}\\.alive", windows(used)],
        env=wine.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline().strip() == b"open"
    before = sorted(installed.rglob("*"))
    assert wine.install(win_exe, installed, "/uninstall").exit_code == FAILED
    assert sorted(installed.rglob("*")) == before
    assert wine.install(win_exe, prefix, "/NoRegistry=1", "/NoShortcuts=1").exit_code == 0
    assert names(tmp_path) == [staged.name, run.name, "other"]
    assert (names(run), names(staged)) == ([".alive", "file"], ["file"])
    holder.communicate(timeout=HANGING)
    assert wine.install(win_exe, prefix, "/Force=1", "/NoKeep=1").exit_code == 0
    assert names(tmp_path) == ["other"]
    assert wine.install(win_exe, prefix, "/uninstall").exit_code == 0


def test_uninstalling_keeps_what_the_user_made(installed: Path, wine: Wine) -> None:
    mine = installed / "Lib" / "site-packages" / "mine.txt"
    mine.write_text("mine")
    assert wine.run(installed / "python.exe", "-c", "import this_is_not_there").exit_code == 1
    assert uninstall(wine, installed) == 0
    left = [path for path in installed.parent.rglob("*") if path.is_file()]
    assert left == [mine], wine.log("Tiny", "uninstall")
    assert r"Lib/site-packages/mine.txt" in wine.log("Tiny", "uninstall")
    assert not wine.has_key(rf"HKCU\{PROGRAM}")
    assert not wine.has_key(r"HKCU\Software\Python\Tiny")


def flipped(source: Path, target: Path, position: int) -> Path:
    data = bytearray(source.read_bytes())
    data[position] ^= 1
    target.write_bytes(data)
    return target


def test_a_damaged_installer_does_nothing(win_exe: Path, wine: Wine, tmp_path: Path) -> None:
    size = win_exe.stat().st_size
    container = open_container(str(win_exe))
    places = {
        "payload": size - SIZE - 1000,
        "manifest": container.manifest_at + 10,
        "NSIS's own part": container.manifest_at // 2,
        "trailer": size - SIZE + 50,
        "words in the header": 0x50,
    }
    desk = tmp_path / "desk"
    desk.mkdir()
    for what, position in places.items():
        done = wine.install(flipped(win_exe, tmp_path / "bad.exe", position), desk / "new" / "tiny")
        assert done.exit_code == (2 if what.startswith("NSIS") else 5), what
        assert names(desk) == [], what
    short = tmp_path / "short.exe"
    short.write_bytes(win_exe.read_bytes()[:-5000])
    assert wine.install(short, desk / "tiny").exit_code == 5
    assert names(desk) == []
    assert "is damaged" in wine.log("Tiny", "install")


def test_places(win_exe: Path, wine: Wine, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    assert wine.install(win_exe, full).exit_code == 1
    assert names(full) == ["mine.txt"]
    file = tmp_path / "file"
    file.write_text("")
    assert wine.install(win_exe, file).exit_code == 1
    long = tmp_path / ("x" * 120) / ("y" * 120)
    assert wine.install(win_exe, long).exit_code == 1
    assert "is too long" in wine.log("Tiny", "install")
    assert names(tmp_path) == ["file", "full"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert wine.install(win_exe, empty, "/NoRegistry=1").exit_code == 0
    assert not wine.has_key(rf"HKCU\{PROGRAM}")
    assert uninstall(wine, empty) == 0
    assert names(tmp_path) == ["file", "full"]


def test_wrong_usage(win_exe: Path, wine: Wine, tmp_path: Path) -> None:
    for option in ("/AddToPath=yes", "/InstallationType=Everybody"):
        assert wine.install(win_exe, tmp_path / "tiny", option).exit_code == 2
    assert names(tmp_path) == []
    assert wine.run(win_exe, "/S", "/?").exit_code == 0


def test_path_is_never_cut_off(win_exe: Path, wine: Wine, tmp_path: Path) -> None:
    before = ";".join(rf"C:\tools\{number:04}" for number in range(400)) + r";%HOME%\bin;;"
    wine.run("reg", "add", r"HKCU\Environment", "/v", "Path", "/t", "REG_EXPAND_SZ", "/d", before, "/f")
    prefix = tmp_path / "tiny"
    assert wine.install(win_exe, prefix, "/AddToPath=1").exit_code == 0
    during = wine.registry(r"HKCU\Environment")["Path"]
    assert during == f"{windows(prefix)};{windows(prefix)}\\Scripts;{before}"
    assert uninstall(wine, prefix) == 0
    assert wine.registry(r"HKCU\Environment")["Path"] == before
    assert names(tmp_path) == []


def test_for_all_users(win_exe: Path, wine: Wine) -> None:
    prefix = wine.drive / "Program Files" / "Tiny"
    assert wine.install(win_exe, None, "/InstallationType=AllUsers", "/AddToPath=1").exit_code == 0
    assert (prefix / "python.exe").exists()
    assert not (prefix / ".nonadmin").exists()
    assert wine.registry(rf"HKLM\{PROGRAM}")["InstallLocation"] == r"C:\Program Files\Tiny"
    assert wine.has_key(rf"HKLM\{PYTHON}")
    assert not wine.has_key(rf"HKCU\{PROGRAM}")
    # An environment that only administrators write to, but nothing that programs of theirs would find by it.
    machine = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
    assert "Tiny" not in wine.registry(machine)["PATH"]
    assert list(wine.drive.glob("windows/[Ll]ogs/Tiny/install.log"))
    assert uninstall(wine, prefix) == 0
    assert not prefix.exists()
    assert not wine.has_key(rf"HKLM\{PROGRAM}")


def test_two_builds_are_the_same(win_image: Image, win_exe: Path, branding: Branding, tmp_path: Path) -> None:
    target = tmp_path / installer_name(win_image, "exe")
    mask = os.umask(0o077)
    try:
        build_exe(win_image, branding=branding, target=target, reporter=SILENT, compression="quick")
    finally:
        os.umask(mask)
    assert target.name == "Tiny-2026.11.0-Windows-x86_64.exe"
    assert sha256_file(target) == sha256_file(win_exe)


def test_only_for_windows(win_image: Image, branding: Branding, tmp_path: Path) -> None:
    from dataclasses import replace

    with pytest.raises(UsageError, match="only for win-64"):
        build_exe(
            replace(win_image, platform="linux-64"), branding=branding, target=tmp_path / "x", reporter=SILENT
        )
