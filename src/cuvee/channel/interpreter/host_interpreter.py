"""The interpreter that runs cuvee as a source of the package `python`."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cuvee.channel.interpreter import elf
from cuvee.channel.interpreter.library_closure import host_finder
from cuvee.channel.interpreter.model import LinuxTree
from cuvee.channel.model import Absent
from cuvee.codec import decode
from cuvee.errors import SourceUnreachableError
from cuvee.files import parse_json
from cuvee.process import Request, run

_CHANNEL_HINT = "Use a channel that carries python, or run cuvee with a python.org-like CPython."

# Run by the base interpreter, since cuvee itself runs in a virtual environment.
_PROBE = """
import json, os, sys, sysconfig
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": "%d.%d.%d" % sys.version_info[:3],
    "release": sys.version_info[3],
    "abiflags": getattr(sys, "abiflags", "") + ("t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""),
    "executable": os.path.realpath(sys.executable),
    "prefix": sys.base_prefix,
    "stdlib": os.path.dirname(os.path.realpath(os.__file__)),
    "libdir": getattr(sys, "platlibdir", "lib"),
    "include": sysconfig.get_path("include") or "",
    "wheels": sysconfig.get_config_var("WHEEL_PKG_DIR") or "",
    "multiarch": sysconfig.get_config_var("MULTIARCH") or "",
    "soabi": sysconfig.get_config_var("SOABI") or "",
    "builtins": sys.builtin_module_names,
}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpreterDescription:
    """An interpreter's description of itself; see `sys` and `sysconfig` for the meaning."""

    implementation: str
    version: str
    release: str
    abiflags: str
    executable: Path
    prefix: Path
    stdlib: Path
    libdir: str
    include: Path
    wheels: Path
    multiarch: str
    soabi: str
    builtins: tuple[str, ...]


def base_executable() -> Path:
    """Return the interpreter behind the virtual environment that runs this process."""
    return Path(os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable))


def probe(executable: Path) -> InterpreterDescription:
    """Run an interpreter, isolated from its environment, and return its description of itself.

    Raises
    ------
    SourceUnreachableError
        If it does not run.
    """
    environment = {
        name: value for name, value in os.environ.items() if name in {"PATH", "LD_LIBRARY_PATH", "HOME"}
    }
    completed = run(
        Request(argv=(str(executable), "-I", "-S", "-c", _PROBE), environment=environment, timeout=60)
    )
    if not completed.ok:
        raise SourceUnreachableError(
            f"The interpreter {executable} does not run\n{completed.stderr.strip()}", hint=_CHANNEL_HINT
        )
    try:
        return decode(InterpreterDescription, parse_json(completed.stdout))
    except ValueError as error:
        raise SourceUnreachableError(
            f"The answer of the interpreter {executable} cannot be read: {error}", hint=_CHANNEL_HINT
        ) from None


def host_tree(
    platform: str, probed: InterpreterDescription, environment: Mapping[str, str]
) -> LinuxTree | Absent:
    """Return the host's interpreter as a tree to pack, or the reason why it cannot be packed."""
    reason = _unfit(probed)
    if reason:
        return Absent(platform=platform, reason=reason, hint=_CHANNEL_HINT)
    return LinuxTree(
        platform=platform,
        version=probed.version,
        executable=probed.executable,
        stdlib=probed.stdlib,
        dynload=probed.stdlib / "lib-dynload",
        prefix=str(probed.prefix),
        root=Path("/"),
        find_library=host_finder(environment),
        find_license=debian_license,
        libdir=probed.libdir,
        include=probed.include if (probed.include / "Python.h").is_file() else None,
        wheels=probed.wheels if probed.wheels.is_absolute() else None,
        multiarch=probed.multiarch,
        builtins=frozenset(probed.builtins),
        origin=f"{_owner(probed)} CPython {probed.version} of this machine",
    )


def _unfit(probed: InterpreterDescription) -> str:
    if probed.implementation != "cpython":
        return f"cuvee runs on {probed.implementation}, and only CPython can be packed"
    if probed.release != "final":
        return f"cuvee runs on a pre-release, CPython {probed.version} {probed.release}"
    if probed.abiflags:
        return f"cuvee runs on a special build of CPython (ABI flags {probed.abiflags!r})"
    if not elf.is_elf(probed.executable):
        return f"{probed.executable} is not a Linux program"
    if "musl" in probed.soabi:
        return "cuvee runs on a CPython that is built against musl, and packages for Linux are for glibc"
    return ""


def _owner(probed: InterpreterDescription) -> str:
    prefix = str(probed.prefix)
    if ".pyenv" in prefix or "/pyenv/" in prefix:
        return "pyenv's"
    if prefix == "/usr":
        return "the distribution's"
    if prefix == "/usr/local":
        return "the locally built"
    if (probed.prefix / "conda-meta").is_dir():
        return "conda's"
    return "a standalone"


def debian_license(library: Path) -> Mapping[str, bytes]:
    """Return the copyright file of the Debian package that contains a library of this machine."""
    tool = shutil.which("dpkg-query")
    if tool is None:
        return {}
    # dpkg has the file under either name where /lib is a link to /usr/lib (https://wiki.debian.org/UsrMerge).
    for name in sorted({str(library), str(library).removeprefix("/usr")}):
        completed = run(Request(argv=(tool, "--search", name), environment={"LC_ALL": "C"}, timeout=60))
        package = completed.stdout.partition(":")[0]
        path = Path("/usr/share/doc", package, "copyright")
        if completed.ok and path.is_file():
            return {f"{package}.txt": path.read_bytes()}
    return {}
