"""Running `constructor` as a program of its own."""

import os
from collections.abc import Mapping
from pathlib import Path

from cuvee import process
from cuvee.errors import BlockedError, ToolMissingError
from cuvee.files import replacing, storage_errors
from cuvee.installers.constructor.project_writer import OLDEST
from cuvee.installers.program_versions import find_program
from cuvee.platforms import host
from cuvee.process import Request
from cuvee.progress import Reporter
from cuvee.temporary_folders import temporary_folder

_HINT = (
    f"Put constructor {OLDEST[0]}.{OLDEST[1]} or newer on PATH: `conda create -n constructor -c conda-forge "
    "constructor`, and that environment's bin on PATH."
)
_TIMEOUT = 3600.0
_SHOWN = 20
_STANDALONE = "CUVEE_CONDA_STANDALONE"
_BOUND = {"pkg": "osx", "msi": "win"}
"""Formats that constructor can make only on one system."""


def find_constructor() -> str:
    """Return the absolute path of the program, which supports the keys of our projects.

    Raises
    ------
    ToolMissingError
        If it is absent or too old.
    """
    return find_program("constructor", "--version", oldest=OLDEST, hint=_HINT)


def run_constructor(
    folder: Path,
    *,
    platform: str,
    kind: str,
    environment: Mapping[str, str],
    target: Path,
    cache: Path,
    reporter: Reporter,
) -> None:
    """Make one installer of the project in ``folder`` at ``target``, whole or not at all.

    Parameters
    ----------
    kind
        ``sh``, ``exe``, ``msi`` or ``pkg``.
    environment
        Variables in addition to this process's own.
    cache
        The folder of constructor's downloads.

    Raises
    ------
    ToolMissingError
        If constructor is absent or too old, if this host cannot make such an installer, or if it lacks the
        conda-standalone of the platform.
    BlockedError
        If constructor fails; the message has its last lines.
    """
    program = find_constructor()
    standalone = _standalone(platform, kind)
    reporter.start(target.name)
    with storage_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder("constructor", within=target.parent) as scratch:
        request = Request(
            argv=(
                *(program, ".", "--platform", platform, "--installer-type", kind),
                *("--output-dir", str(scratch), "--cache-dir", str(cache)),
                *(("--conda-exe", str(standalone)) if standalone is not None else ()),
            ),
            cwd=folder,
            environment={**os.environ, **environment},
            timeout=_TIMEOUT,
        )
        settings = " ".join(f"{name}={value}" for name, value in sorted(environment.items()))
        reporter.say(f"in {folder}: {settings} {request.line}")
        completed = process.run(request)
        if not completed.ok:
            raise _failure(f"{completed.stdout}\n{completed.stderr}", target.name)
        made = [path for path in Path(scratch).iterdir() if path.suffix == f".{kind}"]
        if len(made) != 1:
            raise BlockedError(f"constructor reported success, but made {len(made)} files for {target.name}")
        with replacing(target) as beside:
            made[0].replace(beside)
    target.chmod(0o755 if kind == "sh" else 0o644)
    reporter.finish(target.name, note=f"{target.stat().st_size / 1e6:,.1f} MB, by constructor")


def _standalone(platform: str, kind: str) -> Path | None:
    """Return the conda-standalone for the installer; `None` for the one that constructor finds itself."""
    here = host()
    if kind in _BOUND and (here is None or here.system != _BOUND[kind]):
        raise ToolMissingError(
            f"constructor makes no .{kind} on this system",
            hint="Set `engine: cuvee` in the manifest, which makes every format on every system.",
        )
    named = os.environ.get("CUVEE_CONDA_STANDALONE")
    if named:
        path = Path(named).absolute() / platform / "conda.exe"
        if path.is_file():
            return path
    if here is not None and here.name == platform:
        return None
    raise ToolMissingError(
        f"constructor needs the conda-standalone of {platform}",
        hint=f"Save it as {platform}/conda.exe in a folder, and set {_STANDALONE} to that folder.",
    )


def _failure(output: str, name: str) -> ToolMissingError | BlockedError:
    lines = [line.rstrip() for line in output.splitlines() if line.strip()]
    last = "\n".join(f"  {line}" for line in lines[-_SHOWN:])
    if "conda executable" in output or "--conda-exe" in output:
        return ToolMissingError(
            f"constructor found no conda-standalone for {name}:\n{last}",
            hint=f"Install conda-standalone beside constructor, or set {_STANDALONE} to a folder.",
        )
    return BlockedError(
        f"constructor could not make {name}; its last lines:\n{last}",
        hint="Run it by hand, as the first lines of its construct.yaml describe.",
    )
