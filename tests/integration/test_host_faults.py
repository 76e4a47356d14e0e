"""Faults of the host are told from those of the release."""

from pathlib import Path

import pytest

from cuvee.integration.host_faults import host_fault
from cuvee.integration.inside.far_side import FAULT
from cuvee.integration.model import Plan, smoke_test
from cuvee.integration.outcomes import OutcomeState
from cuvee.integration.runners.native import NativeRunner
from cuvee.integration.runners.protocol import Sandbox
from cuvee.integration.test_session import TestSession


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("tar: lib/x: Cannot write: No space left on device", "space"),
        ("OSError: [Errno 28] No space left on device: 'x'", "space"),
        ("OSError: [Errno 122] Disk quota exceeded", "space"),
        ("Error: Tiny 2026.11.0 needs 127 MB in /tmp/a b, but only 5 MB are free.", "space"),
        ("sh: Cannot fork: Cannot allocate memory", "memory"),
        ("Traceback …\nMemoryError", "memory"),
        ("RuntimeError: can't start new thread", "memory"),
        ("$ python\n# killed by SIGKILL after 3.1 s", "killed"),
        ("OSError: out of pty devices", "terminal"),
        (f"lib/y: Permission denied: {FAULT}", "prepare"),
        (f"lib/y: No space left on device: {FAULT}", "space"),
        ("bash: fork: retry: Resource temporarily unavailable", "processes"),
        ("--- stdout\nApplication could not be started\nShellExecuteEx failed: Internal error.\n", "Wine"),
    ],
)
def test_a_fault_of_the_host(text: str, means: str) -> None:
    assert means in host_fault("", text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# killed by SIGSEGV after 1.0 s",
        "ShellExecuteEx failed: File not found.",
        "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 8.00 EiB",
        "ImportError: cannot import name 'MemoryError'",
        "# stopped for taking too long after 120.0 s",
    ],
)
def test_a_fault_of_the_release(text: str) -> None:
    assert host_fault(text) == ""


@pytest.mark.parametrize("state", OutcomeState)
def test_only_failures_are_blamed_on_the_host(tmp_path: Path, state: OutcomeState) -> None:
    sandbox = Sandbox(platform="linux-64", prefix=tmp_path, home=tmp_path, temp=tmp_path)
    session = TestSession(
        plan=Plan(platform="linux-64", packages=()),
        runner=NativeRunner(),
        sandbox=sandbox,
        logs=tmp_path,
        work=tmp_path,
        timeout=1,
    )
    found = session.outcome(smoke_test("import:a", "a"), state, 1, reason="no", log="[Errno 28]")
    expected = OutcomeState.INFRA_ERROR if state is OutcomeState.FAIL else state
    assert (found.state, "no space left" in found.reason) == (expected, state is OutcomeState.FAIL)
