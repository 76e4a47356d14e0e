"""Fast tests reach no network, start no program and write below ``tmp_path`` alone; ``real`` tests may."""

import socket
import subprocess
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def _no_side_doors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("real"):
        return

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a fast test tried to reach the network or to start a program; mark it `real`")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(subprocess, "Popen", refuse)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real data of public projects, where this machine has it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the real data in ../shared/data beside the repository")
    return SHARED_DATA
