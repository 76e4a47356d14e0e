"""Packages that exist only in build environments: what makes builds reproducible, and the host's compilers.

Both work by activation scripts, as conda's own compiler packages do:
https://docs.conda.io/projects/conda-build/en/stable/resources/compiler-tools.html
"""

import re
import shlex
import shutil
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from cuvee.build.cross_building import MACHINES, TRIPLETS, compiler_packages, compiler_program
from cuvee.build.model import COMPILERS
from cuvee.build.rattler_engine import BUILD_SETTINGS, HOST_PATH
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.errors import ToolMissingError
from cuvee.process import Request, run

_VARIABLES = {"gcc": "CC", "gxx": "CXX", "gfortran": "FC"}
_FLAGS = """\
export CPPFLAGS="-I$PREFIX/include${CPPFLAGS:+ $CPPFLAGS}"
export LDFLAGS="-L$PREFIX/lib -Wl,-rpath,$PREFIX/lib -Wl,-rpath-link,$PREFIX/lib"
_cuvee_flags="-O2 -fPIC -I$PREFIX/include -ffile-prefix-map=$SRC_DIR=. -ffile-prefix-map=$PREFIX=."
export CFLAGS="$_cuvee_flags" CXXFLAGS="$_cuvee_flags" FFLAGS="-O2 -fPIC -ffile-prefix-map=$SRC_DIR=."
unset _cuvee_flags
"""
_WINDOWS_FLAGS = """\
export CPPFLAGS="-I$PREFIX/Library/include${CPPFLAGS:+ $CPPFLAGS}"
export LDFLAGS="-L$PREFIX/Library/lib -static-libgcc -Wl,--no-insert-timestamp"
_cuvee_flags="-O2 -I$PREFIX/Library/include -ffile-prefix-map=$SRC_DIR=. -ffile-prefix-map=$PREFIX=."
export CFLAGS="$_cuvee_flags" CXXFLAGS="$_cuvee_flags" FFLAGS="-O2 -ffile-prefix-map=$SRC_DIR=."
unset _cuvee_flags
"""


def write_settings(epoch: int, platform: str, folder: Path, *, home: Path, temporary: Path) -> Path:
    """Write the package that every build environment has: the time, and what must not differ between runs."""
    script = (
        f"export HOME={shlex.quote(str(home))} TMPDIR={shlex.quote(str(temporary))}\n"
        f"export SOURCE_DATE_EPOCH={epoch} PYTHONHASHSEED=0 PYTHONDONTWRITEBYTECODE=1 TZ=UTC LC_ALL=C.UTF-8\n"
        "export PIP_NO_INDEX=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore\n"
        'if [ -n "${SP_DIR:-}" ]; then mkdir -p "$SP_DIR"; fi\n'
    )
    return write_package(_content(BUILD_SETTINGS, "1", platform, script), folder / platform)


def compilers_in(specs: Iterable[str], platform: str, carried: frozenset[str]) -> list[str]:
    """Return those of `COMPILERS` that specs ask for and no channel carries."""
    names = {spec.split()[0] for spec in specs if spec.strip()}
    wanted = {name for name in COMPILERS if f"{name}_{platform}" in names - carried}
    return [name for name in COMPILERS if name in wanted]


def compiler_version(name: str, platform: str = "", machine: str = "") -> str:
    """Return the version of the compiler of this machine that compiles for a platform.

    Raises
    ------
    ToolMissingError
        If it is not installed, or does not say.
    """
    program = compiler_program(name, platform, machine)
    found = _version(program)
    if found is None:
        raise ToolMissingError(
            f"The compiler {program} is not installed, and no channel carries {name}",
            hint=f"Install it with `apt install {compiler_packages(name, platform, machine)}`, "
            "or add a channel that has it.",
        )
    return found


@cache
def _version(program: str) -> str | None:
    path = shutil.which(program, path=HOST_PATH)
    if path is None:
        return None
    answer = run(Request(argv=(path, "-dumpfullversion", "-dumpversion"), timeout=60))
    version = answer.stdout.strip().replace("-", "_")  # 12-win32 of mingw-w64
    return version if answer.ok and re.fullmatch(r"[0-9][0-9A-Za-z._]*", version) else None


def write_compiler(name: str, platform: str, machine: str, folder: Path) -> Path:
    """Write the package ``<name>_<platform>`` that stands for a compiler of this machine."""
    flags = _WINDOWS_FLAGS if platform.startswith("win-") else _FLAGS
    script = f"export {_VARIABLES[name]}={compiler_program(name, platform, machine)}\n{flags}"
    prefix = "" if platform == machine else f"{TRIPLETS[platform]}-"
    if name == "gcc":
        script += f"export AR={prefix}ar RANLIB={prefix}ranlib NM={prefix}nm\n"
    if prefix:
        script += f"export HOST={TRIPLETS[platform]} BUILD={MACHINES[machine]}\n"
    version = compiler_version(name, platform, machine)
    return write_package(
        _content(f"{name}_{platform}", version, machine, script, build="host_0"), folder / machine
    )


def _content(name: str, version: str, platform: str, script: str, *, build: str = "0") -> PackageContent:
    file = PackageFile(path=f"etc/conda/activate.d/{name}.sh", content=script.encode())
    return PackageContent(
        name=name, version=version, build=build, subdir=platform, timestamp=0, files=(file,)
    )
