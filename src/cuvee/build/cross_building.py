"""Building for another platform on this machine: which compilers do that, and what of it can be run here.

Debian's cross compilers are named by the target, as GNU programs are:
https://www.gnu.org/software/autoconf/manual/autoconf.html#Specifying-Target-Triplets.
"""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cuvee.build.model import COMPILERS, Output
from cuvee.build.rattler_engine import HOST_PATH
from cuvee.conda.match_spec import read_spec

MACHINES = {"linux-64": "x86_64-linux-gnu"}
"""Machines that build for others, and their GNU names."""

TRIPLETS = {"linux-aarch64": "aarch64-linux-gnu", "win-64": "x86_64-w64-mingw32"}
"""Platforms that they build for, and the GNU names of those."""

_DEBIAN = {
    "linux-aarch64": {"gcc": "gcc", "gxx": "g++", "gfortran": "gfortran"},
    "win-64": {
        "gcc": "gcc-mingw-w64-x86-64",
        "gxx": "g++-mingw-w64-x86-64",
        "gfortran": "gfortran-mingw-w64-x86-64",
    },
}
_C_LIBRARIES = {"linux-aarch64": " libc6-dev-arm64-cross", "win-64": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildTarget:
    """A platform that packages are built for.

    Attributes
    ----------
    command
        What to prefix a command with, so that programs of the platform start.
    environment
        The variables that this needs.
    not_run
        Why programs of the platform do not run on this machine; empty if they do.
    """

    platform: str
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    not_run: str = ""


def can_build_for(platform: str, machine: str) -> bool:
    """Return whether there are compilers for a platform that run on a machine of ours."""
    return machine in MACHINES and platform in TRIPLETS


def compiler_program(name: str, platform: str, machine: str) -> str:
    """Return the program that stands for a compiler: on a machine, for a platform."""
    program = COMPILERS[name]
    return program if platform == machine else f"{TRIPLETS[platform]}-{program}"


def compiler_packages(name: str, platform: str, machine: str) -> str:
    """Return the packages of Debian that have a compiler for a platform."""
    if platform == machine:
        return f"{COMPILERS[name]} libc6-dev"
    package = _DEBIAN[platform][name]
    if platform != "win-64":
        package = f"{package}-{TRIPLETS[platform]}"
    return f"{package}{_C_LIBRARIES[platform]}"


def why_not_built(output: Output, target: BuildTarget, machine: str) -> str:
    """Return why a package cannot be built for another platform on this machine; empty if it can."""
    platform = target.platform
    if not can_build_for(platform, machine):
        return f"it is compiled, and this machine builds only for {_platforms(machine)}"
    if output.recipe.engine != "rattler-build":
        return f"{output.recipe.engine} builds only for the platform of this machine"
    names = {read_spec(spec).name for spec in output.build_specs}
    for name in COMPILERS:
        program = compiler_program(name, platform, machine)
        if f"{name}_{platform}" in names and shutil.which(program, path=HOST_PATH) is None:
            return (
                f"{program} is not installed "
                f"(Debian packages {compiler_packages(name, platform, machine).replace(' ', ', ')})"
            )
    if target.not_run and "python" in {read_spec(spec).name for spec in output.host_specs}:
        return f"its build runs the python of {platform}; {target.not_run}"
    return ""


def _platforms(machine: str) -> str:
    names = [machine, *(TRIPLETS if machine in MACHINES else ())]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def needed_for(
    requested: Iterable[str], outputs: Mapping[str, Output], needs: Mapping[str, Iterable[str]]
) -> frozenset[str]:
    """Return the names of outputs that are requested, and of those that they need."""
    found: set[str] = set()
    waiting = [name for name in requested if name in outputs]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += needs[name]
    return frozenset(found)
