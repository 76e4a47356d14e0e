import ast
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

import cuvee
from cuvee.cli.main import COMMANDS, cli, run
from cuvee.errors import (
    BlockedError,
    BusyError,
    CuveeError,
    ExhaustedError,
    IntegrityError,
    ManifestError,
    SourceUnreachableError,
    StorageError,
    ToolMissingError,
    UsageError,
)
from python_sources import parsed, python_files

ELSEWHERE = {"runtime", "inside", "desktop"}
"""Folders whose code runs in other interpreters than cuvee's."""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert f"cuvee {name} " in capsys.readouterr().out or name == "schema"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)


@pytest.mark.parametrize(
    "argv", [["relase"], ["release"], ["release", "--nonsense", "x.yaml"], ["--nonsense"]]
)
def test_wrong_usage_exits_with_2_and_says_so(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(argv) == 2
    captured = capsys.readouterr()
    assert not captured.out
    assert captured.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BlockedError("x"), 1),
        (StorageError("x"), 6),
        (ExhaustedError("x"), 6),
        (BusyError("x"), 7),
        (UsageError("x"), 2),
        (ManifestError("x"), 2),
        (ToolMissingError("x"), 3),
        (SourceUnreachableError("x"), 4),
        (IntegrityError("x"), 5),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_become_exit_codes_and_messages(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**kwargs: object) -> None:
        if isinstance(error, CuveeError):
            error.message, error.hint = "what and where", "what to do"
        raise error

    monkeypatch.setattr(cli, "main", fail)
    assert run([]) == code
    err = capsys.readouterr().err
    assert "Traceback" not in err
    if isinstance(error, CuveeError):
        assert "error: what and where" in err
        assert "next: what to do" in err


def test_a_bug_ends_in_a_message_and_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**kwargs: object) -> None:
        raise ZeroDivisionError("the cause")

    monkeypatch.setattr(cli, "main", fail)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run([]) == 70
    assert "Traceback" not in capsys.readouterr().err
    (log,) = tmp_path.iterdir()
    assert "ZeroDivisionError: the cause" in log.read_text()


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("can't start new thread"),
        BrokenProcessPool("A process was terminated abruptly"),
        ImportError("x.so: failed to map segment from shared object"),
    ],
)
def test_too_little_memory_is_not_a_bug(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**kwargs: object) -> None:
        raise error

    monkeypatch.setattr(cli, "main", fail)
    assert run([]) == 6
    assert "too little memory" in capsys.readouterr().err


def test_a_bug_is_told_where_no_log_can_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class PanicException(BaseException):
        """What Rust raises."""

    def fail(**kwargs: object) -> None:
        raise PanicException

    monkeypatch.setattr(cli, "main", fail)
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    assert run([]) == 70
    assert "This is a bug in cuvee" in capsys.readouterr().err


def test_a_missing_manifest_is_a_clear_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["release", str(tmp_path / "2026.11.0.yaml")]) == 2
    assert "2026.11.0.yaml" in capsys.readouterr().err


def test_a_report_of_what_was_never_cut_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = Path(__file__).parents[2] / "manifests" / "starter" / "2026.11.0.yaml"
    assert run(["report", str(manifest), "--dist", str(tmp_path / "dist")]) == 2
    assert f"No release has been cut in {tmp_path / 'dist' / 'starter-2026.11.0'}" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_library_neither_prints_nor_exits() -> None:
    root = Path(cuvee.__file__).parent
    for path in python_files(root):
        inside = path.relative_to(root).parts
        if inside[0] in {"cli", "__main__.py"} or ELSEWHERE & set(inside):
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                assert name not in {"print", "sys.exit", "exit", "os._exit"}, f"{path}:{node.lineno} {name}"


def test_programs_run_in_one_place_only() -> None:
    elsewhere = {
        "process.py",
        "selftest_program.py",
        "compile_batch.py",
    }  # the last two run in other interpreters
    root = Path(cuvee.__file__).parent
    for path in python_files(root):
        inside = path.relative_to(root).parts
        if inside[-1] in elsewhere or ELSEWHERE & set(inside):
            continue
        source = path.read_text(encoding="utf-8")
        assert "import subprocess" not in source, path
        assert "os.system" not in source, path


@pytest.mark.real
def test_help_imports_nothing_heavy() -> None:
    from cuvee.process import Request
    from cuvee.process import run as run_program

    heavy = ("rattler", "networkx", "jinja2", "requests", "lief", "rich", "pandas", "zstandard", "yaml")
    code = (
        "import sys; from cuvee.cli.main import run; run(['--help']); "
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = run_program(Request(argv=(sys.executable, "-c", code)))
    assert done.stderr.strip() == "[]"
