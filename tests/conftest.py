"""Fast tests reach no network, start no program and write only below ``tmp_path``; ``real`` tests may."""

import gc
import socket
import subprocess
import warnings
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

from needed_programs import skipped_lines
from run_folder import RUN

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"

# Deadlines and the check of slow generation would be assertions about the speed of the machine, and fixtures
# that the examples of a test share are shared on purpose.
hypothesis.settings.register_profile(
    "cuvee",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("cuvee")


# What is imported and collected lives as long as the run: to look through it again and again for what could
# go takes a third of the time of collecting.
gc.disable()


def pytest_collection_finish() -> None:
    """Collect garbage again, but not in what has been made until now."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report tests without the filter that turns warnings into errors, which is for the tests themselves.

    Plugins import more when they report a failure: Hypothesis takes libcst where it is installed, and a
    warning that libcst causes would end the whole run with an internal error.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start what takes longest first: files with the mark ``minutes``, others with real tests, then the rest.

    Else one worker runs the last long file while the others wait. ``--no-loadscope-reorder`` keeps the order.
    """
    minutes = {item.path: mark.args[0] for item in items if (mark := item.get_closest_marker("minutes"))}
    real = {item.path for item in items if item.get_closest_marker("real")}
    items.sort(key=lambda item: (-minutes.get(item.path, 0), item.path not in real))


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    """End with a table of what was skipped and what would bring it, which `-q` would not say."""
    reports = terminalreporter.stats.get("skipped", [])
    lines = skipped_lines(str(report.longrepr[2]) for report in reports if isinstance(report.longrepr, tuple))
    if lines:
        terminalreporter.section("skipped tests, and what they need")
        for line in lines:
            terminalreporter.write_line(line)


@pytest.fixture(scope="session", autouse=True)
def _run_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    RUN.begin(tmp_path_factory)


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
    """Return the folder of real data of public projects; skip where this machine does not have it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("needs the real data in ../shared/data beside the repository")
    return SHARED_DATA
