"""Virtual packages: properties of a system as packages that it offers to the solver."""

from collections.abc import Mapping
from dataclasses import dataclass

from cuvee.conda.package_record import VIRTUAL, Record
from cuvee.platforms import get

_ARCHSPEC = {
    "linux-64": "x86_64",
    "osx-64": "x86_64",
    "win-64": "x86_64",
    "linux-aarch64": "aarch64",
    "osx-arm64": "m1",
}


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
    """Return the virtual packages of the oldest system that the release supports, sorted by name.

    Rules: https://github.com/conda/ceps/blob/main/cep-0030.md
    """
    system = get(platform).system
    found = {
        "__archspec": VirtualPackage(
            name="__archspec", version="1", build=floor.get("archspec", _ARCHSPEC[platform])
        )
    }
    if system == "win":
        found["__win"] = VirtualPackage(name="__win", version=floor.get("win", "0"))
    else:
        found["__unix"] = VirtualPackage(name="__unix", version="0")
        found[f"__{system}"] = VirtualPackage(name=f"__{system}", version=floor.get(system, "0"))
    for key in ("glibc", "cuda"):
        if key in floor:
            found[f"__{key}"] = VirtualPackage(name=f"__{key}", version=floor[key])
    return tuple(found[name] for name in sorted(found))
