"""The runner for Windows itself: what it asks Windows to do, and ending programs with all that they started.

There is no Windows here. Wine runs a part of it: the programs of Windows that a Windows Python starts.
"""

import tempfile
from pathlib import Path

import pytest

from cuvee import platforms
from cuvee.integration.inside import isolate
from cuvee.integration.runners import root
from cuvee.integration.runners.protocol import Command, Sandbox
from cuvee.integration.runners.selection import select_runner
from cuvee.integration.runners.windows_native import WindowsRunner


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    (tmp_path / "release").mkdir()
    return Sandbox(
        platform="win-64", prefix=tmp_path / "release", home=tmp_path / "home", temp=tmp_path / "tmp"
    )


def test_it_runs_only_windows_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert WindowsRunner().refusal("win-64") == "", "this host has another reason"
    monkeypatch.setattr(platforms, "host", lambda: platforms.get("win-64"))
    runner, reason = select_runner("win-64")
    assert isinstance(runner, WindowsRunner)
    assert not reason
    assert select_runner("linux-64") == (None, "no runner for it on this host (win-64)")
    monkeypatch.setattr(tempfile, "tempdir", r"C:\Users\Jane Doe\Temp")
    assert "let TEMP name another one" in (WindowsRunner().refusal("win-64") or "")


def test_what_windows_is_asked_to_do(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SYSTEMROOT", r"C:\Windows")
    monkeypatch.setenv("SECRET_TOKEN", "x")
    runner, prefix = WindowsRunner(), sandbox.prefix
    installer = tmp_path / "Tiny.exe"
    assert runner.install(sandbox, installer, timeout=9).argv == (str(installer), "/S", f"/D={prefix}")
    assert runner.check(sandbox, installer, timeout=9).argv == (str(installer), "/check")
    script = str(prefix / "Scripts" / "tiny-admin.cmd")
    assert runner.administer(sandbox, "tiny-admin", "verify", timeout=9).argv == (
        "cmd",
        "/c",
        script,
        "verify",
    )
    request = runner.request(
        sandbox, Command(program="python", arguments=("-c", tmp_path), cwd=tmp_path, timeout=5)
    )
    assert request.argv == (str(prefix / "python.exe"), "-c", str(tmp_path))
    environment = request.environment or {}
    assert environment["PATH"].split(";")[0] == str(prefix)
    assert (environment["TEMP"], environment["USERPROFILE"]) == (str(sandbox.temp), str(sandbox.home))
    assert environment["HTTPS_PROXY"].startswith("http://127.0.0.1")
    assert "SECRET_TOKEN" not in environment
    command = Command(program="../evil", cwd=tmp_path, timeout=5)
    assert runner.request(sandbox, command).argv == (str(prefix / "Scripts" / "evil.exe"),)


def test_what_the_account_got_is_removed_afterwards(sandbox: Sandbox) -> None:
    runner = WindowsRunner()
    assert runner.finish(sandbox) is None, "it was not installed"
    program = sandbox.prefix / "Uninstall-Tiny.exe"
    program.touch()
    request = runner.finish(sandbox)
    assert request is not None
    assert request.argv == (str(program), "/S", f"_?={sandbox.prefix}")


def test_the_name_that_only_posix_can_import() -> None:
    assert root.HOST == isolate.HOST
