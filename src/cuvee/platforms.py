"""Platforms, as data.

A platform is a conda subdir. `noarch` is a subdir for packages, but not a platform.
"""

import platform as _host
import sys
from dataclasses import dataclass
from typing import Literal, get_args

from cuvee.errors import UsageError

System = Literal["linux", "osx", "win"]

SYSTEMS: tuple[System, ...] = get_args(System)

SYSTEM_SYNONYMS = {"windows": "win", "macos": "osx", "mac": "osx", "darwin": "osx"}
"""Other names of systems that people use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One platform.

    Attributes
    ----------
    name
        The conda subdir, such as ``linux-64``.
    system
        The operating system: ``linux``, ``osx`` or ``win``.
    machine
        The value of `platform.machine` there.
    label
        As in an installer's file name, such as ``Linux-x86_64``.
    title
        For people.
    markers
        The environment markers that depend only on the platform
        (https://packaging.python.org/en/latest/specifications/dependency-specifiers/).
    wheel_arch
        The architecture in the platform tags of wheels, as in ``manylinux_2_28_<wheel_arch>``.
    """

    name: str
    system: System
    machine: str
    label: str
    title: str
    markers: tuple[tuple[str, str], ...]
    wheel_arch: str

    def __str__(self) -> str:
        return self.name

    @property
    def is_windows(self) -> bool:
        """Whether paths and launchers are those of Windows."""
        return self.system == "win"


_POSIX = (("os_name", "posix"),)
_LINUX = (*_POSIX, ("platform_system", "Linux"), ("sys_platform", "linux"))
_OSX = (*_POSIX, ("platform_system", "Darwin"), ("sys_platform", "darwin"))
_WIN = (("os_name", "nt"), ("platform_system", "Windows"), ("sys_platform", "win32"))

PLATFORMS: dict[str, Platform] = {
    platform.name: platform
    for platform in (
        Platform(
            name="linux-64", system="linux", machine="x86_64", label="Linux-x86_64",
            title="Linux, x86-64", markers=(*_LINUX, ("platform_machine", "x86_64")), wheel_arch="x86_64",
        ),
        Platform(
            name="linux-aarch64", system="linux", machine="aarch64", label="Linux-aarch64",
            title="Linux, ARM64", markers=(*_LINUX, ("platform_machine", "aarch64")), wheel_arch="aarch64",
        ),
        Platform(
            name="osx-64", system="osx", machine="x86_64", label="MacOSX-x86_64",
            title="macOS, Intel", markers=(*_OSX, ("platform_machine", "x86_64")), wheel_arch="x86_64",
        ),
        Platform(
            name="osx-arm64", system="osx", machine="arm64", label="MacOSX-arm64",
            title="macOS, Apple silicon", markers=(*_OSX, ("platform_machine", "arm64")), wheel_arch="arm64",
        ),
        Platform(
            name="win-64", system="win", machine="AMD64", label="Windows-x86_64",
            title="Windows, x86-64", markers=(*_WIN, ("platform_machine", "AMD64")), wheel_arch="amd64",
        ),
    )
}  # fmt: skip

_X86_64 = (
    "x86_64 x86_64_v2 x86_64_v3 x86_64_v4 nocona core2 nehalem westmere sandybridge ivybridge haswell"
    " broadwell skylake mic_knl skylake_avx512 cannonlake cascadelake icelake sapphirerapids alderlake"
    " arrowlake arrowlake_s k10 bulldozer piledriver steamroller excavator zen zen2 zen3 zen4 zen5 zen6"
)
_AARCH64 = (
    "aarch64 armv8.1a armv8.2a armv8.3a armv8.4a armv8.5a armv8.6a armv9.0a armv9.2a thunderx2 a64fx"
    " cortex_a72 neoverse_n1 neoverse_v1 neoverse_v2 neoverse_n2 ampere1 ampere1a neoverse_v3ae olympus"
)
_APPLE = ("m1", "m2", "m3", "m4")
PROCESSOR_FAMILIES = {
    "64": _X86_64.split(),
    "aarch64": _AARCH64.split(),
    "arm64": [*_APPLE, *_AARCH64.split()],
}
"""The names that archspec 0.2.7 has for processor families, by the part of a platform after the system.

https://github.com/archspec/archspec-json
"""

FLOOR_KEYS: dict[str, tuple[str, ...]] = {
    "linux": ("glibc", "linux", "cuda", "archspec"),
    "osx": ("osx", "archspec"),
    "win": ("win", "cuda", "archspec"),
}
"""The floors that a platform of each system may state."""

DEFAULT_FLOOR: dict[str, dict[str, str]] = {
    "linux": {"glibc": "2.28", "linux": "4.18"},
    "osx": {"osx": "11.0"},
    "win": {"win": "10"},
}
"""The floor of a platform whose floor the manifest does not state: RHEL 8, macOS 11, Windows 10."""


def get(name: str) -> Platform:
    """Return the platform called ``name``."""
    try:
        return PLATFORMS[name]
    except KeyError:
        raise UsageError(f"There is no platform {name!r}", hint=f"Known: {', '.join(PLATFORMS)}") from None


def host() -> Platform | None:
    """Return the platform that runs this process, or `None` if cuvee does not know it."""
    system = {"linux": "linux", "darwin": "osx", "win32": "win"}.get(sys.platform)
    machine = _host.machine().lower().replace("amd64", "x86_64")
    for platform in PLATFORMS.values():
        if platform.system == system and platform.machine.lower().replace("amd64", "x86_64") == machine:
            return platform
    return None
