from dataclasses import replace
from pathlib import Path

from cuvee.channel.wheels import wheel_requests
from cuvee.manifest.model import (
    Installers,
    Manifest,
    PlatformEntry,
    Position,
    ReleaseVersion,
    Requirement,
    WheelRequirement,
)

BOTH = ("linux-64", "win-64")


def at(line: int) -> Position:
    return Position(file=Path("m.yaml"), line=line, column=3)


MANIFEST = Manifest(
    path=Path("m.yaml"),
    distribution="starter",
    version=ReleaseVersion(2026, 11, 0),
    title="Starter",
    platforms=(
        PlatformEntry(name="linux-64", floor={}),
        PlatformEntry(name="win-64", floor={}),
        PlatformEntry(name="osx-64", floor={}, absent="no interpreter"),
    ),
    packages=(
        Requirement(name="numpy", version="2.4.*", platforms=BOTH, position=at(1)),
        Requirement(name="python", version="3.11.*", platforms=BOTH, position=at(2)),
        Requirement(name="pywin32", platforms=("win-64",), position=at(3)),
    ),
    constraints=(Requirement(name="openssl", version=">=3", position=at(4)),),
    wheels=(
        WheelRequirement(name="NumPy", position=at(5)),
        WheelRequirement(name="dask", extras=("complete",), position=at(6)),
        WheelRequirement(name="pywin32", extras=("x",), position=at(7)),
    ),
    installers=Installers(formats={}),
)


def test_what_a_manifest_asks_for() -> None:
    found = {one.name: one for one in wheel_requests(MANIFEST)}
    assert (str(found["numpy"]), found["numpy"].platforms, found["numpy"].constraint) == (
        "numpy 2.4.*",
        BOTH,
        False,
    )
    assert found["numpy"].position == "m.yaml:1:3"
    assert (str(found["dask"]), found["dask"].position) == ("dask[complete]", "m.yaml:6:3")
    assert found["dask"].platforms == BOTH
    assert (found["pywin32"].platforms, found["pywin32"].extras) == (("win-64",), ("x",))
    assert {name for name, one in found.items() if one.constraint} == {"openssl", "python"}
    assert found["openssl"].platforms == BOTH


def test_what_a_channel_carries_only_bounds_the_rest() -> None:
    found = {one.name: one for one in wheel_requests(MANIFEST, names=["dask"])}
    assert {name for name, one in found.items() if not one.constraint} == {"dask"}
    assert found["numpy"].version == "2.4.*"


def test_a_request_keeps_the_name_of_the_manifest() -> None:
    packages = (Requirement(name="zope.interface", platforms=BOTH, position=at(1)),)
    wheels = (WheelRequirement(name="zope-interface", position=at(2)),)
    (found,) = wheel_requests(replace(MANIFEST, packages=packages, wheels=wheels, constraints=()))
    assert (found.name, found.conda_name, found.constraint) == ("zope-interface", "zope.interface", False)
    bound = replace(MANIFEST, packages=(), wheels=wheels, constraints=packages)
    assert {one.conda_name for one in wheel_requests(bound)} == {"zope.interface"}
