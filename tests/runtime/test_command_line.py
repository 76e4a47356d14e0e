"""The runtime's command lines: their help, their arguments, and errors that become exit codes."""

import errno
import os
from collections.abc import Iterator

import pytest

from cuvee.runtime import command_line
from cuvee.runtime.failure import DAMAGED, FAILED, USAGE, InstallError


@pytest.fixture(autouse=True)
def _own_process_state(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the signal handlers and the umask of the tests' own process."""
    monkeypatch.setattr(command_line, "_listen", lambda: None)
    mask = os.umask(0o022)
    yield
    os.umask(mask)


def test_help_has_every_verb() -> None:
    lines = command_line._USAGE.splitlines()[2:-3]
    shown = {line.split(" ")[0] for line in lines if not line.startswith(" ")}
    assert shown == {*command_line._ADMIN_VERBS, *command_line._WITH_FILE, "help"}


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        (["help"], 0),
        (["-h"], 0),
        ([], USAGE),
        (["exit"], USAGE),
        (["verify", "--jsn"], USAGE),
        (["verify", "INSTALLER"], USAGE),
        (["upgrade"], USAGE),
        (["repair", "--from"], USAGE),
        (["repair", "Tiny.sh"], USAGE),
        (["status"], USAGE),
        (["status", "errata.json"], USAGE),
        (["status", "--errata"], USAGE),
    ],
)
def test_arguments(argv: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.administer("/nowhere", argv) == code
    output, errors = capsys.readouterr()
    assert (output if code == 0 else errors).startswith("usage: <distribution>-admin VERB")


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            OSError(errno.ENOSPC, "No space left", "/x"),
            FAILED,
            "The disk is full (/x). Nothing was installed.",
        ),
        (OSError(errno.EACCES, "Permission denied"), FAILED, "Permission denied. Nothing was installed."),
        (InstallError("It is damaged.", DAMAGED), DAMAGED, "It is damaged."),
        (KeyboardInterrupt(), 130, "Interrupted; nothing was installed."),
        (ValueError("x"), FAILED, "ValueError: x. This should not happen; please report it."),
    ],
)
def test_errors_become_exit_codes(error: BaseException, code: int, message: str) -> None:
    told = []

    def fail() -> int:
        raise error

    def give_up(code: int, message: str) -> None:
        told.append((code, message))

    assert command_line.guarded(fail, give_up, unchanged="nothing was installed") == code
    assert told == [(code, message)]
