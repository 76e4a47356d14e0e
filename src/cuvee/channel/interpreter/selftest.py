"""Does a packed interpreter work, wherever it is put? It is asked itself."""

import json
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cuvee.channel.interpreter.model import InterpreterContent
from cuvee.channel.package_writer import PackageFile
from cuvee.errors import CuveeError
from cuvee.files import storage_errors
from cuvee.process import Request, run

PROGRAM = Path(__file__).with_name("selftest_program.py")

AWKWARD = "un préfixe"
"""A folder's name with a space and a letter outside of ASCII."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfTestResult:
    """What an interpreter said of itself.

    Attributes
    ----------
    problems
        Name of a check and the end of its traceback.
    """

    version: str
    problems: tuple[tuple[str, str], ...]

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return not self.problems


def selftest(
    prefix: Path, *, runner: Sequence[str] = (), skip: Iterable[str] = (), timeout: float = 300
) -> SelfTestResult:
    """Check ssl, sqlite3, ctypes, compression, hashlib, venv, multiprocessing and where modules come from.

    Parameters
    ----------
    prefix
        Where the package was installed.
    runner
        A program that starts it, with its arguments, such as an emulator.
    skip
        Names of checks that its runner can not do.

    Raises
    ------
    CuveeError
        If it does not even start.
    """
    python = prefix / "bin" / "python3"
    if not python.exists():
        python = prefix / "python.exe"
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch, "selftest.py")
        program.write_bytes(PROGRAM.read_bytes())
        environment = {"HOME": scratch, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        argv = (*runner, str(python), "-s", "-B", str(program), str(prefix), scratch, *skip)
        completed = run(Request(argv=argv, cwd=Path(scratch), environment=environment, timeout=timeout))
    try:
        said = json.loads(completed.stdout)
    except ValueError:
        raise CuveeError(
            f"The packed interpreter does not run (exit {completed.exit_code})\n{completed.stderr.strip()}",
            hint="Run cuvee with another CPython, or use a channel that carries python.",
        ) from None
    return SelfTestResult(version=said["version"], problems=tuple(said["problems"].items()))


def check_content(layout: InterpreterContent, scratch: Path) -> None:
    """Install ``layout`` below ``scratch``, in a folder with an awkward name, and run the self-test there.

    The system's folder for temporary files would not do: some forbid to run programs there.

    Raises
    ------
    CuveeError
        With what does not work.
    """
    with storage_errors(scratch):
        scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder, storage_errors(Path(folder)):
        prefix = Path(folder, AWKWARD)
        install(layout.files, prefix)
        (prefix / layout.site_packages).mkdir()
        result = selftest(prefix)
    if not result.ok:
        text = "\n".join(f"  {name}: {trace.strip().splitlines()[-1]}" for name, trace in result.problems)
        raise CuveeError(
            f"The packed interpreter ({layout.origin}) does not work\n{text}",
            hint="Run cuvee with another CPython, or use a channel that carries python.",
        )


def install(files: Iterable[PackageFile], prefix: Path) -> None:
    """Write a package's files as they are."""
    for file in files:
        target = prefix / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.link_target is not None:
            target.symlink_to(file.link_target)
        else:
            target.write_bytes(file.read())
            target.chmod(0o755 if file.executable else 0o644)
