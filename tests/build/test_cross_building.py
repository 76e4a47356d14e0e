"""What can be built for another platform, and why not; without a compiler."""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from build_recipes import simple, write_recipe
from cuvee.build import settings_packages
from cuvee.build.cross_building import (
    BuildTarget,
    compiler_packages,
    compiler_program,
    needed_for,
    why_not_built,
)
from cuvee.build.environments import EnvironmentSources, resolve_environments
from cuvee.build.model import Output
from cuvee.build.recipe_files import find_recipe
from cuvee.conda.package_archive import member_data, members
from cuvee.conda.package_info import read_index
from cuvee.conda.package_record import LockedPackage
from cuvee.errors import BlockedError, ToolMissingError
from tiny_graph import package


def script_in(archive: Path) -> str:
    return "".join(
        member_data(tar, member, 10_000).decode() for tar, member in members(archive, "pkg") if member.isreg()
    )


ARM, WINDOWS = (
    BuildTarget(platform="linux-aarch64"),
    BuildTarget(platform="win-64", not_run="it needs Windows"),
)


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(
        recipe=find_recipe(write_recipe(tmp_path / "a", simple("a"))),
        name="a",
        version="1.0",
        build="0",
        subdir="linux-aarch64",
        build_specs=("gcc_linux-aarch64",),
        document="{}",
    )


@pytest.fixture
def compilers(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the programs that this machine has; none at first."""
    found: set[str] = set()
    monkeypatch.setattr(shutil, "which", lambda name, **_path: name if name in found else None)
    return found


def test_compilers_have_the_names_of_debian() -> None:
    assert compiler_program("gcc", "linux-64", "linux-64") == "gcc"
    assert compiler_program("gxx", "linux-aarch64", "linux-64") == "aarch64-linux-gnu-g++"
    assert compiler_program("gcc", "win-64", "linux-64") == "x86_64-w64-mingw32-gcc"
    assert compiler_packages("gcc", "linux-64", "linux-64") == "gcc libc6-dev"
    arm = "gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
    assert compiler_packages("gcc", "linux-aarch64", "linux-64") == arm
    assert compiler_packages("gxx", "win-64", "linux-64") == "g++-mingw-w64-x86-64"


def test_a_missing_cross_compiler_is_named_with_its_packages(output: Output, compilers: set[str]) -> None:
    packages = "gcc-aarch64-linux-gnu, libc6-dev-arm64-cross"
    reason = f"aarch64-linux-gnu-gcc is not installed (Debian packages {packages})"
    assert why_not_built(output, ARM, "linux-64") == reason
    compilers.add("aarch64-linux-gnu-gcc")
    assert why_not_built(output, ARM, "linux-64") == ""


def test_platforms_that_have_no_cross_compiler_are_refused(output: Output) -> None:
    reason = why_not_built(output, BuildTarget(platform="osx-arm64"), "linux-64")
    assert reason == "it is compiled, and this machine builds only for linux-64, linux-aarch64 and win-64"
    reason = why_not_built(output, BuildTarget(platform="linux-64"), "osx-arm64")
    assert reason == "it is compiled, and this machine builds only for osx-arm64"


def test_conda_build_builds_only_for_the_machine(output: Output) -> None:
    other = replace(output, recipe=replace(output.recipe, engine="conda-build"))
    assert why_not_built(other, ARM, "linux-64") == "conda-build builds only for the platform of this machine"


def test_a_build_that_runs_python_needs_a_machine_that_runs_it(output: Output, compilers: set[str]) -> None:
    extension = replace(output, build_specs=(), host_specs=("python 3.11.*", "numpy"))
    reason = "its build runs the python of win-64; it needs Windows"
    assert why_not_built(extension, WINDOWS, "linux-64") == reason
    assert why_not_built(replace(extension, host_specs=("zlib",)), WINDOWS, "linux-64") == ""
    assert why_not_built(extension, ARM, "linux-64") == ""


def test_only_what_is_requested_and_needed_is_built(output: Output) -> None:
    outputs = {name: replace(output, name=name) for name in ("app", "lib", "core", "other")}
    needs = {"app": ["lib"], "lib": ["core"], "core": [], "other": []}
    assert needed_for(["app", "elsewhere"], outputs, needs) == {"app", "lib", "core"}


@pytest.mark.parametrize(
    ("platform", "lines"),
    [
        ("linux-aarch64", ["export CC=aarch64-linux-gnu-gcc", "AR=aarch64-linux-gnu-ar", "-rpath"]),
        ("win-64", ["export CC=x86_64-w64-mingw32-gcc", "$PREFIX/Library/lib", "--no-insert-timestamp"]),
    ],
)
def test_a_cross_compiler_is_a_package_of_the_machine(
    platform: str, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_packages, "_version", lambda _program: "12.2.0")
    archive = settings_packages.write_compiler("gcc", platform, "linux-64", tmp_path)
    index = read_index(archive)
    assert (index.name, index.subdir) == (f"gcc_{platform}", "linux-64")
    script = script_in(archive)
    assert all(line in script for line in lines), script
    assert "export HOST=" in script


def test_the_compiler_of_the_machine_sets_no_other_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_packages, "_version", lambda _program: "12.2.0")
    archive = settings_packages.write_compiler("gcc", "linux-64", "linux-64", tmp_path)
    script = script_in(archive)
    assert "export CC=gcc\n" in script
    assert "HOST=" not in script


class Sources:
    """Has everything; says for which platform it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def carried(self, platform: str) -> frozenset[str]:
        return frozenset()

    def state(self) -> str:
        return ""

    def resolve(
        self, specs: Sequence[str], platform: str, *, purpose: str, built: Path | None
    ) -> tuple[LockedPackage, ...]:
        self.asked.append((platform, purpose))
        return tuple(package(spec.split()[0]) for spec in specs)

    def archives(self, packages: Iterable[LockedPackage]) -> dict[str, Path]:
        return {}


def sources() -> tuple[EnvironmentSources, Sources, Sources]:
    machine, target = Sources(), Sources()
    both = EnvironmentSources(
        machine="linux-64", platform="linux-aarch64", at_build=machine, of_target=target
    )
    return both, machine, target


def test_build_environments_are_those_of_the_machine(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_packages, "_version", lambda _program: "12.2.0")
    both, machine, target = sources()
    found = resolve_environments(
        replace(output, build_specs=("gcc_linux-aarch64", "make"), host_specs=("zlib",), run_specs=("zlib",)),
        both,
        None,
    )
    assert machine.asked == [("linux-64", "the build environment of a for linux-aarch64")]
    assert [platform for platform, _ in target.asked] == ["linux-aarch64", "linux-aarch64"]
    assert found.compilers == {"gcc": "12.2.0"}
    versions = found.compiler_versions("linux-aarch64", "linux-64")
    assert versions == {"gcc 12.2.0 of this machine for linux-aarch64": ""}


def test_a_package_in_both_environments_is_refused(output: Output) -> None:
    both, _, _ = sources()
    other = replace(output, build_specs=("python",), host_specs=("python", "zlib"))
    with pytest.raises(BlockedError, match="The build of a for linux-aarch64 needs python for linux-64, too"):
        resolve_environments(other, both, None)


def test_a_missing_cross_compiler_stops_a_build(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_packages, "_version", lambda _program: None)
    both, _, _ = sources()
    with pytest.raises(ToolMissingError) as caught:
        resolve_environments(output, both, None)
    assert caught.value.message.startswith("The compiler aarch64-linux-gnu-gcc is not installed")
    assert "gcc-aarch64-linux-gnu" in (caught.value.hint or "")
