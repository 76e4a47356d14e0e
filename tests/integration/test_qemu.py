"""The QEMU runner: when it refuses, what it asks for, and what it takes for QEMU's own limits."""

import sys
from pathlib import Path

import pytest

from cuvee import process
from cuvee.errors import SourceUnreachableError
from cuvee.integration.model import PlannedSuite, SuiteKind
from cuvee.integration.runners import qemu
from cuvee.integration.runners.protocol import Command, Sandbox
from cuvee.integration.runners.qemu import QemuRunner
from cuvee.integration.runners.selection import select_runner
from cuvee.platforms import get
from cuvee.process import Completed, Request
from needed_programs import HANGING, needs

PLACE = Sandbox(
    platform="linux-aarch64", prefix=Path("/t/release"), home=Path("/t/home"), temp=Path("/t/tmp")
)


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> QemuRunner:
    root = tmp_path / "root"
    (root / "lib").mkdir(parents=True)
    (root / "lib" / "ld-linux-aarch64.so.1").touch()
    (root / "lib" / "libc.so.6").write_bytes(b"\0GNU C Library stable release version 2.36.\n\0")
    monkeypatch.setenv("QEMU_LD_PREFIX", str(root))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("cuvee.platforms.host", lambda: get("linux-64"))
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(qemu, "_refused", lambda _: "")
    monkeypatch.setattr(qemu, "network_isolation", lambda _=None: ("isolate", "net"))
    return QemuRunner(tmp_path / "cache")


def test_programs_run_in_a_place_where_arm_programs_start(runner: QemuRunner, tmp_path: Path) -> None:
    assert runner.refusal("linux-aarch64") is None
    command = Command(program="tool", arguments=("-x", Path("/t/job/a b")), cwd=Path("/t/job"), timeout=5)
    request = runner.request(PLACE, command)
    assert request.argv[:2] == ("isolate", "net")
    start = request.argv.index("/usr/bin/qemu-aarch64-static")
    assert request.argv[start + 1 :] == ("/t/release/bin/tool", "-x", "/t/job/a b")
    environment = dict(request.environment or {})
    assert environment["QEMU_LD_PREFIX"] == str(tmp_path / "root")
    assert environment["CONDA_OVERRIDE_GLIBC"] == "2.36"
    uname = Path(environment["PATH"].partition(":")[0]) / "uname"
    assert "aarch64" in uname.read_text()
    assert uname.stat().st_mode & 0o111
    installing = runner.install(PLACE, Path("/t/Tiny.sh"), timeout=9)
    assert installing.argv[start + 1 :] == ("/bin/sh", "/t/Tiny.sh", "-b", "-p", "/t/release")


@pytest.mark.parametrize("platform", ["linux-64", "win-64", "osx-arm64"])
def test_other_platforms_are_no_business_of_it(platform: str, runner: QemuRunner) -> None:
    assert runner.refusal(platform) == ""


def test_on_arm_nothing_is_emulated(runner: QemuRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cuvee.platforms.host", lambda: get("linux-aarch64"))
    assert runner.refusal("linux-aarch64") == ""


def test_each_thing_that_may_be_missing_is_named(runner: QemuRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(self: QemuRunner) -> Path:
        raise SourceUnreachableError("apt can not reach a source\nmore of that")

    monkeypatch.setattr(QemuRunner, "_root", unreachable)
    assert runner.refusal("linux-aarch64") == ("there is no C library for ARM64: apt can not reach a source")
    monkeypatch.setattr(qemu, "_refused", lambda _: "emulation refused: [Errno 1] Operation not permitted")
    assert "no binfmt_misc table" in (runner.refusal("linux-aarch64") or "")
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert "qemu-user-static" in (runner.refusal("linux-aarch64") or "")


@pytest.mark.parametrize(
    ("stderr", "limit"),
    [
        ("qemu: Unsupported syscall: 439", "QEMU: Unsupported syscall: 439"),
        ("qemu: unhandled CPU exception 0x5 - aborting", "QEMU: unhandled CPU exception 0x5 - aborting"),
        ("qemu: uncaught target signal 11 (Segmentation fault) - core dumped", None),
        ("ImportError: no module named qemu", None),
    ],
)
def test_only_what_qemu_says_of_itself_is_its_limit(
    stderr: str, limit: str | None, runner: QemuRunner
) -> None:
    completed = Completed(request=Request(argv=("x",)), exit_code=1, stdout="", stderr=stderr, seconds=0)
    assert runner.limitation(completed) == limit


@pytest.mark.real
@needs("unshare")
def test_an_ordinary_user_has_a_table_too_and_stays_that_user() -> None:
    # Any program is an emulator as far as the table is concerned.
    refused = qemu._refused(sys.executable)
    if refused:
        pytest.skip(f"needs a Linux that gives user namespaces a binfmt_misc of their own: {refused}")
    user = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
    asked = (sys.executable, "-I", "-S", "-c", "import os; print(os.getuid(), os.getgid())")
    done = process.run(Request(argv=(*user, *qemu._emulated(sys.executable), *asked), timeout=HANGING))
    assert (done.stdout, done.stderr) == ("1000 1000\n", "")


def test_only_suites_that_end_soon(runner: QemuRunner) -> None:
    assert runner.suite_refusal(PlannedSuite(name="smoke")) is None
    assert runner.suite_refusal(PlannedSuite(name="desktop", kind=SuiteKind.LIFECYCLE)) is None
    for kind in (SuiteKind.COMMAND, SuiteKind.PACKAGED):
        assert runner.suite_refusal(PlannedSuite(name="quick", kind=kind)) is None
    assert "real ARM64" in (runner.suite_refusal(PlannedSuite(name="interop")) or "")


def test_it_is_asked_only_when_wanted() -> None:
    assert "QEMU" not in select_runner("linux-aarch64")[1]
    assert "QEMU" not in select_runner("linux-aarch64", emulate=True)[1]
