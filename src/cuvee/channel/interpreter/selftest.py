"""Testing whether a packed interpreter works in any prefix."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cuvee.channel.interpreter.model import TIMESTAMP, InterpreterContent
from cuvee.channel.package_writer import PackageFile
from cuvee.codec import decode
from cuvee.errors import CuveeError
from cuvee.files import parse_json, storage_errors
from cuvee.process import Request, run
from cuvee.temporary_folders import temporary_folder

PROGRAM = Path(__file__).with_name("selftest_program.py")

AWKWARD = "un préfixe"
"""The name of a folder, with a space and a letter outside ASCII."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestResult:
    """What the self-test of an interpreter prints: ``problems`` are tracebacks by failed check."""

    version: str
    problems: Mapping[str, str]


def selftest(
    prefix: Path, *, runner: Sequence[str] = (), skip: Iterable[str] = (), timeout: float = 300
) -> SelfTestResult:
    """Check ssl, sqlite3, ctypes, compression, hashlib, venv, multiprocessing and the origin of modules.

    ``runner`` is a program that starts the interpreter, with its arguments, such as an emulator, and ``skip``
    are names of checks that it does not support.

    Raises
    ------
    CuveeError
        If it does not start.
    """
    python = prefix / "bin" / "python3"
    if not python.exists():
        python = prefix / "python.exe"
    with temporary_folder("selftest") as folder:
        scratch, program = str(folder), folder / "selftest.py"
        program.write_bytes(PROGRAM.read_bytes())
        environment = {"HOME": scratch, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        argv = (*runner, str(python), "-s", "-B", str(program), str(prefix), scratch, *skip)
        completed = run(Request(argv=argv, cwd=folder, environment=environment, timeout=timeout))
    try:
        return decode(SelfTestResult, parse_json(completed.stdout))
    except ValueError:
        raise CuveeError(
            f"The packed interpreter does not run (exit {completed.exit_code})\n{completed.stderr.strip()}",
            hint="Run cuvee with another CPython, or use a channel that carries python.",
        ) from None


def check_content(content: InterpreterContent, scratch: Path) -> None:
    """Install ``content`` below ``scratch``, in a folder with an awkward name, and run the self-test there.

    The system's folder for temporary files may be mounted without permission to run programs (noexec).

    Raises
    ------
    CuveeError
        With the checks that fail.
    """
    with storage_errors(scratch):
        scratch.mkdir(parents=True, exist_ok=True)
    with temporary_folder("interpreter", within=scratch) as folder, storage_errors(folder):
        prefix = folder / AWKWARD
        install(content.files, prefix)
        (prefix / content.site_packages).mkdir()
        result = selftest(prefix)
    if result.problems:
        ends = {name: trace.strip().splitlines()[-1] for name, trace in result.problems.items()}
        text = "\n".join(f"  {name}: {end}" for name, end in ends.items())
        raise CuveeError(
            f"The packed interpreter ({content.origin}) does not work\n{text}",
            hint="Run cuvee with another CPython, or use a channel that carries python.",
        )


def install(files: Iterable[PackageFile], prefix: Path) -> None:
    """Write the files of a package without changes."""
    for file in files:
        target = prefix / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.link_target is not None:
            target.symlink_to(file.link_target)
        else:
            target.write_bytes(file.read())
            target.chmod(0o755 if file.executable else 0o644)
            os.utime(target, (TIMESTAMP // 1000, TIMESTAMP // 1000))  # which its byte code states
