"""The Wine runner: its requests, and what it takes for Wine's own limits."""

from dataclasses import replace
from pathlib import Path

import pytest

from cuvee import process
from cuvee.integration.model import PlannedSuite, SuiteKind
from cuvee.integration.runners import wine
from cuvee.integration.runners.protocol import Command, InstallerVerb, Sandbox
from cuvee.integration.runners.selection import all_runners, select_runner
from cuvee.integration.runners.wine import WineRunner
from cuvee.process import Completed, Request
from needed_programs import HANGING, needs
from wine_desktop import running_below

PLACE = Sandbox(platform="win-64", prefix=Path("/t/release"), home=Path("/t/home"), temp=Path("/t/tmp"))


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> WineRunner:
    monkeypatch.setattr(wine, "_wine", lambda: "/usr/bin/wine")
    monkeypatch.setattr(wine, "network_isolation", lambda _=None: ("isolate", "net"))
    return WineRunner()


def ended(stderr: str) -> Completed:
    return Completed(request=Request(argv=("x",)), exit_code=1, stdout="", stderr=stderr, seconds=0)


@pytest.mark.parametrize(
    ("stderr", "limit"),
    [
        (
            "wine: Call from 00 to unimplemented function ucrtbase.dll.crealf, aborting",
            "Wine lacks ucrtbase.dll.crealf",
        ),
        (
            '0024:err:module:import_dll Library bcryptprimitives.dll (which is needed by L"x.pyd") not found',
            "Wine lacks bcryptprimitives.dll",
        ),
        ('err:module:import_dll Library msvcp140.dll (which is needed by L"Z:\\\\x.pyd") not found', None),
        ("ImportError: No module named unimplemented", None),
        ("", None),
    ],
)
def test_only_what_windows_brings_is_wines_to_lack(
    runner: WineRunner, stderr: str, limit: str | None
) -> None:
    assert runner.limitation(ended(stderr)) == limit


def test_programs_get_windows_paths_and_a_wine_prefix_of_their_own(runner: WineRunner) -> None:
    command = Command(program="tqdm", arguments=("-x", Path("/t/job/a b")), cwd=Path("/t/job"), timeout=5)
    request = runner.request(PLACE, command)
    assert request.argv == (
        *("isolate", "net", "/usr/bin/wine", "/t/release/Scripts/tqdm.exe"),
        *("-x", "Z:\\t\\job\\a b"),
    )
    assert request.environment is not None
    assert request.environment["WINEPREFIX"] == "/t/wine"
    assert runner.program(PLACE, "python") == Path("/t/release/python.exe")
    assert runner.program(PLACE, "../../evil") == Path("/t/release/Scripts/evil.exe")


def test_it_installs_where_the_others_do(runner: WineRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wine, "_server", lambda: "/usr/bin/wineserver")
    argv = runner.install(PLACE, Path("/t/Tiny.exe"), timeout=5).argv
    started = ("/usr/bin/wine", "/usr/bin/wineserver", "/t/Tiny.exe", "/S")
    folder = ("/LOG=Z:\\t\\installer.log", "/D=Z:\\t\\release")
    assert argv[-6:] == (*started, *folder)
    argv = runner.maintain(PLACE, Path("/t/Tiny.exe"), InstallerVerb.REPAIR, timeout=5).argv
    assert argv[-7:] == (*started, "/repair", *folder)
    argv = runner.maintain(PLACE, Path("/t/Tiny.exe"), InstallerVerb.UPGRADE, timeout=5).argv
    assert argv[-6:] == (*started, *folder)


def test_it_ends_what_stays(runner: WineRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox(platform="win-64", prefix=tmp_path / "release", home=tmp_path / "home", temp=tmp_path)
    monkeypatch.setattr("shutil.which", lambda name: f"/opt/{name}" if name == "wineserver" else None)
    assert runner.finish(sandbox) is None
    (tmp_path / "wine").mkdir()
    request = runner.finish(sandbox)
    assert request is not None
    assert request.argv == ("isolate", "net", "/opt/wineserver", "--kill")
    assert (request.environment or {})["WINEPREFIX"] == str(tmp_path / "wine")
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert runner.finish(sandbox) is None


@pytest.mark.real
@needs("wine")
def test_nothing_runs_on_in_a_place_that_is_finished(tmp_path: Path) -> None:
    sandbox = Sandbox(platform="win-64", prefix=tmp_path, home=tmp_path / "home", temp=tmp_path)
    sandbox.home.mkdir()
    process.run(WineRunner().install(sandbox, Path("hostname"), timeout=HANGING))  # a program of Wine's own
    assert running_below(tmp_path)

    class OwnPrograms(WineRunner):
        def program(self, sandbox: Sandbox, name: str) -> Path:
            return Path(name)

    runner, own = OwnPrograms(), replace(sandbox, temp=tmp_path / "own")
    setting = ("query", r"HKCU\Software\Wine\WineDbg", "/v", "ShowCrashDialog")
    asked = process.run(
        runner.request(own, Command(program="reg", arguments=setting, cwd=tmp_path, timeout=HANGING))
    )
    assert "0x0" in asked.stdout, "the dialog of a crash would keep the pipes of the program open"
    waits = ("start", "/b", "ping", "-n", "600", "127.0.0.1")
    process.run(
        runner.request(own, Command(program="cmd", arguments=("/c", *waits), cwd=tmp_path, timeout=9))
    )
    runner.sweep(replace(own, temp=tmp_path / "other"))
    assert any("ping" in line.lower() for line in running_below(tmp_path))
    runner.sweep(own)
    assert not any("ping" in line.lower() for line in running_below(tmp_path))
    assert running_below(tmp_path), "what all programs share was ended, too"
    request = WineRunner().finish(sandbox)
    assert request is not None
    assert process.run(request).ok
    assert not running_below(tmp_path)


def test_it_refuses_no_suite(runner: WineRunner) -> None:
    for kind in SuiteKind:
        assert runner.suite_refusal(PlannedSuite(name="any", kind=kind)) is None


def test_all_programs_share_one_server_and_each_has_a_mark(runner: WineRunner) -> None:
    """Debian's Wine starts a server for each TMPDIR, and two servers of one registry overwrite it."""
    command = Command(program="python", cwd=Path("/t/job"), timeout=5)
    found = [
        dict(runner.request(replace(PLACE, temp=Path("/t/tmp") / name), command).environment or {})
        for name in ("a", "b")
    ]
    assert {variables["TMPDIR"] for variables in found} == {"/t/wine-tmp"}
    assert [variables["CUVEE_PROGRAM"] for variables in found] == ["/t/tmp/a", "/t/tmp/b"]


def test_emulation_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr("sys.platform", "linux")
    assert select_runner("win-64")[0] is None
    assert isinstance(select_runner("win-64", emulate=True)[0], WineRunner)
    monkeypatch.setattr("shutil.which", lambda _: None)
    chosen, reason = select_runner("win-64", emulate=True)
    assert chosen is None
    assert "Wine is not installed" in reason
    assert "Wine" not in select_runner("linux-aarch64", emulate=True)[1]
    assert {runner.name for runner in all_runners()} == {"native"}
