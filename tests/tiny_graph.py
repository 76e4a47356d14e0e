"""Small closures for the tests of pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from hypothesis import strategies as st

from cuvee.conda.package_record import LockedPackage
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.graph.release_graph import PlatformGraph, ReleaseGraph, build_graph
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.model import (
    Installers,
    Manifest,
    PlatformEntry,
    Position,
    ReleaseVersion,
    Requirement,
)

HERE = Position(file=Path("tiny/2026.11.0.yaml"), line=7, column=3)


def package(name: str, depends: Sequence[str] = (), size: int = 1_000_000) -> LockedPackage:
    return LockedPackage(
        name=name,
        version="1.0",
        build="0",
        build_number=0,
        platform="linux-64",
        subdir="linux-64",
        url=f"channel/linux-64/{name}-1.0-0.conda",
        channel="channel",
        sha256="0" * 64,
        size=size,
        depends=tuple(depends),
    )


def release(
    needs: Mapping[str, Sequence[str]], blessed: Sequence[str], sizes: Mapping[str, int] | None = None
) -> ReleaseGraph:
    """Make a release of one platform from what each package needs."""
    packages = [package(name, depends, (sizes or {}).get(name, 1_000_000)) for name, depends in needs.items()]
    lock = PlatformLock(
        platform="linux-64",
        packages=tuple(packages),
        virtual_packages=(VirtualPackage(name="__glibc", version="2.28"),),
    )
    manifest = Manifest(
        path=Path("tiny/2026.11.0.yaml"),
        distribution="tiny",
        version=ReleaseVersion(2026, 11, 0),
        title="Tiny",
        platforms=(PlatformEntry(name="linux-64", floor={}),),
        packages=tuple(Requirement(name=name, platforms=("linux-64",), position=HERE) for name in blessed),
        installers=Installers(formats={}),
    )
    return build_graph(manifest, Lock(platforms=(lock,)))


def closure(
    needs: Mapping[str, Sequence[str]], blessed: Sequence[str] = (), sizes: Mapping[str, int] | None = None
) -> PlatformGraph:
    return release(needs, blessed, sizes).platforms[0]


NAMES = tuple("abcdefghij")

needs_of_all = st.fixed_dictionaries(
    {name: st.lists(st.sampled_from(NAMES), max_size=4, unique=True) for name in NAMES}
)
"""What each of ten packages needs; cycles and needs of oneself are among them."""
