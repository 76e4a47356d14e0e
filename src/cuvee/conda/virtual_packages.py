"""Virtual packages: properties of a system as packages that it offers to the solver."""

from collections.abc import Mapping
from dataclasses import dataclass

from cuvee.conda.package_record import VIRTUAL, Record

_ARCHSPEC = {"32": "x86", "64": "x86_64", "arm64": "aarch64"}
"""Names of microarchitectures by machine, the part of a subdir after the system; others have one name."""

_IN_ARCHSPEC = {"aarch64", "armv6l", "armv7l", "m1", "ppc64", "ppc64le", "riscv64", "s390x", "x86", "x86_64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualPackage:
    """What a platform offers to the solver, such as ``__glibc 2.28``."""

    name: str
    version: str
    build: str = "0"

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def record(self) -> Record:
        """The same as a record, for a solver."""
        return Record(name=self.name, version=self.version, build=self.build, subdir=VIRTUAL)


def virtual_packages(platform: str, floor: Mapping[str, str]) -> tuple[VirtualPackage, ...]:
    """Return the virtual packages of the oldest system that is supported, sorted by name.

    The platform may be any subdir with packages, also one that no release can have. Rules:
    https://github.com/conda/ceps/blob/main/cep-0030.md
    """
    system, _, machine = platform.partition("-")
    default = "m1" if platform == "osx-arm64" else _ARCHSPEC.get(machine, machine)
    build = floor.get("archspec", default)
    version = "1" if "archspec" in floor or build in _IN_ARCHSPEC else "0"
    found = {"__archspec": VirtualPackage(name="__archspec", version=version, build=build)}
    if system != "win":
        found["__unix"] = VirtualPackage(name="__unix", version="0")
    if system in {"linux", "osx", "win"}:
        found[f"__{system}"] = VirtualPackage(name=f"__{system}", version=floor.get(system, "0"))
    for key in ("glibc", "cuda"):
        if key in floor:
            found[f"__{key}"] = VirtualPackage(name=f"__{key}", version=floor[key])
    return tuple(found[name] for name in sorted(found))
