"""A build's key depends on all that a build depends on, and nothing damaged is taken from the cache."""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from cuvee.build.cross_building import BuildTarget
from cuvee.build.kept_builds import BuildCache, changes, key_of
from cuvee.build.model import BuiltPackage, KeyParts
from cuvee.build.package_build import BuildTask, build_package
from cuvee.channel.package_writer import PackageContent, write_package
from cuvee.files import sha256_file

PARTS = KeyParts(
    recipe="r",
    package="a-1-0",
    sources=("s",),
    variant={"python": "3.11.7"},
    build_environment={"make-4-0": "1"},
    host_environment={"numpy-2.4.5-0": "2"},
    test_environment={"numpy-2.4.5-0": "2"},
    platform="noarch on linux-64",
    engine="rattler-build 0.73.0, builder 1",
)
CHANGED = {
    "recipe": (replace(PARTS, recipe="x"), "its recipe has changed"),
    "package": (replace(PARTS, package="a-2-0"), "it was a-1-0"),
    "sources": (replace(PARTS, sources=("x",)), "its sources have changed"),
    "variant": (replace(PARTS, variant={"python": "3.12.1"}), "its variant has changed: python"),
    "build_environment": (
        replace(PARTS, build_environment={}),
        "its build environment has changed: without make-4-0",
    ),
    "host_environment": (
        replace(PARTS, host_environment={"numpy-2.4.6-0": "3"}),
        "its host environment has changed: with numpy-2.4.6-0, without numpy-2.4.5-0",
    ),
    "test_environment": (
        replace(PARTS, test_environment={"numpy-2.4.5-0": "9"}),
        "its test environment has changed: another numpy-2.4.5-0",
    ),
    "platform": (replace(PARTS, platform="noarch on osx-64"), "it was built on another platform"),
    "patches": (
        replace(PARTS, patches={"one.patch": "4"}),
        "its patches have changed: with one.patch",
    ),
    "engine": (
        replace(PARTS, engine="rattler-build 0.74.0, builder 1"),
        "the engine has changed: rattler-build 0.73.0, builder 1 to rattler-build 0.74.0, builder 1",
    ),
}


def test_every_part_is_in_the_key() -> None:
    assert set(CHANGED) == {field.name for field in fields(KeyParts)}


@pytest.mark.parametrize("part", CHANGED)
def test_a_changed_part_is_another_key_and_is_named(part: str) -> None:
    changed, phrase = CHANGED[part]
    assert key_of(changed) != key_of(PARTS)
    assert changes(PARTS, changed) == (phrase,)


def test_nothing_has_changed() -> None:
    assert changes(PARTS, replace(PARTS)) == ()


def kept(tmp_path: Path) -> tuple[BuildCache, BuiltPackage]:
    cache = BuildCache(tmp_path / "cache")
    content = PackageContent(name="a", version="1", build="0", subdir="noarch", timestamp=0, files=())
    archive = write_package(content, tmp_path)
    package = BuiltPackage(
        recipe="a",
        name="a",
        version="1",
        build="0",
        subdir="noarch",
        file_name=archive.name,
        sha256=sha256_file(archive),
        key=key_of(PARTS),
    )
    cache.keep(archive, "the log\udc80", package, PARTS)
    return cache, package


def test_a_kept_package_is_found_with_its_log(tmp_path: Path) -> None:
    cache, package = kept(tmp_path)
    assert cache.find(package.key) == replace(package, reused=True)
    assert cache.log(package).read_text(encoding="utf-8").startswith("the log")
    latest = cache.latest("a", "noarch")
    assert latest is not None
    assert (latest.package, latest.parts) == (package, PARTS)
    assert cache.latest("a", "linux-64") is None
    assert cache.find("0" * 64) is None


def test_what_another_process_has_built_meanwhile_is_not_built_again(tmp_path: Path) -> None:
    cache, package = kept(tmp_path)
    output = SimpleNamespace(
        identifier="a-1-0@noarch", name="a", recipe=SimpleNamespace(file="a/recipe.yaml")
    )
    task = SimpleNamespace(
        may_be_elsewhere=False,
        check_reproducible=False,
        output=output,
        target=BuildTarget(platform="linux-64"),
        isolate=lambda _: (),
        logs=tmp_path,
        cache=tmp_path / "cache",
        key=package.key,
        question="what decided",
    )
    assert build_package(cast("BuildTask", task)).package == replace(package, reused=True)
    latest = cache.latest("a", "noarch")
    assert latest is not None
    assert latest.question == "what decided"


def truncate(folder: Path) -> None:
    (folder / "a-1-0.conda").write_bytes(b"")


def edit(folder: Path) -> None:
    (folder / "build.json").write_text("{}", encoding="utf-8")


def damage_record(folder: Path) -> None:
    (folder / "record.json").write_text('{"sha256": "other"}', encoding="utf-8")


def remove(folder: Path) -> None:
    (folder / "a-1-0.conda").unlink()


@pytest.mark.parametrize("damage", [truncate, edit, remove, damage_record])
def test_what_is_damaged_is_not_taken(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    cache, package = kept(tmp_path)
    damage(cache.archive(package).parent)
    assert cache.find(package.key) is None


def test_a_build_under_the_key_of_another_is_not_taken(tmp_path: Path) -> None:
    cache, package = kept(tmp_path)
    folder = cache.archive(package).parent
    folder.rename(folder.with_name("1" * 64))
    assert cache.find("1" * 64) is None
