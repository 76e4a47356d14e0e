import json
import sys
from pathlib import Path

import pytest

from cuvee import platforms
from cuvee.integration.runners import native
from cuvee.integration.runners.native import NativeRunner
from cuvee.integration.runners.protocol import Command, Sandbox
from cuvee.integration.runners.selection import select_runner


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    return Sandbox(
        platform="linux-64", prefix=tmp_path / "prefix", home=tmp_path / "home", temp=tmp_path / "tmp"
    )


def _isolate(monkeypatch: pytest.MonkeyPatch, level: str | None) -> None:
    monkeypatch.setattr(native, "strongest_isolation", lambda: level)


def test_without_namespaces_proxies_lead_nowhere(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    _isolate(monkeypatch, None)
    command = Command(program="python", arguments=("-c", "", sandbox.home), cwd=sandbox.temp, timeout=5)
    request = NativeRunner().request(sandbox, command)
    assert request.argv == (str(sandbox.prefix / "bin" / "python"), "-c", "", str(sandbox.home))
    assert request.environment is not None
    assert request.environment["HTTPS_PROXY"] == "http://127.0.0.1:9"
    assert "127.0.0.1" in request.environment["NO_PROXY"]
    assert "no namespaces" in NativeRunner().environment()["network"]


def test_with_namespaces_the_launcher_comes_first(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    _isolate(monkeypatch, "net,user")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("SECRET_TOKEN", "x")
    request = NativeRunner().request(sandbox, Command(program="tool", cwd=sandbox.temp, timeout=5))
    assert request.argv[0] == sys.executable
    level, files, limits, program = request.argv[-4:]
    assert json.loads(limits) == {"memory": None, "disk": None, "folders": [], "processes": None}
    assert (level, program) == ("net,user", str(sandbox.prefix / "bin" / "tool"))
    assert json.loads(files) == {"writable": [], "readonly": [], "hidden": [], "root": None}
    assert request.environment is not None
    assert set(request.environment) == {"PATH", "HOME", "TMPDIR", "LANG", "TZ"}
    assert request.environment["HOME"] == str(sandbox.home)
    assert "net,user" in NativeRunner().environment()["network"]


def test_the_installer_is_run_silently(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _isolate(monkeypatch, None)
    request = NativeRunner().install(sandbox, tmp_path / "Tiny.sh", timeout=9)
    assert request.argv == ("/bin/sh", str(tmp_path / "Tiny.sh"), "-b", "-p", str(sandbox.prefix))
    assert request.timeout == 9
    assert request.environment is not None
    folders = {name: path for name, path in request.environment.items() if name.startswith("XDG_")}
    assert folders.keys() == {"XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"}
    assert all(Path(path).is_relative_to(sandbox.home) for path in folders.values())


@pytest.mark.parametrize(
    ("usage", "options"),
    [
        ("-m           disable the creation of menu items / shortcuts", ["-b", "-m"]),
        ("-s           skip running pre/post-link/install scripts", ["-b"]),
    ],
)
def test_constructor_s_installers_make_no_menu_entries_where_they_know_how(
    usage: str, options: list[str], sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _isolate(monkeypatch, None)
    installer = tmp_path / "Tool.sh"
    installer.write_text(f"#!/bin/sh\nUSAGE='\n{usage}\n'\n")
    argv = NativeRunner().install(sandbox, installer, timeout=9).argv
    assert list(argv[argv.index("-b") : argv.index("-p")]) == options


@pytest.mark.parametrize("name", ["../../bin/sh", "/bin/sh", "sub/sh"])
def test_a_command_can_not_lead_out_of_the_release(name: str, sandbox: Sandbox) -> None:
    assert NativeRunner().program(sandbox, name) == sandbox.prefix / "bin" / "sh"


def test_only_the_host_runs_natively(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platforms, "host", lambda: platforms.get("linux-64"))
    runner, reason = select_runner("linux-64")
    assert isinstance(runner, NativeRunner)
    assert reason == ""
    for other in set(platforms.PLATFORMS) - {"linux-64"}:
        assert select_runner(other) == (None, "no runner for it on this host (linux-64)")
    monkeypatch.setattr(platforms, "host", lambda: None)
    assert select_runner("linux-64")[0] is None
