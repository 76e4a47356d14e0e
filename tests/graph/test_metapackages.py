"""Metapackages: by one of them, the solver gives a release, and nothing that is added changes it."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
import rattler
from hypothesis import given, settings
from hypothesis import strategies as st

from cuvee.conda.package_record import LockedPackage
from cuvee.files import sha256_bytes, write_json
from cuvee.graph.metapackages import Metapackage, exact_spec, metapackages
from cuvee.graph.release_graph import ReleaseGraph, build_graph
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.model import (
    Installers,
    Manifest,
    PlatformEntry,
    Position,
    ReleaseVersion,
    Requirement,
)

HERE = Position(file=Path("lab/2026.11.0.yaml"), line=7, column=3)
PLATFORM = "linux-64"


def package(
    name: str, version: str = "1.0", *, depends: tuple[str, ...] = (), build: str = "0"
) -> LockedPackage:
    return LockedPackage(
        name=name,
        version=version,
        build=build,
        build_number=0,
        platform=PLATFORM,
        subdir="noarch",
        url=f"https://example.org/noarch/{name}-{version}-{build}.conda",
        channel="https://example.org",
        sha256=sha256_bytes(f"{name} {version} {build}".encode()),
        timestamp=1_700_000_000_000 + len(name),
        depends=depends,
    )


def release(*packages: LockedPackage, core: tuple[str, ...] = (), patch: int = 0) -> ReleaseGraph:
    locked = tuple(sorted(packages, key=lambda item: item.name))
    manifest = Manifest(
        path=Path("lab/2026.11.0.yaml"),
        distribution="lab",
        version=ReleaseVersion(2026, 11, patch),
        title="Lab Tools",
        platforms=(PlatformEntry(name=PLATFORM, floor={}),),
        packages=tuple(
            Requirement(
                name=item.name,
                groups=("core",) if item.name in core else (),
                platforms=(PLATFORM,),
                position=HERE,
            )
            for item in locked
        ),
        installers=Installers(formats={}),
    )
    lock = PlatformLock(platform=PLATFORM, packages=locked, virtual_packages=())
    return build_graph(manifest, Lock(platforms=(lock,)))


def made(graph: ReleaseGraph) -> dict[str, Metapackage]:
    return {item.name: item for item in metapackages(graph.manifest, graph.platforms[0])}


OLD = release(
    package("python", "3.11.7", depends=("zlib",)),
    package("zlib", "1.3"),
    package("numpy", "2.4.0", depends=("python",), build="py311_3"),
    package("scipy", "1.17.0", depends=("numpy >=2",)),
    core=("numpy",),
)
NEW = release(
    package("python", "3.11.7", depends=("zlib",)),
    package("zlib", "1.3.1"),
    package("numpy", "2.4.1", depends=("python",), build="py311_0"),
    package("scipy", "1.17.0", depends=("numpy >=2",)),
    core=("numpy",),
    patch=1,
)
BESIDE = (
    package("numpy", "2.5.0", depends=("python",)),
    package("numpy", "2.4.1", depends=("python",), build="another_0"),
    package("zlib", "2.0"),
    package("plots", "3.0", depends=("numpy >=2.4",)),
    package("plots", "4.0", depends=("numpy >=2.5",)),
    package("needs-new-zlib", "1.0", depends=("zlib >=2",)),
)


def test_they_name_the_packages_exactly_and_in_order() -> None:
    found = made(OLD)
    assert list(found) == ["lab", "lab-base", "lab-constraints"]
    everything = ("numpy ==2.4.0 py311_3", "python ==3.11.7 0", "scipy ==1.17.0 0", "zlib ==1.3 0")
    assert found["lab"].depends == everything
    assert found["lab"].constrains == ()
    assert found["lab-constraints"].constrains == everything
    assert found["lab-constraints"].depends == ()
    assert all(item.version == "2026.11.0" and item.subdir == PLATFORM for item in found.values())


def test_the_base_has_python_and_the_core_with_all_that_they_need() -> None:
    assert made(OLD)["lab-base"].depends == ("numpy ==2.4.0 py311_3", "python ==3.11.7 0", "zlib ==1.3 0")


def test_without_python_and_without_a_core_there_is_no_base() -> None:
    assert list(made(release(package("zlib")))) == ["lab", "lab-constraints"]


def test_another_content_is_another_build() -> None:
    names = {item.build for graph in (OLD, NEW) for item in made(graph).values()}
    assert len(names) == 6
    assert made(OLD) == made(OLD)


# --- as a solver sees them -------------------------------------------------------------------------------


def channel(folder: Path, graphs: Iterable[ReleaseGraph]) -> Path:
    """Write the repodata of a channel with releases, their metapackages, and what is not in them."""
    packages: list[LockedPackage | Metapackage] = [*BESIDE]
    for graph in graphs:
        packages += [*graph.packages(), *made(graph).values()]
    for subdir in ("noarch", PLATFORM):
        records = {
            f"{item.name}-{item.version}-{item.build}.conda": {
                "name": item.name,
                "version": item.version,
                "build": item.build,
                "build_number": 0,
                "subdir": subdir,
                "depends": list(item.depends),
                "constrains": list(item.constrains),
                "timestamp": item.timestamp,
                "sha256": sha256_bytes(item.name.encode()),
            }
            for item in packages
            if item.subdir == subdir
        }
        write_json(
            folder / subdir / "repodata.json",
            {"info": {"subdir": subdir}, "packages": {}, "packages.conda": records, "repodata_version": 1},
        )
    return folder


def solved(
    folder: Path, *specs: str, installed: list[rattler.RepoDataRecord] | None = None
) -> list[rattler.RepoDataRecord]:
    return asyncio.run(
        rattler.solve(
            [rattler.Channel(folder.as_uri())],
            specs=[rattler.MatchSpec(text) for text in specs],
            platforms=[rattler.Subdir(PLATFORM), rattler.Subdir("noarch")],
            gateway=rattler.Gateway(cache_dir=folder / "cache"),
            locked_packages=installed or [],
        )
    )


def members(records: Iterable[rattler.RepoDataRecord]) -> set[str]:
    """Return the exact specs of records that are no metapackages."""
    return {
        f"{item.name.normalized} =={item.version} {item.build}"
        for item in records
        if not item.name.normalized.startswith("lab")
    }


def specs_of(graph: ReleaseGraph) -> set[str]:
    return {exact_spec(item) for item in graph.packages()}


@pytest.fixture
def both(tmp_path: Path) -> Path:
    return channel(tmp_path, (OLD, NEW))


def test_a_release_number_gives_exactly_the_lock(both: Path) -> None:
    assert members(solved(both, "lab ==2026.11.0")) == specs_of(OLD)
    assert members(solved(both, "lab =2026.11")) == specs_of(NEW), "the newest point release"


def test_what_is_added_changes_nothing(both: Path) -> None:
    records = solved(both, "lab ==2026.11.0")
    added = solved(both, "lab ==2026.11.0", "plots", installed=records)
    assert members(added) == specs_of(OLD) | {"plots ==3.0 0"}


def test_the_next_release_takes_the_place_of_the_former(both: Path) -> None:
    records = solved(both, "lab ==2026.11.0", "plots")
    assert members(solved(both, "lab ==2026.11.1", "plots", installed=records)) == specs_of(NEW) | {
        "plots ==3.0 0"
    }


@pytest.mark.parametrize("name", ["lab", "lab-base", "lab-constraints"])
def test_a_wish_that_contradicts_the_release_fails_and_names_it(both: Path, name: str) -> None:
    with pytest.raises(rattler.exceptions.SolverError) as caught:
        solved(both, f"{name} =2026.11", "numpy >=2.5")
    assert f"{name} 2026.11" in str(caught.value)
    assert "numpy" in str(caught.value)


def test_so_does_a_package_that_needs_what_the_release_has_not(both: Path) -> None:
    with pytest.raises(rattler.exceptions.SolverError, match=r"lab-constraints 2026\.11"):
        solved(both, "lab-constraints =2026.11", "needs-new-zlib")


def test_constraints_install_nothing_and_hold_what_is_installed(both: Path) -> None:
    assert members(solved(both, "lab-constraints ==2026.11.0")) == set()
    assert members(solved(both, "lab-constraints ==2026.11.0", "plots")) == {
        "plots ==3.0 0",
        "numpy ==2.4.0 py311_3",
        "python ==3.11.7 0",
        "zlib ==1.3 0",
    }


def test_the_base_leaves_the_rest_out(both: Path) -> None:
    assert members(solved(both, "lab-base =2026.11")) == {
        "numpy ==2.4.1 py311_0",
        "python ==3.11.7 0",
        "zlib ==1.3.1 0",
    }


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_whatever_a_release_has_is_what_its_users_get(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, 6))
    versions = st.sampled_from(["0.9", "1!1.0", "2.1rc1", "3.0.0", "2026.8", "1.0+abi3"])
    packages = [
        package(f"n{number}", data.draw(versions), build=data.draw(st.sampled_from(["0", "py_1", "h0f_2"])))
        for number in range(count)
    ]
    for number in range(1, count):
        packages[number] = replace(packages[number], depends=(packages[number - 1].name,))
    graph = release(*packages)
    folder = channel(tmp_path_factory.mktemp("channel"), [graph])
    assert len(solved(folder, "lab")) == count + 1
    assert members(solved(folder, "lab")) == specs_of(graph)
