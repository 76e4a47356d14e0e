import sys
from pathlib import Path

import pytest

from cuvee import platforms
from cuvee.integration import runners
from cuvee.integration.runners import Command, NativeRunner, Place, choose


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(
        platform="linux-64", prefix=tmp_path / "prefix", home=tmp_path / "home", temp=tmp_path / "tmp"
    )


def _isolate(monkeypatch: pytest.MonkeyPatch, level: str | None) -> None:
    monkeypatch.setattr(runners, "isolation", lambda: level)


def test_without_namespaces_proxies_lead_nowhere(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    _isolate(monkeypatch, None)
    command = Command(program="python", arguments=("-c", "", place.home), cwd=place.temp, timeout=5)
    request = NativeRunner().request(place, command)
    assert request.argv == (str(place.prefix / "bin" / "python"), "-c", "", str(place.home))
    assert request.environment is not None
    assert request.environment["HTTPS_PROXY"] == "http://127.0.0.1:9"
    assert "127.0.0.1" in request.environment["NO_PROXY"]
    assert "no namespaces" in NativeRunner().facts()["network"]


def test_with_namespaces_the_launcher_comes_first(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    _isolate(monkeypatch, "net,user")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("SECRET_TOKEN", "x")
    request = NativeRunner().request(place, Command(program="tool", cwd=place.temp, timeout=5))
    assert request.argv[0] == sys.executable
    assert request.argv[-2:] == ("net,user", str(place.prefix / "bin" / "tool"))
    assert request.environment is not None
    assert set(request.environment) == {"PATH", "HOME", "TMPDIR", "LANG", "TZ"}
    assert request.environment["HOME"] == str(place.home)
    assert "net,user" in NativeRunner().facts()["network"]


def test_the_installer_is_run_silently(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _isolate(monkeypatch, None)
    request = NativeRunner().install(place, tmp_path / "Tiny.sh", timeout=9)
    assert request.argv == ("/bin/sh", str(tmp_path / "Tiny.sh"), "-b", "-p", str(place.prefix))
    assert request.timeout == 9


@pytest.mark.parametrize("name", ["../../bin/sh", "/bin/sh", "sub/sh"])
def test_a_command_can_not_lead_out_of_the_release(name: str, place: Place) -> None:
    assert NativeRunner().program(place, name) == place.prefix / "bin" / "sh"


def test_only_the_host_runs_natively(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platforms, "host", lambda: platforms.get("linux-64"))
    runner, reason = choose("linux-64")
    assert isinstance(runner, NativeRunner)
    assert reason == ""
    for other in set(platforms.PLATFORMS) - {"linux-64"}:
        assert choose(other) == (None, "no runner for it on this host (linux-64)")
    monkeypatch.setattr(platforms, "host", lambda: None)
    assert choose("linux-64")[0] is None
